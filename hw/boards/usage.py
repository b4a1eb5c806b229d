"""What a user of a board must know: how it is programmed, and how one talks to it."""

from pathlib import Path
from string import Template

from ..isa.identity import identity
from .board import BAUD


__all__ = ["board_section", "link_pictures", "usage"]


_SECTION = Template(Path(__file__).with_name("board.md").read_text(encoding="utf-8"))
#: What lights say, by the port of the pins.
_LIGHTS = {
    "busy": "a picture is at work",
    "error": "the status of the core is not 0",
    "status": "that status, lowest bit first",
}


def link_pictures(image_shape, classes):
    """Pictures a second that the serial link carries, if the core took no time.

    Parameters
    ----------
    image_shape : (int, int, int)
    classes : int

    Returns
    -------
    float

    Examples
    --------
    >>> round(link_pictures((8, 8, 1), 10))
    730
    """
    height, width, channels = image_shape
    request = 1 + 1 + 4 + height * width * channels + 4
    reply = 1 + 2 + 4 + 4 * classes + 12 + 4
    return BAUD / (10 * (request + reply))


def usage(board, image_shape, classes):
    """Lines for the end of a build: how to program a board, where its serial line is.

    Parameters
    ----------
    board : Board
    image_shape : (int, int, int)
    classes : int

    Returns
    -------
    list of str
    """
    return [
        f"program {board.title} with: {_program(board)}",
        f"serial line, {BAUD:,} baud 8N1: {board.serial}",
        f"the line carries at most {link_pictures(image_shape, classes):.0f} pictures a second",
    ]


def board_section(board, config, image_shape, classes):
    """Section of a build directory's README, in Markdown.

    Parameters
    ----------
    board : Board
    config : CoreConfig
    image_shape : (int, int, int)
    classes : int

    Returns
    -------
    str
    """
    lights = [
        f"`{port}` ({', '.join(pin.sites)}): {text}"
        for port, text in _LIGHTS.items()
        if (pin := board.pin(port))
    ]
    return _SECTION.substitute({
        "top": board.top,
        "title": board.title,
        "name": board.name,
        "program": _program(board),
        "serial": board.serial[0].upper() + board.serial[1:],
        "pictures": f"{link_pictures(image_shape, classes):.0f}",
        "lights": "; ".join(lights),
        "clock_mhz": board.clock_mhz,
        "identity": identity(config).hex(),
    })


def _program(board):
    return board.program.format(bitstream=f"{board.top}.bit")
