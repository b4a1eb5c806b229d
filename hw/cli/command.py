"""What the command lines of ``hw`` and ``sim`` share: errors become one sentence and a status."""

import sys

from ..tools.process import ToolError


__all__ = ["guarded"]


def guarded(run, *, prog, where, interrupted, failures=()):
    """Run a command and turn what it raises into a sentence on stderr.

    Parameters
    ----------
    run : callable
        Takes nothing and returns the exit status, or ``None`` for 0.
    prog : str
        Name of the command, in front of every sentence.
    where : Path
        What an ``OSError`` without a file name is about.
    interrupted : str
        What Ctrl-C leaves behind.
    failures : tuple of exception types
        Beside ``ToolError``, what a tool that failed raises.

    Returns
    -------
    int
        The command's status; 2 for bad input, 3 for a tool that failed, 130 for Ctrl-C.
    """
    try:
        return run() or 0
    except (ToolError, *failures) as error:
        status, sentence = 3, str(error)
    except (ValueError, OverflowError) as error:
        status, sentence = 2, str(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        status, sentence = 2, f"{error.filename or where}: {error.strerror or error}"
    except MemoryError:
        status, sentence = 2, "there is not enough memory for this"
    except KeyboardInterrupt:
        status, sentence = 130, f"interrupted; {interrupted}"
    print(f"{prog}: {sentence}.", file=sys.stderr)
    return status
