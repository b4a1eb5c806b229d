"""The last step of ``hw.build``: a bitstream of what was built, and its report."""

import sys

from golden.data.limits import MAX_JSON
from golden.data.reading import read_regular

from ..boards.board import find_board
from ..boards.implement import implement_board
from ..boards.usage import usage
from ..emit.build_directory import check_memory_images, check_verilog, read_description
from ..fpga.pins import require_pins
from ..fpga.routing import implement
from ..isa.core_config import CoreConfig
from ..reporting.build_figures import build_figures
from ..reporting.report import summary
from ..reporting.report import write as write_report


__all__ = ["read_pins", "route"]


def read_pins(options):
    """Text of the user's pin constraints, or None.

    Raises
    ------
    ValueError
        If they are not those of the board.
    """
    if options.pins is None:
        return None
    text = read_regular(options.pins, MAX_JSON).decode("utf-8", "replace")
    if options.board is not None:
        require_pins(text, find_board(options.board).ports, whole=True)
    return text


def route(options, prog, device, pins):
    """Routes what was built, for a device or a board, and reports.

    Parameters
    ----------
    options : argparse.Namespace
        Of ``hw.build``.
    prog : str
        Name of the command, for what is said on standard error.
    device : Device
    pins : str or None
        What ``read_pins`` returned.

    Returns
    -------
    int
        Exit status of the command.
    """
    folder = options.out
    check_memory_images(folder)
    check_verilog(folder)
    # Those of an earlier build must not be taken for this one's.
    for name in ("report.json", "report.html"):
        (folder / name).unlink(missing_ok=True)
    description = read_description(folder)
    if pins is not None and options.board is None:
        require_pins(pins, _bits(description["ports"]), whole=False)
    common = {"seed": options.seed, "pins": pins, "progress": lambda text: print(text, flush=True)}
    lines, more = [], {}
    if options.board is None:
        used = implement(folder, device=device, clock_mhz=options.clock, **common)
        bitstream = folder / "accelerator.bit"
    else:
        board = find_board(options.board)
        built = implement_board(
            folder, board, CoreConfig.from_dict(description["config"]), **common
        )
        used, bitstream = built.utilisation, built.bitstream
        more = {"board": board.name, "pll_mhz": float(built.setting.mhz)}
        lines = usage(board, description["image_shape"], description["classes"])
    figures = build_figures(description, used.as_dict() | more, bitstream=bitstream)
    write_report(folder, figures)
    for name, value in summary(figures):
        print(f"  {name}: {value}")
    print("\n".join(lines), end="\n" if lines else "")
    if figures["clock_met"]:
        return 0
    print(
        f"{prog}: the clock of {used.clock_mhz:g} MHz was missed: routing reached "
        f"{used.fmax_mhz:.1f} MHz; another --seed, a smaller array or a lower --clock may do.",
        file=sys.stderr,
    )
    return 3 if options.strict_clock else 0


def _bits(ports):
    """Names of the bits of ports."""
    return [
        port["name"] if port["width"] == 1 else f"{port['name']}[{index}]"
        for port in ports
        for index in range(port["width"])
    ]
