"""Liberty, the file that describes standard cells: which there are, and whether they suffice."""

import codecs
import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path

from golden.data.reading import InputError, printable, read_regular

from .liberty_text import Reader


__all__ = ["DEFAULT", "PACKAGE", "Cell", "Liberty", "find_liberty", "read_liberty"]


#: Cells of a 180 nm process of Oklahoma State University, and the Debian package that has them.
DEFAULT = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
PACKAGE = "qflow-tech-osu018"

#: Most bytes of a Liberty; that of a modern process at one corner has a tenth.
MAX_LIBERTY = 2**28

#: What a compressed file begins with.
_GZIP = b"\x1f\x8b"

#: Groups of a cell that make it a flip-flop, and a latch.
_FLIP_FLOPS = frozenset({"ff", "ff_bank"})
_LATCHES = frozenset({"latch", "latch_bank"})


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A standard cell.

    Parameters
    ----------
    name : str
    area : float
        In the Liberty's own unit, square micrometres where nobody says otherwise.
    kind : str
        ``ff``, ``latch`` or ``gate``.
    inputs, outputs : tuple of str
        Pins.
    functions : tuple of str
        Of the outputs that have one.
    clock : str
        Pin of the clock of a flip-flop; else empty.
    is_register : bool
        Whether it is a flip-flop that takes an input at the rising edge, and has no other.
    timed : bool
        Whether an output has groups of timing.
    """

    name: str
    area: float
    kind: str
    inputs: tuple
    outputs: tuple
    functions: tuple
    clock: str
    is_register: bool
    timed: bool

    @property
    def is_buffer(self):
        """Whether it passes its only input on."""
        return self._is_plain(1) and self._function == self.inputs[0]

    @property
    def is_inverter(self):
        """Whether it inverts its only input."""
        return self._is_plain(1) and self._function in (f"!{self.inputs[0]}", f"{self.inputs[0]}'")

    @property
    def is_pair(self):
        """Whether it is an AND or OR of two inputs, each of them and its output inverted or not."""
        if not self._is_plain(2) or "^" in self.functions[0]:
            return False
        return sorted(re.findall(r"\w+", self.functions[0])) == sorted(self.inputs)

    @property
    def _function(self):
        """Function of the only output, without parentheses and spaces."""
        return re.sub(r"[\s()]", "", self.functions[0])

    def _is_plain(self, n_inputs):
        """Whether it is a gate of so many inputs and one output, whose function is known."""
        return (
            self.kind == "gate"
            and len(self.inputs) == n_inputs
            and len(self.outputs) == len(self.functions) == 1
        )


#: What every netlist needs, in words and as a property of a cell.
_NEEDED = (
    ("a rising-edge flip-flop without set, reset and enable", lambda cell: cell.is_register),
    ("an inverter", lambda cell: cell.is_inverter),
    ("a buffer", lambda cell: cell.is_buffer),
    ("a NAND, NOR, AND or OR of two inputs", lambda cell: cell.is_pair),
)


@dataclass(frozen=True, kw_only=True)
class Liberty:
    """The cells of a Liberty.

    Parameters
    ----------
    name : str
        Of the library.
    path : Path
    sha256 : str
        Of the file.
    voltage : float
        Nominal, in volts.
    cells : dict of str to Cell
    """

    name: str
    path: Path
    sha256: str
    voltage: float
    cells: dict

    def of_kind(self, kind):
        """Names of the cells of a kind."""
        return {name for name, cell in self.cells.items() if cell.kind == kind}

    @property
    def buffer(self):
        """Name of the largest buffer, which is what drives a core's inputs."""
        buffers = [cell for cell in self.cells.values() if cell.is_buffer]
        return max(buffers, key=lambda cell: cell.area).name

    def write(self, path):
        """Writes the file for tools, which take no mark of its encoding."""
        content = read_regular(self.path, MAX_LIBERTY)
        Path(path).write_bytes(content.removeprefix(codecs.BOM_UTF8))


