"""Progress of long commands in plain text, with the time that is left."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from golden.hints import Progress


__all__ = ["duration", "image_progress"]


#: Seconds between two lines where nobody looks at a terminal.
_QUIET = 60

#: What empties a line of a terminal.
_EMPTY = "\r\x1b[K"


@contextmanager
def image_progress(stream: TextIO | None = None) -> Iterator[Progress]:
    """Function of (images done, their total) that says how far a command is.

    On a terminal one line is kept up to date and leaves nothing behind. Elsewhere, as in a log, a
    line is added once a minute, so that short runs leave nothing there either.

    Parameters
    ----------
    stream : text file, optional
        Standard error by default.

    Yields
    ------
    function
    """
    stream = stream or sys.stderr
    terminal = stream.isatty()
    began = said = time.monotonic()

    def show(done, total):
        nonlocal said
        now = time.monotonic()
        if done == total or not (terminal or now - said > _QUIET):
            return
        said = now
        left = duration((now - began) / done * (total - done))
        text = f"{done} of {total} images, about {left} left"
        print(
            f"{_EMPTY if terminal else ''}{text}",
            end="" if terminal else "\n",
            file=stream,
            flush=True,
        )

    try:
        yield show
    finally:
        if terminal:
            print(_EMPTY, end="", file=stream, flush=True)


def duration(seconds: float) -> str:
    """Time as people say it.

    >>> duration(12.3), duration(600), duration(9000)
    ('12 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
