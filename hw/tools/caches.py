"""Where the WebAssembly tools keep what they compiled, also on machines without a home folder."""

import os
import stat
import tempfile
from pathlib import Path


__all__ = ["ensure_caches"]


def ensure_caches():
    """Let tools that are started from now on find folders for their caches that can be written.

    A container that runs as somebody has no home, and a clone may belong to somebody else. Where
    the usual folder cannot be written, a private one in the folder for temporary files takes its
    place, and serves the next command too.

    Raises
    ------
    OSError
        If nothing can be written anywhere.
    """
    named = os.environ.get("YOWASP_CACHE_DIR")
    if named is not None and not _writable(named):
        del os.environ["YOWASP_CACHE_DIR"]
    usual = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    if not (Path(usual).is_absolute() and _writable(usual)):
        # Tools read settings from the home folder as well, and fail where there is none.
        os.environ["HOME"] = str(_private())
        os.environ["XDG_CACHE_HOME"] = os.environ["HOME"]


def _writable(folder):
    """Whether files can be written in a folder, which is made if it is not there."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private():
    """A folder for temporary files that nobody else can have put anything into."""
    folder = Path(tempfile.gettempdir()) / f"addend-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.getuid()
            and not stat.S_IMODE(found.st_mode) & 0o022
            and _writable(folder)
        ):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="addend-"))
