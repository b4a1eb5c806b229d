"""NumPy arrays from outside, one in a ``.npy`` file or several in a ``.npz`` file.

Headers are looked at before memory is asked for, and nothing is ever unpickled.
"""

import ast
import math
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import numpy as np

from golden.data.archive import Archive
from golden.data.limits import MAX_ARRAY
from golden.data.reading import BLOCK, InputError, Readable, decoding, open_regular


__all__ = ["StoredArray", "open_array", "open_arrays"]


#: Bytes of the field that gives a header's length, by major version of the format.
_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}

#: Most bytes of a header, and what it is made of: no signs and little nesting, on which the parser
#: of Python could stumble.
_MAX_HEADER = 10_000
_MAX_AXES = 8
_HEADER = re.compile(r"""[\w\s'"<>|=,:(){}]*""", re.ASCII)
_MAX_BRACKETS = 4

#: Most bytes before the values.
_MAX_START = 12 + _MAX_HEADER

#: A type of numbers: byte order, kind and bytes.
_NUMBERS = re.compile(r"[<>|=]?([?bB]|[biuf]\d{1,2})", re.ASCII)

_FAULT = "it must be a NumPy array without objects"


class StoredArray:
    """An array in a file, of which only the header has been read.

    Parameters
    ----------
    opener : callable
        Gives a context manager that opens the bytes of the ``.npy`` file from their start.
    size : int
        Bytes of that file.
    name : str
        What the array is, for errors.

    Attributes
    ----------
    dtype : np.dtype
        Of numbers.
    shape : tuple of int

    Raises
    ------
    InputError
        If there is no array of numbers, or its header does not fit its size; one sentence.
    """

    def __init__(
        self,
        opener: Callable[[], AbstractContextManager[Readable]],
        size: int,
        name: str,
    ) -> None:
        self._opener, self._name = opener, name
        with decoding(f"{name}: the file cannot be read", _FAULT), opener() as file:
            fields, self._start = _header(file)
            self.dtype, self.shape = _dtype(fields["descr"]), _shape(fields["shape"])
            self._order = _order(fields["fortran_order"])
        self._bytes = math.prod(self.shape) * self.dtype.itemsize
        if self._bytes > MAX_ARRAY:
            raise InputError(
                f"{name}: the array is too large: it must have at most {MAX_ARRAY} "
                f"bytes, not {self._bytes}"
            )
        if self._start + self._bytes != size:
            raise InputError(
                f"{name}: the array of shape {self.shape} and type {self.dtype} must "
                f"have {self._bytes} bytes, not {size - self._start}"
            )

    def read(self) -> np.ndarray:
        """The array, in the machine's byte order."""
        with decoding(f"{self._name}: the file cannot be read", _FAULT), self._opener() as file:
            file.read(self._start)
            values = np.empty(self.shape, self.dtype, order=self._order)
            flat = memoryview(values.reshape(-1, order="A").view(np.uint8))
            at = 0
            while at < self._bytes:
                block = file.read(min(BLOCK, self._bytes - at))
                if not block:
                    raise InputError(
                        f"{self._name}: the file ends after {at} of {self._bytes} bytes of values"
                    )
                flat[at : at + len(block)] = block
                at += len(block)
            # A zip compares its checksum where a member ends.
            file.read(1)
        return values.astype(self.dtype.newbyteorder("="), copy=False)


def open_array(path: Path | str) -> StoredArray:
    """The array of a ``.npy`` file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    StoredArray

    Raises
    ------
    InputError
        One sentence that names the file.
    """
    with decoding(f"{path}: the file cannot be read", _FAULT), open_regular(path) as file:
        size = file.seek(0, 2)
    return StoredArray(lambda: open_regular(path), size, str(path))


def open_arrays(path: Path | str, *names: str) -> dict[str, StoredArray]:
    """Some arrays of a ``.npz`` file.

    Parameters
    ----------
    path : str or Path
    *names : str

    Returns
    -------
    dict of str to StoredArray
        Without those that the file does not hold.

    Raises
    ------
    InputError
        One sentence that names the file.
    """
    archive = Archive(path)
    return {
        name: StoredArray(
            partial(archive.member, f"{name}.npy", MAX_ARRAY + _MAX_START),
            archive.size(f"{name}.npy"),
            f"{path}: {name}",
        )
        for name in names
        if f"{name}.npy" in archive.names
    }


def _header(file):
    """Fields of a header, and the bytes before the values."""
    magic = file.read(8)
    if magic[:6] != b"\x93NUMPY" or magic[6] not in _LENGTH_BYTES or magic[7]:
        raise ValueError("no array")
    n_bytes = _LENGTH_BYTES[magic[6]]
    length = int.from_bytes(file.read(n_bytes), "little")
    text = file.read(min(length, _MAX_HEADER + 1)).decode("latin-1")
    brackets = sum(map(text.count, "({"))
    if len(text) != length or not _HEADER.fullmatch(text) or brackets > _MAX_BRACKETS:
        raise ValueError("no header of an array of numbers")
    fields = ast.literal_eval(text.strip())
    if fields.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("other fields")
    return fields, len(magic) + n_bytes + length


def _order(is_fortran):
    if not isinstance(is_fortran, bool):
        raise TypeError("no truth value")
    return "F" if is_fortran else "C"


def _dtype(text):
    if not isinstance(text, str) or not _NUMBERS.fullmatch(text):
        raise ValueError("no numbers")
    return np.dtype(text)


def _shape(sizes):
    if not isinstance(sizes, tuple) or not all(type(size) is int for size in sizes):
        raise TypeError("no shape")
    if len(sizes) > _MAX_AXES or max(sizes, default=0) > MAX_ARRAY:
        raise ValueError("no shape of an array")
    return sizes