def find_liberty(path=None):
    """The Liberty that a user names, or the one that a Debian package brings.

    Parameters
    ----------
    path : Path, optional

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If none is named and the package is not installed.
    """
    if path is not None:
        return Path(path)
    if not DEFAULT.exists():
        raise InputError(
            f"{DEFAULT} was not found: install it with `apt-get install {PACKAGE}`, or name "
            "another Liberty with --liberty"
        )
    return DEFAULT


def read_liberty(path):
    """Read the cells of a Liberty.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Liberty

    Raises
    ------
    InputError
        If the file is no Liberty, ends too early, or lacks areas, timing or cells that every
        netlist needs.
    OSError
        If it cannot be read.
    """
    content = read_regular(path, MAX_LIBERTY)
    if content.startswith(_GZIP):
        raise InputError(f"{path} is compressed: unpack it with gunzip")
    name, members = Reader(content.decode("utf-8-sig", "replace"), path).library()
    cells = {}
    for kind, arguments, body in members:
        if kind == "cell" and arguments:
            cells[arguments[0]] = _cell(arguments[0], body, path)
    said = {key: value for key, value, inside in members if inside is None}
    found = Liberty(
        name=name,
        path=Path(path),
        sha256=hashlib.sha256(content).hexdigest(),
        voltage=_number(said.get("nom_voltage", "1.0"), f"{path}: the nominal voltage"),
        cells=cells,
    )
    _check(found)
    return found


def _check(liberty):
    """Raises InputError where a Liberty lacks what every netlist needs."""
    cells = liberty.cells.values()
    if not any(cell.functions for cell in cells if cell.kind == "gate"):
        raise InputError(f"{liberty.path}: a Liberty must have gates with a function")
    for what, needed in _NEEDED:
        found = [cell for cell in cells if needed(cell)]
        if not found:
            raise InputError(
                f"{liberty.path}: a Liberty must have {what} among its {len(cells)} cells: name "
                "one that has with --liberty"
            )
        if not any(cell.timed for cell in found):
            raise InputError(
                f"{liberty.path}: a Liberty must have timing of {what}, and {found[0].name} has "
                "none"
            )
    if not any(cell.area for cell in cells):
        raise InputError(f"{liberty.path}: a Liberty must have areas, and no cell has one")


def _number(text, what):
    """A number that a file gives, which is none below 0."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise InputError(f"{what} must be a number of at least 0, not {printable(text, 40)}")
    return found


def _cell(name, body, path):
    """A cell of the members of its group."""
    area = [value for key, value, _ in body if key == "area" and isinstance(value, str)]
    area = _number(area[0], f"{path}: the area of cell {name}") if area else 0.0
    groups = {key for key, value, inside in body if inside is not None}
    state = {
        word: value
        for key, _, inside in body
        if key in _FLIP_FLOPS
        for word, value, deeper in inside
        if deeper is None
    }
    clocked, taken = (re.sub(r"[\s()]", "", state.get(k, "")) for k in ("clocked_on", "next_state"))
    kind = "ff" if groups & _FLIP_FLOPS else "latch" if groups & _LATCHES else "gate"
    inputs, outputs, functions, timed = [], [], [], False
    for key, pins, inside in body:
        if key != "pin" or inside is None:
            continue
        said = {word: value for word, value, deeper in inside if deeper is None}
        if said.get("direction") == "input":
            inputs += pins
        elif said.get("direction") == "output":
            outputs += pins
            timed |= any(word == "timing" for word, _, deeper in inside if deeper is not None)
            if said.get("function"):
                functions += [said["function"].strip()] * len(pins)
    return Cell(
        name=name,
        area=area,
        kind=kind,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        functions=tuple(functions),
        clock=re.sub(r"\W", "", clocked),
        # Yosys puts an inverter in front of an input, and none in front of a clock.
        is_register="ff" in groups and sorted(inputs) == sorted([clocked, taken.strip("!'")]),
        timed=timed,
    )
