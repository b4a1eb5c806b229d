"""The boards that Addend builds for: device, clock and pins."""

from dataclasses import dataclass, replace

from ..emit.licence import SPDX
from ..fpga.devices import find_device


__all__ = ["BAUD", "BOARDS", "Board", "Pin", "find_board"]


#: Bits a second of the serial link.
BAUD = 1_000_000
#: The committed model that every board has room for.
SMALL_MODEL = "digits-tiny"


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A port of a board's top module, and where it is on the package.

    Parameters
    ----------
    port : str
        ``clk``, ``button`` (resets), ``rx``, ``tx``, ``busy``, ``error``; ``status``, lowest bit
        first, where there are lights for it.
    sites : tuple of str
    attributes : dict of str to str
        Of the buffer.
    inverted : bool
        Whether a button that is pressed, or a light that is on, is low.
    """

    port: str
    sites: tuple[str, ...]
    attributes: dict[str, str]
    inverted: bool = False


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board.

    Parameters
    ----------
    name : str
        As ``--board`` takes it: the name that it has in amaranth-boards, in small letters.
    title : str
    device_name, package : str
        FPGA, and its package as nextpnr calls it.
    speed : str
        Speed grade.
    clock_mhz : int
        Of the oscillator.
    pins : tuple of Pin
    pack_options : tuple of str
        For ecppack.
    program : str
        Command that programs the board, where ``{bitstream}`` is the file.
    serial : str
        Where the serial line is.

    References
    ----------
    amaranth-boards 0.0.21, ``ulx3s.py`` and ``orangecrab_r0_2.py``.
    """

    name: str
    title: str
    device_name: str
    package: str
    speed: str
    clock_mhz: int
    pins: tuple[Pin, ...]
    pack_options: tuple[str, ...]
    program: str
    serial: str

    @property
    def top(self):
        """Name of the top module."""
        return f"accelerator_{self.name}"

    @property
    def device(self):
        """Its FPGA, by the board's name: what does not fit is told by it."""
        return replace(find_device(self.device_name), name=self.name)

    @property
    def advice(self):
        """What helps where a core does not fit."""
        return (
            f"{SMALL_MODEL} fits at 1 column of 8 lanes; or lower --columns or "
            "--lanes-per-column, or train with fewer weight bits or channels"
        )

    def pin(self, port):
        """Pin of a port, or None."""
        return next((pin for pin in self.pins if pin.port == port), None)

    @property
    def ports(self):
        """Bits of the top module's ports, as constraints name them."""
        return [
            pin.port if len(pin.sites) == 1 else f"{pin.port}[{index}]"
            for pin in self.pins
            for index in range(len(pin.sites))
        ]

    def constraints(self):
        """Text of the pin constraints, in Lattice's preference format (``.lpf``)."""
        lines = [
            f"# {SPDX}",
            f"# Pins of {self.title} for {self.top}.",
            "BLOCK RESETPATHS;",
            "BLOCK ASYNCPATHS;",
            f'FREQUENCY PORT "clk" {self.clock_mhz} MHZ;',
        ]
        for pin in self.pins:
            settings = " ".join(f"{key}={value}" for key, value in pin.attributes.items())
            for index, site in enumerate(pin.sites):
                port = pin.port if len(pin.sites) == 1 else f"{pin.port}[{index}]"
                lines += [
                    f'LOCATE COMP "{port}" SITE "{site}";',
                    f'IOBUF PORT "{port}" {settings};',
                ]
        return "\n".join(lines) + "\n"


_LVCMOS33 = {"IO_TYPE": "LVCMOS33"}
_LED = _LVCMOS33 | {"DRIVE": "4"}

BOARDS = (
    Board(
        name="ulx3s_85f",
        title="ULX3S with an LFE5U-85F",
        device_name="ecp5-85k",
        package="CABGA381",
        speed="6",
        clock_mhz=25,
        pins=(
            Pin(port="clk", sites=("G2",), attributes=_LVCMOS33),
            Pin(port="button", sites=("R1",), attributes=_LVCMOS33 | {"PULLMODE": "DOWN"}),
            Pin(port="rx", sites=("M1",), attributes=_LVCMOS33),
            Pin(port="tx", sites=("L4",), attributes=_LVCMOS33),
            Pin(port="busy", sites=("B2",), attributes=_LED),
            Pin(port="error", sites=("C2",), attributes=_LED),
            Pin(port="status", sites=("D1", "E2", "E1", "H3"), attributes=_LED),
        ),
        pack_options=("--compress",),
        program="openFPGALoader -b ulx3s {bitstream}",
        serial="the USB connector US1 carries the serial line; button FIRE 1 resets",
    ),
    Board(
        name="orangecrab_r0_2_85f",
        title="OrangeCrab r0.2 with an LFE5U-85F",
        device_name="ecp5-85k",
        package="CSFBGA285",
        speed="8",
        clock_mhz=48,
        pins=(
            Pin(port="clk", sites=("A9",), attributes=_LVCMOS33),
            Pin(port="button", sites=("J17",), attributes={"IO_TYPE": "SSTL135_I"}, inverted=True),
            # A header pin that nothing drives is an idle line.
            Pin(port="rx", sites=("N17",), attributes=_LVCMOS33 | {"PULLMODE": "UP"}),
            Pin(port="tx", sites=("M18",), attributes=_LVCMOS33),
            Pin(port="busy", sites=("J3",), attributes=_LVCMOS33, inverted=True),
            Pin(port="error", sites=("K4",), attributes=_LVCMOS33, inverted=True),
        ),
        pack_options=("--compress", "--freq", "38.8"),
        program="openFPGALoader -b orangeCrab {bitstream}",
        serial="pin 0 of the header receives and pin 1 sends, at 3.3 V; the button resets",
    ),
)


def find_board(name):
    """Board of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    for board in BOARDS:
        if board.name == name:
            return board
    raise ValueError(f"Board must be one of {', '.join(b.name for b in BOARDS)}, not {name!r}")
