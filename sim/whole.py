"""Simulators that are whole: a stamp beside each says so, and is written last."""

import hashlib
import os

from golden.data.atomic import replacing


__all__ = ["STAMP", "call_whole", "is_whole"]


#: File with the SHA-256 of the simulator beside it.
STAMP = "whole"


def is_whole(executable):
    """Whether a simulator is as it was when its build had come to an end.

    Parameters
    ----------
    executable : Path

    Returns
    -------
    bool
        False where there is none, or one that was killed while it was linked.
    """
    try:
        return executable.with_name(STAMP).read_text() == _digest(executable)
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return False


def call_whole(executable):
    """Write the stamp, once the simulator itself is on the disk.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with executable.open("rb") as file:
        os.fsync(file.fileno())
    with replacing(executable.with_name(STAMP)) as file:
        file.write(_digest(executable).encode())


def _digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
