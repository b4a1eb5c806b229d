"""Command line: train, evaluate, export and report."""

import os
import sys

from golden.cli.entry import enter
from train.cli import commands
from train.cli.parser import parser


def main(arguments=None, prog="python -m train"):
    """Run one command.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    prog : str
        How the user called this.

    Returns
    -------
    int
        Exit status: 0; 1 if the accuracy contract does not hold; 2 after an error that was reported
        in one sentence; 130 after Ctrl-C.
    """
    options = parser(prog).parse_args(arguments)
    try:
        return options.command(options) or 0
    except KeyboardInterrupt:
        print(f"\n{commands.interrupted(options)}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:
        where = error.filename or "standard output"
        reason = (error.strerror or str(error)).lower()
        print(f"{_rank()}{where}: {reason}.", file=sys.stderr)
        return 2
    except (ValueError, ArithmeticError) as error:
        print(f"{_rank()}{error}.", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{_rank()}there is not enough memory for this.", file=sys.stderr)
        return 2
    except RuntimeError as error:
        # As torch tells it, on either device.
        if "allocate memory" in str(error) or "out of memory" in str(error):
            print(f"{_rank()}there is not enough memory for this.", file=sys.stderr)
            return 2
        # In a run of one process this is a bug, and its trace is wanted.
        if not _rank():
            raise
        print(
            f"{_rank()}lost another process, whose own message says why; --resume goes on.",
            file=sys.stderr,
        )
        return 2


def _rank():
    """Start of a message from one process of several."""
    return f"rank {os.environ['RANK']}: " if os.environ.get("WORLD_SIZE", "1") != "1" else ""


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m train"))
