"""Every command line of the project, and its parser."""

import argparse
import importlib

import pytest


__all__ = ["COMMANDS", "HELPERS", "parsers", "top_parser"]


#: Modules with a command line, and their subcommands.
COMMANDS = {
    "golden.__main__": ("run", "evaluate"),
    "train.__main__": (
        "fit",
        "pretrain",
        "evaluate",
        "weights",
        "export",
        "convert",
        "accuracy",
        "sweep",
        "report",
    ),
    "hw.build": (),
    "hw.load": (),
    "hw.explore": (),
    "addend.check": (),
    "addend.convert": (),
    "addend.host": ("classify", "load", "counters", "status"),
    "sim.board": (),
    "tests.benchmark.hardware": (),
    "tests.benchmark.asic": (),
    "hw.area": (),
    "hw.report": (),
    "tests.benchmark.calibrate": (),
    "sim.verify": (),
    "sim.dense": (),
    "sim.demo": (),
}

#: Further ones, for whoever works on the project.
HELPERS = (
    "sim.mutants",
    "tests.benchmark.inference",
    "tests.benchmark.training",
    "tests.differential.__main__",
    "tests.fuzz.__main__",
)


class _Parsed(BaseException):
    """Ends a command once its options are known."""


def top_parser(module, monkeypatch):
    """The parser of a module's command line."""
    found = []

    def parse(self, arguments=None, namespace=None):
        found.append(self)
        raise _Parsed

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse)
        with pytest.raises(_Parsed):
            importlib.import_module(module).main()
    return found[0]


def parsers(module, monkeypatch):
    """The parser of each command of a module, by subcommand."""
    top = top_parser(module, monkeypatch)
    subcommands = [
        action for action in top._actions if isinstance(action, argparse._SubParsersAction)
    ]
    return dict(subcommands[0].choices) if subcommands else {"": top}
