"""Simulators of boards: the top module of a board under Verilator, in a program of its own."""

from pathlib import Path

from hw.boards.pll import highest_setting
from hw.boards.top import board_verilog
from hw.emit.build_directory import check_verilog, is_asic, read_description, read_verilog
from hw.isa.core_config import CoreConfig
from hw.isa.frames import GAP_CYCLES
from hw.tools.verilator import verilator

from .driver import FAST
from .program import Program, compiled
from .runner import Design


__all__ = ["BIT_CYCLES", "PLL_MODEL", "board_command", "board_design", "build_board"]


#: Clock cycles of a bit of the serial line.
BIT_CYCLES = 8
#: Clock that the PLL is set to, of which the simulation makes nothing.
_CLOCK_MHZ = 50
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
        If the weights of the core lie outside, or it is an ASIC's.
    """
    if is_asic(folder):
        raise ValueError(
            f"{folder} holds a core for an ASIC, and a board takes one of --target fpga or sim"
        )
    config = CoreConfig.from_dict(read_description(folder)["config"])
    setting = highest_setting(board.clock_mhz, _CLOCK_MHZ)
    top = board_verilog(board, config, setting, bit_cycles=BIT_CYCLES)
    check_verilog(folder)
    return f"{top}\n{read_verilog(folder)}\n{PLL_MODEL.read_text()}"


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
    source = Path(__file__).with_name("board.cpp")
    macros = (
        f"BIT_CYCLES={BIT_CYCLES}",
        f"GAP_CYCLES={GAP_CYCLES}L",
        f"BUSY_IDLE={int(board.pin('busy').inverted)}",
    )
    return compiled(
        Design(board.top, board_design(folder, board)),
        Program(source=source, text=source.read_text(), macros=macros),
        cache,
        tuning=FAST,
        environment=verilator(),
        limit=limit,
    )


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
