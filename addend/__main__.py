"""The ``addend`` command: the same tools as the ``python -m`` forms, from any folder.

``python -m train`` takes whatever folder is called ``train`` where the user stands; the console
script finds Addend's own packages. What a subcommand needs is imported once it is known, so that
``addend build`` works where torch is not installed.
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


__all__ = ["main", "run"]


#: Subcommand, the module whose main runs it, the arguments put before the user's, what it does.
COMMANDS = {
    "train": ("train.__main__", [], "train, evaluate or export a model (fit, evaluate, export)"),
    "check": ("addend.check", [], "say which parts of a torch module or QONNX file hardware runs"),
    "convert": ("addend.convert", [], "make an integer model of a torch module or QONNX file"),
    "run": ("golden.__main__", ["run"], "logits and tensors of an integer model for image files"),
    "evaluate": ("golden.__main__", ["evaluate"], "accuracy of an integer model on a data set"),
    "build": ("hw.build", [], "Verilog, memory images, reports and bitstream of a model"),
    "sim": ("sim.verify", [], "compare every tensor of the simulated RTL with the model"),
    "board": ("sim.board", [], "simulate a board behind a pseudo-terminal, for addend host"),
    "host": ("addend.host", [], "use a core on a board: classify, load, counters, status"),
    "explore": ("hw.explore", [], "search columns, lanes and memories for a model and a device"),
    "demo": ("sim.demo", [], "all of it once, on real digits"),
}


def usage() -> str:
    """Text of ``addend --help``."""
    lines = ["usage: addend COMMAND ... | --help | --version", "", "commands:"]
    lines += [f"  {name:9} {purpose}" for name, (_, _, purpose) in COMMANDS.items()]
    return "\n".join([*lines, "", "addend COMMAND --help tells what each one takes."])


def main() -> int:
    """Run the console script.

    Returns
    -------
    int
        Exit status, as of ``golden.cli.entry.enter``.
    """
    return _entry().enter(lambda: run(sys.argv[1:]), prog="addend")


def run(argv: Sequence[str]) -> int:
    """Run one subcommand.

    Parameters
    ----------
    argv : list of str
        Arguments after ``addend``.

    Returns
    -------
    int
        Exit status: 0 for help, 2 for a command that does not exist, else the subcommand's own.
    """
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"addend {_version()}")
        return 0
    name, *arguments = argv
    if name not in COMMANDS:
        print(
            f"addend: command must be one of {', '.join(COMMANDS)}, not {name!r}", file=sys.stderr
        )
        return 2
    module, prefix, _ = COMMANDS[name]
    # Where the subcommand is one of several in its module, that adds its own name.
    prog = "addend" if prefix else f"addend {name}"
    return importlib.import_module(module).main([*prefix, *arguments], prog=prog)


def _entry():
    """``golden.cli.entry`` by itself: help needs nothing of what ``golden`` imports."""
    path = Path(__file__).parents[1] / "golden" / "cli" / "entry.py"
    spec = importlib.util.spec_from_file_location("addend_entry", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _version():
    """The version that is installed; a clone that was never set up has none."""
    try:
        return version("addend")
    except PackageNotFoundError:
        return "unknown, since it is not installed"


if __name__ == "__main__":
    sys.exit(main())
