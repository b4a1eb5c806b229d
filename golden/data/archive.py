"""Zip archives from outside, read within limits."""

import contextlib
import io
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from golden.data.limits import MAX_DIRECTORY, MAX_MEMBERS
from golden.data.reading import BLOCK, InputError, Readable, decoding, open_regular, printable


__all__ = ["Archive"]


#: How a member may be packed; other packers let a few bytes become gigabytes at one step.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

#: What is wrong if a member cannot be unpacked.
_DAMAGED = "the archive is damaged there"

#: Start of every entry of a zip's directory.
_ENTRY = b"PK\x01\x02"

#: Members of more bytes than this are unpacked to a temporary file, and not in memory.
_SMALL = 2**24


class Archive:
    """Members of a zip.

    What its directory says about a member is a claim: nothing is allocated by it, and nothing
    beyond it is read.

    Parameters
    ----------
    path : str or Path

    Attributes
    ----------
    names : tuple of str
        Members, folders aside; of several with one name the last one counts.
    folders : tuple of str
        Folders that have an entry of their own, without the slash at the end.

    Raises
    ------
    InputError
        If the file is no zip, or has too many members; one sentence that names it.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with decoding(f"{path}: the data cannot be read", "it must be a whole .zip file"):
            self._file = _Counted(open_regular(path).detach())
            # Readers keep members for as long as they like, so nobody else knows the end.
            weakref.finalize(self, self._file.close)
            self._zip = zipfile.ZipFile(self._file)
        names = self._zip.NameToInfo
        self.names = tuple(name for name in names if not name.endswith("/"))
        self.folders = tuple(name.rstrip("/") for name in names if name.endswith("/"))

    def size(self, name: str) -> int:
        """Bytes of a member, as the directory claims."""
        return self._zip.getinfo(name).file_size

    def check_size(self, name: str, limit: int) -> None:
        """Demand that a member claims to have at most so many bytes.

        Raises
        ------
        InputError
            One sentence that names the archive and the member.
        """
        if self.size(name) > limit:
            raise InputError(
                f"{self._path}: {printable(name)} is too large: it must have at most "
                f"{limit} bytes, not {self.size(name)}"
            )

    @contextlib.contextmanager
    def member(self, name: str, limit: int) -> Iterator[Readable]:
        """Open a member for reading from its start to its end.

        Parameters
        ----------
        name : str
        limit : int
            Most bytes that it may have.

        Yields
        ------
        binary file
            Which ends at the claimed size.

        Raises
        ------
        InputError
            If the member is too large, packed in a way that is not read, encrypted or damaged; by
            ``read``, too.
        """
        self.check_size(name, limit)
        where = f"{self._path}: {printable(name)}"
        info = self._zip.getinfo(name)
        if info.flag_bits & 1:
            raise InputError(f"{where} is encrypted: pack the archive again without a password")
        if info.compress_type not in _PACKED:
            raise InputError(
                f"{where} must be stored or deflated, not packed with method "
                f"{info.compress_type}: pack the archive again, with zip or numpy"
            )
        with decoding(f"{where} cannot be read", _DAMAGED):
            member = self._zip.open(info)
        with member:
            yield _Member(member, where)

    def open(self, name: str, limit: int) -> IO[bytes]:
        """A member, unpacked, as a file in which readers may seek.

        Parameters and errors are those of `member`.

        Returns
        -------
        binary file
        """
        opener = tempfile.TemporaryFile if self.size(name) > _SMALL else io.BytesIO
        with self.member(name, limit) as member, contextlib.ExitStack() as stack:
            target = stack.enter_context(opener())
            while block := member.read(BLOCK):
                target.write(block)
            if target.tell() != self.size(name):
                raise InputError(f"{self._path}: {printable(name)} cannot be read ({_DAMAGED})")
            target.seek(0)
            stack.pop_all()
        return target


class _Member:
    """An open member, whose faults name it."""

    def __init__(self, file, where):
        self._file, self._where = file, where

    def read(self, size):
        with decoding(f"{self._where} cannot be read", _DAMAGED):
            return self._file.read(size)


class _Counted(io.BufferedReader):
    """A zip's file, which does not hand out a directory of too many members.

    A directory is read at once, and an object is made of every member: they are counted before.
    """

    def read(self, size=-1):
        if size > MAX_DIRECTORY:
            raise InputError(
                f"{self.raw.name}: the directory of the archive must have at most "
                f"{MAX_DIRECTORY} bytes, not {size}"
            )
        data = super().read(size)
        if data.count(_ENTRY) > MAX_MEMBERS:
            raise InputError(f"the archive must have at most {MAX_MEMBERS} members")
        return data
