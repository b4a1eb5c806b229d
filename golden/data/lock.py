"""Locks between processes, which the system releases when a process ends, however it ends."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path


__all__ = ["alone_in", "waiting_lock"]


#: File of a folder that says that a command is at work in it.
_NAME = ".lock"


@contextlib.contextmanager
def alone_in(folder: Path | str, command: str) -> Iterator[None]:
    """Keep other commands out of a folder, which is made if it is missing.

    A folder that was made here, and in which nothing was left, is removed.

    Parameters
    ----------
    folder : str or Path
    command : str
        What is at work, for the sentence that another one is refused with.

    Raises
    ------
    ValueError
        If another process holds the folder; one sentence that names it.
    OSError
        If the folder cannot be made or written to.
    """
    folder = Path(folder)
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _NAME
    try:
        descriptor = _locked_file(path)
        if descriptor is None:
            raise ValueError(
                f"{folder}: another {command} is at work there, so wait for its end "
                "or choose another folder"
            )
        try:
            yield
        finally:
            # Removed while it is held, so that nobody can hold a file that is no longer there.
            path.unlink(missing_ok=True)
            os.close(descriptor)
    finally:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Wait until no other process holds a lock file, and hold it.

    Parameters
    ----------
    path : Path
        Made if it is missing, its folder too; it stays.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process, which holds {path}", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _locked_file(path):
    """Descriptor of a lock file that is held now, or ``None`` if another process holds it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The one that held it before may have removed the file since it was opened here.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
