"""From a build directory to a bitstream for a board, with the fastest clock that was routed."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..fpga.routing import Utilisation, pack, place_and_route
from ..fpga.synthesis import estimate, synthesise
from .pll import PllSetting, highest_setting
from .top import board_verilog


__all__ = ["MARGIN", "BoardBuild", "implement_board"]


#: Part of the routed frequency that the clock may have.
MARGIN = Fraction(95, 100)
#: Clocks that are tried at most.
MOST_ROUTINGS = 8
#: Clock that the first routing has, in MHz.
FIRST_MHZ = 50


@dataclass(frozen=True, kw_only=True)
class BoardBuild:
    """What was built for a board.

    Parameters
    ----------
    utilisation : Utilisation
    setting : PllSetting
    bitstream : Path
    routings : int
        Clocks that were tried.
    """

    utilisation: Utilisation
    setting: PllSetting
    bitstream: Path
    routings: int


def implement_board(folder, board, config, *, seed=1, pins=None, progress=print):
    """Builds top module, constraints and bitstream of a board.

    The clock is the highest one that the PLL makes which is at most ``MARGIN`` of the frequency
    that routing reached. It is part of what is routed, and so routed again until it is met, and
    raised again until a routing does not meet it.

    Parameters
    ----------
    folder : Path
        Build directory.
    board : Board
    config : CoreConfig
    seed : int
        Of the placer.
    pins : str, optional
        Text of constraints in place of those of the board.
    progress : callable
        Takes one sentence per step.

    Returns
    -------
    BoardBuild

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    ValueError
        If the core does not fit, or no clock is met.
    """
    folder = Path(folder)
    # The bitstream of an earlier build must not be taken for that of a build which fails.
    (folder / f"{board.top}.bit").unlink(missing_ok=True)
    constraints = board.constraints() if pins is None else pins
    if pins is None:
        (folder / f"{board.top}.lpf").write_text(constraints)
    setting, best, tried = highest_setting(board.clock_mhz, FIRST_MHZ), None, {}
    while setting not in tried and len(tried) < MOST_ROUTINGS:
        progress(f"routing {len(tried) + 1} for {board.name}, at {float(setting.mhz):.2f} MHz")
        used = _routed(folder, board, config, setting, constraints, seed)
        found = highest_setting(board.clock_mhz, MARGIN * Fraction(used.fmax_mhz))
        tried[setting] = used
        if setting.mhz <= found.mhz:
            best = setting
        elif best is not None and found.mhz <= best.mhz:
            break
        setting = found
    if best is None:
        raise ValueError(
            f"The clock of {board.name} must be met within {MOST_ROUTINGS} routings, and was not: "
            "another --seed or a smaller array may do"
        )
    if best != list(tried)[-1]:
        progress(f"routing again for {board.name}, at {float(best.mhz):.2f} MHz")
        tried[best] = _routed(folder, board, config, best, constraints, seed)
    progress("writing the bitstream")
    return BoardBuild(
        utilisation=tried[best],
        setting=best,
        bitstream=pack(folder, top=board.top, options=board.pack_options),
        routings=len(tried),
    )


def _routed(folder, board, config, setting, constraints, seed):
    """What the top module takes with a setting of the PLL, synthesised and routed."""
    (folder / "board").mkdir(exist_ok=True)
    (folder / "board" / f"{board.top}.v").write_text(board_verilog(board, config, setting))
    cells = synthesise(folder, top=board.top)
    board.device.require(**estimate(cells), advice=board.advice)
    return place_and_route(
        folder,
        device=board.device,
        package=board.package,
        clock_mhz=float(setting.mhz),
        seed=seed,
        top=board.top,
        speed=board.speed,
        pins=constraints,
    )
