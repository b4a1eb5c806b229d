"""Liberty, the file that describes standard cells: which there are, and whether they suffice."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from golden.data.reading import InputError, read_regular


__all__ = ["DEFAULT", "PACKAGE", "Cell", "Liberty", "find_liberty", "read_liberty"]


#: Cells of a 180 nm process of Oklahoma State University, and the Debian package that has them.
DEFAULT = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
PACKAGE = "qflow-tech-osu018"

#: Most bytes of a Liberty; that of a modern process at one corner has a tenth.
MAX_LIBERTY = 2**28

#: Tokens: comments and continued lines are passed over, a text is one token.
_TOKEN = re.compile(
    r"(?P<skip>\s+|/\*.*?\*/|//[^\n]*|\\\r?\n)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<mark>[{}();:,])"
    r'|(?P<word>[^\s{}();:,"/\\]+(?:/[^\s{}();:,"/*\\]+)*|[/\\])',
    re.DOTALL,
)

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
    cells : dict of str to Cell
    """

    name: str
    path: Path
    sha256: str
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
    name, members = _Reader(content.decode("utf-8", "replace"), path).library()
    cells = {}
    for kind, arguments, body in members:
        if kind == "cell" and arguments:
            cells[arguments[0]] = _cell(arguments[0], body, path)
    found = Liberty(
        name=name, path=Path(path), sha256=hashlib.sha256(content).hexdigest(), cells=cells
    )
    if not found.of_kind("ff"):
        raise InputError(f"{path}: a Liberty must have a flip-flop among its {len(cells)} cells")
    if not any(cell.functions for cell in cells.values() if cell.kind == "gate"):
        raise InputError(f"{path}: a Liberty must have gates with a function")
    return found


def _cell(name, body, path):
    """A cell of the members of its group."""
    area = [value for key, value, _ in body if key == "area" and isinstance(value, str)]
    try:
        area = float(area[0]) if area else 0.0
    except ValueError:
        raise InputError(f"{path}: the area of cell {name} must be a number") from None
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


class _Reader:
    """Groups and attributes of a text in Liberty's grammar.

    A member is ``(name, value, None)`` for an attribute and ``(name, arguments, members)`` for a
    group. What lies inside the groups of a pin, such as tables of delays, is passed over.
    """

    def __init__(self, text, path):
        self.text, self.path, self.at = text, path, 0
        self.here = ""
        self.advance()

    def advance(self):
        """Takes the next token; an empty one at the end."""
        while self.at < len(self.text):
            found = _TOKEN.match(self.text, self.at)
            if not found:
                raise self.error(f"must not hold {self.text[self.at]!r} here")
            self.at = found.end()
            if found.lastgroup != "skip":
                self.here = found[0]
                return
        self.here = ""

    def error(self, rule):
        """The sentence of a broken file, with its line."""
        line = self.text.count("\n", 0, self.at) + 1
        return InputError(f"{self.path} must be a Liberty, and {rule}, in line {line}")

    def expect(self, mark):
        """Passes over a mark."""
        if self.here != mark:
            there = repr(self.here) if self.here else "its end"
            raise self.error(f"have {mark!r} where it has {there}")
        self.advance()

    def library(self):
        """Name and members of the one group that the file is."""
        if self.here != "library":
            raise self.error("begin with 'library'")
        self.advance()
        name = [*self.arguments(), ""][0]
        return name, self.members(2)

    def arguments(self):
        """What stands in parentheses."""
        self.expect("(")
        found = []
        while self.here != ")":
            if self.here in ("", "{", "}", ";"):
                self.expect(")")
            if self.here != ",":
                found.append(self.here.strip('"'))
            self.advance()
        self.advance()
        return found

    def members(self, depth):
        """Members of a group, of which groups are kept so deep."""
        self.expect("{")
        found = []
        while self.here != "}":
            name = self.here
            if not name or name in "{}();:,":
                self.expect("}")
            self.advance()
            if self.here == ":":
                found.append((name, self.value(), None))
                continue
            arguments = self.arguments()
            if self.here == "{":
                inside = self.members(depth - 1) if depth >= 0 else self.passed_over()
                found.append((name, arguments, inside))
            elif self.here == ";":
                self.advance()
        self.advance()
        return found

    def value(self):
        """What stands behind a colon, up to a semicolon or, where there is none, the line's end."""
        self.advance()
        words = []
        while self.here not in ("", ";", "}", "{"):
            words.append(self.here.strip('"'))
            newline = self.text[self.at : self.at + 1] in ("\n", "\r")
            self.advance()
            if newline and self.here != ";":
                return " ".join(words)
        if self.here in ("", "{"):
            self.expect(";")
        if self.here == ";":
            self.advance()
        return " ".join(words)

    def passed_over(self):
        """Nothing of a group but its end."""
        level = 0
        while True:
            level += (self.here == "{") - (self.here == "}")
            if not self.here:
                self.expect("}")
            self.advance()
            if not level:
                return []
