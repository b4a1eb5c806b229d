"""Opening what comes from outside: regular files alone, and no more of them than is allowed.

Images, archives, arrays, models, configurations and descriptions are all opened here, and whatever
their decoders raise becomes one sentence here.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Protocol


__all__ = [
    "BLOCK",
    "InputError",
    "Readable",
    "decoding",
    "listed",
    "open_regular",
    "printable",
    "read_regular",
]


#: Bytes that are read at once where a size is only a claim.
BLOCK = 2**20

#: Names that a sentence lists at most.
_LISTED = 8

#: What a path may lead to instead of a regular file.
_OTHERS = {
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class Readable(Protocol):
    """An open file that is read from its start to its end."""

    def read(self, size: int, /) -> bytes: ...


class InputError(ValueError):
    """Something from outside cannot be used; the message is one sentence that names it."""


def open_regular(path: Path | str) -> BufferedReader:
    """Open a regular file for reading; links are followed.

    A pipe would wait for a writer for ever, and a device has no end.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    binary file

    Raises
    ------
    OSError
        If there is no such file or it is anything else; ``strerror`` says what it is.
    """
    # Looked at before it is opened, since opening alone can set a device in motion.
    _check_regular(path, Path(path).stat())
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path | str, limit: int) -> bytes:
    """Bytes of a regular file.

    Parameters
    ----------
    path : str or Path
    limit : int
        Most bytes that it may have.

    Returns
    -------
    bytes

    Raises
    ------
    OSError
        As for `open_regular`, and if the file is larger.
    """
    with open_regular(path) as file:
        # Room is made for all that is asked for, and some systems claim that files are empty.
        size = os.fstat(file.fileno()).st_size
        data = file.read(min(limit, max(size, BLOCK)) + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it is too large, of more than {limit} bytes", str(path))
    return data


@contextlib.contextmanager
def decoding(sentence: str, otherwise: str) -> Iterator[None]:
    """Turns whatever a decoder raises into one sentence.

    Decoders of foreign bytes raise what they like: a damaged file is a ``RuntimeError`` for one
    and a ``struct.error`` for another.

    Parameters
    ----------
    sentence : str
        What cannot be done, such as ``x.png: the image cannot be read``.
    otherwise : str
        Reason where the system gives none, such as ``it is truncated``.

    Raises
    ------
    InputError
        The sentence and, in parentheses, the reason. One that is raised inside is left alone.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(f"{sentence} (it is too large for the memory)") from error
    except Exception as error:
        reason = getattr(error, "strerror", None) or otherwise
        raise InputError(f"{sentence} ({reason})") from error


def printable(name: object, most: int = 200) -> str:
    r"""Text from outside as it may stand in a sentence: on one line, and not too long.

    >>> printable("ant/0001.png"), printable("a\nb")
    ('ant/0001.png', 'a\\nb')
    """
    text = str(name)
    if not text.isprintable():
        text = text.encode("unicode_escape", "surrogateescape").decode("ascii", "replace")
    return text if len(text) <= most else f"{text[: most // 2]}...{text[3 - most // 2 :]}"


def listed(names: Sequence[str]) -> str:
    """Names as part of a sentence, which stops where they become too many.

    >>> listed(["a", "b"]), listed([str(number) for number in range(11)])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7 and 3 more')
    """
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _check_regular(path, status):
    if not stat.S_ISREG(status.st_mode):
        code = errno.EISDIR if stat.S_ISDIR(status.st_mode) else errno.EINVAL
        kind = _OTHERS.get(stat.S_IFMT(status.st_mode), "thing of its own kind")
        raise OSError(code, f"it is a {kind}, not a file", str(path))
