"""Progress of long commands in plain text, with the time that is left."""

import sys
import time


__all__ = ["duration", "image_progress"]


#: Seconds between two lines where nobody looks at a terminal.
_QUIET = 60


def image_progress(stream=None):
    """Function of (images done, their total) that says how far a command is.

    On a terminal one line is kept up to date and is empty at the end. Elsewhere, as in a log, a
    line is added once a minute, so that short runs leave nothing there.

    Parameters
    ----------
    stream : text file, optional
        Standard error by default.

    Returns
    -------
    function
    """
    stream = stream or sys.stderr
    terminal = stream.isatty()
    began = said = time.monotonic()

    def show(done, total):
        nonlocal said
        now = time.monotonic()
        left = f", about {duration((now - began) / done * (total - done))} left"
        text = f"{done} of {total} images{left}"
        if terminal:
            # The line is erased first, since the next one may be shorter.
            print(f"\r\x1b[K{text if done < total else ''}", end="", file=stream, flush=True)
        elif now - said > _QUIET and done < total:
            said = now
            print(text, file=stream, flush=True)
    return show


def duration(seconds):
    """Time as people say it.

    >>> duration(12.3), duration(600), duration(9000)
    ('12 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
