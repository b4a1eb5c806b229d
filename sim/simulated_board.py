"""Simulators of boards: the top module of a board under Verilator, in a program of its own."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from golden.data.lock import waiting_lock
from hw.boards.pll import highest_setting
from hw.boards.top import board_verilog
from hw.emit.build_directory import check_verilog, read_description
from hw.emit.verilog import TOP
from hw.isa.core_config import CoreConfig
from hw.isa.frames import GAP_CYCLES
from hw.tools.process import ToolError, last_error
from hw.tools.verilator import verilator

from .objects import copy_objects, join, runtime
from .program import WAIVED
from .whole import call_whole, is_whole


__all__ = ["BIT_CYCLES", "PLL_MODEL", "board_command", "board_design", "build_board"]


#: Clock cycles of a bit of the serial line.
BIT_CYCLES = 8
#: Clock that the PLL is set to, of which the simulation makes nothing.
_CLOCK_MHZ = 50
_MAIN = Path(__file__).with_name("board.cpp")
#: Model of the primitive that makes the clock.
PLL_MODEL = Path(__file__).with_name("pll.v")


def board_design(folder, board):
    """Verilog of a build directory's core on a board, with a model of the PLL.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    board : Board

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the weights of the core lie outside.
    """
    config = CoreConfig.from_dict(read_description(folder)["config"])
    setting = highest_setting(board.clock_mhz, _CLOCK_MHZ)
    top = board_verilog(board, config, setting, bit_cycles=BIT_CYCLES)
    check_verilog(folder)
    core = (Path(folder) / "rtl" / f"{TOP}.v").read_text()
    return f"{top}\n{core}\n{PLL_MODEL.read_text()}"


def build_board(folder, board, cache, *, limit=900):
    """Compile the simulator of a board, unless an earlier call has built the same one.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    board : Board
    cache : Path
        Folder that keeps simulators.
    limit : float
        Seconds that one step may take.

    Returns
    -------
    Path
        The simulator; it is run in ``folder``, as ``board_command`` says.

    Raises
    ------
    ToolError
        If a tool is missing, fails or takes too long.
    ValueError
        If the weights of the core lie outside.
    """
    text = board_design(folder, board)
    cache = Path(cache).resolve()
    environment = verilator()
    steps = _steps(board)
    key = json.dumps([text, _MAIN.read_text(), steps, environment])
    place = cache / f"{board.top}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    executable = place / "board"
    if is_whole(executable):
        return executable
    with waiting_lock(place.with_suffix(".lock")):
        if is_whole(executable):
            return executable
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "design.v").write_text(text)
        (place / _MAIN.name).write_bytes(_MAIN.read_bytes())
        _run(steps, place, environment, runtime(cache / "boards"), limit)
        call_whole(executable)
    return executable


def board_command(executable, board, *, with_parent=False):
    """Arguments that start a simulator of a board.

    Parameters
    ----------
    executable : Path
    board : Board
    with_parent : bool
        Whether it ends with the process that starts it.

    Returns
    -------
    list of str
    """
    up = str(int(board.pin("button").inverted))
    return [str(executable), up, *(["parent"] if with_parent else [])]


def _steps(board):
    """Commands that make a simulator, run in its folder; none of them names a path."""
    macros = {
        "BIT_CYCLES": BIT_CYCLES,
        "GAP_CYCLES": f"{GAP_CYCLES}L",
        "BUSY_IDLE": int(board.pin("busy").inverted),
    }
    verilate = ["--cc", "--exe", "--Mdir", ".", "--prefix", "Vtop", "--top-module", board.top]
    verilate += ["-o", "board", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-assert"]
    verilate += ["-Wno-fatal", *(f"-Wno-{name}" for name in WAIVED)]
    verilate += ["-CFLAGS", " ".join(f"-D{name}={value}" for name, value in macros.items())]
    verilate += ["design.v", _MAIN.name]
    make = ["-j1", "-f", "Vtop.mk", "CURDIR=.", "VM_PARALLEL_BUILDS=0", "OPT_GLOBAL=-O1"]
    return {"verilator": verilate, "make": [*make, "OPT_FAST=-O2"]}


def _run(steps, place, environment, objects, limit):
    """Runs the steps in the folder of a simulator."""
    environment = os.environ | environment
    program = shutil.which("verilator", path=environment["PATH"])
    root = Path(program).resolve().parents[1]
    if (root / "include" / "verilated.mk").exists():
        # Make takes paths apart, so that everything is named relative to the folder.
        (place / "linked").symlink_to(root)
        environment |= {"VERILATOR_ROOT": "./linked", "VERILATOR_BIN": "./linked/bin/verilator_bin"}
    log = place / "build.log"
    with log.open("w") as output:
        for name, arguments in steps.items():
            if name == "make":
                copy_objects(objects, place)
                join(place)
            try:
                finished = subprocess.run(
                    [program if name == "verilator" else name, *arguments],
                    cwd=place,
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=limit,
                )
            except subprocess.TimeoutExpired:
                raise ToolError(
                    f"{name} must build the simulated board within {limit:g} s, and did not: "
                    f"see {log}"
                ) from None
            if finished.returncode:
                raise ToolError(
                    f"{name} failed with status {finished.returncode}: {last_error(log)} "
                    f"(see {log})"
                )
    copy_objects(place, objects)
