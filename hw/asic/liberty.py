"""Liberty, the file that describes standard cells: which there are, and whether they suffice."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from golden.data.reading import InputError, read_regular

from .liberty_text import Reader


__all__ = ["DEFAULT", "PACKAGE", "Cell", "Liberty", "find_liberty", "read_liberty"]


#: Cells of a 180 nm process of Oklahoma State University, and the Debian package that has them.
DEFAULT = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
PACKAGE = "qflow-tech-osu018"

#: Most bytes of a Liberty; that of a modern process at one corner has a tenth.
MAX_LIBERTY = 2**28

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
    """

    name: str
    area: float
    kind: str
    inputs: tuple
    outputs: tuple
    functions: tuple
    clock: str

    @property
    def is_buffer(self):
        """Whether it passes its only input on."""
        return self.kind == "gate" and self.functions == self.inputs and len(self.inputs) == 1


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
        """Name of the largest buffer, which is what drives a core's inputs; None without any."""
        buffers = [cell for cell in self.cells.values() if cell.is_buffer]
        return max(buffers, key=lambda cell: cell.area).name if buffers else None


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
        If the file is no Liberty, ends too early, or lacks cells that every netlist needs.
    OSError
        If it cannot be read.
    """
    content = read_regular(path, MAX_LIBERTY)
    name, members = Reader(content.decode("utf-8", "replace"), path).library()
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
    if not found.of_kind("ff"):
        raise InputError(f"{path}: a Liberty must have a flip-flop among its {len(cells)} cells")
    if not any(cell.functions for cell in cells.values() if cell.kind == "gate"):
        raise InputError(f"{path}: a Liberty must have gates with a function")
    return found


def _number(text, what):
    """A number that a file gives."""
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{what} must be a number") from None


def _cell(name, body, path):
    """A cell of the members of its group."""
    area = [value for key, value, _ in body if key == "area" and isinstance(value, str)]
    area = _number(area[0], f"{path}: the area of cell {name}") if area else 0.0
    groups = {key for key, value, inside in body if inside is not None}
    clocked = [
        value
        for key, _, inside in body
        if key in _FLIP_FLOPS
        for word, value, _ in inside
        if word == "clocked_on"
    ]
    kind = "ff" if groups & _FLIP_FLOPS else "latch" if groups & _LATCHES else "gate"
    inputs, outputs, functions = [], [], []
    for key, pin, inside in body:
        if key != "pin" or inside is None or not pin:
            continue
        said = {word: value for word, value, deeper in inside if deeper is None}
        if said.get("direction") == "input":
            inputs.append(pin[0])
        elif said.get("direction") == "output":
            outputs.append(pin[0])
            if said.get("function"):
                functions.append(said["function"].strip())
    return Cell(
        name=name,
        area=area,
        kind=kind,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        functions=tuple(functions),
        clock=re.sub(r"\W", "", clocked[0]) if clocked else "",
    )
