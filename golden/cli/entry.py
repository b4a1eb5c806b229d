"""What every command begins and ends with: text that any terminal takes, readers that leave."""

import codecs
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path


__all__ = ["BROKEN_PIPE", "ROOT", "enter"]


#: Exit status once whoever reads the output has left: 128 and SIGPIPE, as shells count.
BROKEN_PIPE = 141

#: Extra of this project that installs a module.
EXTRAS = {
    "torch": "train",
    "sklearn": "train",
    "msgspec": "train",
    "rich": "train",
    "tensorboardX": "train",
    "cocotb": "sim",
    "cocotb_tools": "sim",
    "find_libpython": "sim",
    "optuna": "explore",
}

#: How characters are spelled where only ASCII can be written.
PLAIN = str.maketrans({
    "×": "x",
    "·": "*",
    "µ": "u",
    "μ": "u",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "–": "-",
    "—": "-",
    "…": "...",
    "’": "'",
    "“": '"',
    "”": '"',
    "━": "-",
    "╸": "-",
    "╺": "-",
})

#: Folder that holds the packages, wherever the user stands.
ROOT = Path(__file__).parents[2]


def enter(main: Callable[[], int], *, prog: str) -> int:
    """Run a command as the program that was started.

    Characters that the terminal or a log cannot hold are spelled in ASCII, and a reader who leaves
    early ends the command without a word. Programs that it starts look for Python's modules where
    this one found them, not where the user stands.

    Parameters
    ----------
    main : callable
        Takes nothing and returns the exit status.
    prog : str
        How the user called this; in front of the sentences that are written here.

    Returns
    -------
    int
        What ``main`` returned; or ``BROKEN_PIPE``; 2 where a module is not installed or standard
        output cannot be written; 130 for Ctrl-C.
    """
    codecs.register_error("addend-plain", _spelled)
    sys.stdout, sys.stderr = _stream(sys.stdout), _stream(sys.stderr)
    os.environ["PYTHONSAFEPATH"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join([
        str(ROOT),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ])
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard()
        return BROKEN_PIPE
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        status, sentence = (
            2,
            (
                f"{error.name} is not installed: it comes with "
                f"`pip install 'addend[{EXTRAS[error.name]}]'`"
            ),
        )
    except OSError as error:
        _discard()
        status, sentence = 2, f"standard output: {error.strerror or error}"
    except KeyboardInterrupt:
        status, sentence = 130, "interrupted"
    with contextlib.suppress(OSError):
        print(f"{prog}: {sentence}.", file=sys.stderr)
    return status


def _stream(stream):
    """A standard stream that takes every character; one that swallows all if it is closed."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    stream.reconfigure(errors="addend-plain")
    return stream


def _spelled(error):
    """Error handler of codecs: what cannot be encoded, in ASCII."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", "backslashreplace").decode(), error.end


def _discard():
    """Let Python drop what standard output holds, which it would complain about at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
    os.close(null)
