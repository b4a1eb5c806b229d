"""What a reader is to the fuzz tests."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.mutate import mutate


@dataclass(frozen=True)
class Reader:
    """A way by which something from outside comes in.

    Parameters
    ----------
    name : str
    write : callable
        Takes an empty folder, writes good files into it, and returns the list of paths whose bytes
        are to be damaged. Other files may lie beside them.
    read : callable
        Takes the path of a file that may be damaged and reads it, or the folder around it.
    check : callable
        Takes the path and what ``read`` gave; asserts that this is what the bytes say.
    change : callable
        Takes the bytes of one good file, a ``random.Random`` and the list of bytes of all good
        files; gives damaged bytes.
    errors : tuple of exception classes
        What ``read`` may raise; the message is one sentence that names the file.
    """

    name: str
    write: Callable
    read: Callable
    check: Callable
    change: Callable = mutate
    errors: tuple = field(default=(ValueError,))
