"""Types of command-line options: a value that makes no sense is refused by its option's name.

Each of them takes the text of an option and returns its value, for ``type=`` of
``argparse.ArgumentParser.add_argument``.
"""

import math
import os
import stat
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from pathlib import Path

from golden.data.reading import printable
from golden.spike import SPIKE_CODE_ALIASES, SpikeCode


__all__ = [
    "COUNT",
    "EPOCHS",
    "INDEX",
    "SEED",
    "SECONDS",
    "SPIKE_CODE",
    "SPIKE_CODE_NOTE",
    "THREADS",
    "WORKERS",
    "distinct",
    "input_file",
    "input_path",
    "number",
    "output_file",
    "output_folder",
    "text",
    "whole",
]


def whole(least: int, most: int) -> Callable[[str], int]:
    """Type of a whole number from ``least`` to ``most``."""
    rule = f"must be a whole number from {least} to {most}"

    def convert(given):
        try:
            value = int(given)
        except ValueError:
            raise ArgumentTypeError(f"{rule}, not {_shown(given)}") from None
        if not least <= value <= most:
            raise ArgumentTypeError(f"{rule}, not {_shown(given)}")
        return value

    return convert


def number(
    *,
    most: float,
    above: float = -math.inf,
    least: float = -math.inf,
) -> Callable[[str], float]:
    """Type of a number greater than ``above``, at least ``least`` and at most ``most``."""
    lower = f"at least {least:g}" if least > above else f"greater than {above:g}"
    rule = f"must be a number {lower} and at most {most:g}"

    def convert(given):
        try:
            value = float(given)
        except ValueError:
            raise ArgumentTypeError(f"{rule}, not {_shown(given)}") from None
        # NaN is in no range.
        if not (above < value and least <= value <= most):
            raise ArgumentTypeError(f"{rule}, not {_shown(given)}")
        return value

    return convert


#: Seeds that every generator takes: those of NumPy, PyTorch, nextpnr and Verilator.
SEED = whole(0, 2**31 - 2)
#: How many images to take, epochs to train, threads and processes to use.
COUNT = whole(1, 2**31 - 1)
#: Which of several images.
INDEX = whole(0, 2**31 - 2)
EPOCHS = whole(0, 1_000_000)
THREADS = whole(1, 1024)
WORKERS = whole(1, 256)
#: Time limits.
SECONDS = number(above=0, most=1e8)


def _spike_code(given):
    """Type of a spike code's value; an alias becomes the value, and any other text stays."""
    try:
        return SpikeCode(given).value
    except ValueError:
        return given


#: How an option takes a spike code; to be followed by its own help.
SPIKE_CODE = {"type": _spike_code, "choices": [code.value for code in SpikeCode]}
SPIKE_CODE_NOTE = "; ".join(
    f"{alias}: alias of {name}" for name, alias in SPIKE_CODE_ALIASES.items()
)


def text(given: str) -> str:
    """Type of a text that is not empty."""
    if not given.strip():
        raise ArgumentTypeError(f"must not be empty, not {_shown(given)}")
    return given


def input_file(given: str) -> Path:
    """Type of a file to read, which whoever reads it finds missing."""
    path, mode = _look(given)
    if mode is not None and not stat.S_ISREG(mode):
        raise ArgumentTypeError(f"must be a file, not {_kind(mode)}: {_shown(given)}")
    return path


def input_path(given: str) -> Path:
    """Type of a file or folder to read, which whoever reads it finds missing."""
    path, mode = _look(given)
    if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ArgumentTypeError(f"must be a file or a folder, not {_kind(mode)}: {_shown(given)}")
    return path


def output_file(given: str) -> Path:
    """Type of a file to write, in a folder that is there and writable or can be made."""
    path, mode = _look(given)
    if mode is not None and not stat.S_ISREG(mode):
        raise ArgumentTypeError(f"must be a file to write, not {_kind(mode)}: {_shown(given)}")
    if not path.name:
        raise ArgumentTypeError(f"must be a file to write, not {_shown(given)}")
    _require_writable(path.parent, given)
    return path


def output_folder(given: str) -> Path:
    """Type of a folder to write into, which is there and writable or can be made."""
    path, mode = _look(given)
    if mode is not None and not stat.S_ISDIR(mode):
        raise ArgumentTypeError(
            f"must be a folder to write into, not {_kind(mode)}: {_shown(given)}"
        )
    _require_writable(path, given)
    return path


def distinct(option: str, values: Sequence[object] | None) -> None:
    """Raise ValueError if a list that an option was given has a value twice."""
    for value in values or ():
        if values.count(value) > 1:
            raise ValueError(f"{option} must hold each value once, not {value} again")


def _look(given):
    """Path of an argument, and the mode of what is there, or ``None``."""
    if not given:
        raise ArgumentTypeError("must name a path, not be empty")
    path = Path(given)
    try:
        return path, path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path, None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArgumentTypeError(f"{_shown(given)} cannot be used ({reason})") from None


def _require_writable(folder, given):
    """Refuses a folder in which nothing can be written, or that cannot be made."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ArgumentTypeError(f"must lie in a folder, and {there} is none: {_shown(given)}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ArgumentTypeError(
            f"must lie in a folder that you may write to, and {there} is not one: {_shown(given)}"
        )


def _kind(mode):
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFREG: "a file",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


def _shown(given):
    return f"'{printable(given)}'"
