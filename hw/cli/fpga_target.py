"""The last step of ``hw.build``: a bitstream of what was built, and its report."""

import sys

from golden.data.limits import MAX_JSON
from golden.data.reading import read_regular

from ..boards.board import find_board
from ..boards.implement import implement_board
from ..boards.usage import usage
from ..emit.build_directory import check_memory_images, check_verilog, read_description
from ..fpga.routing import implement
from ..isa.core_config import CoreConfig
from ..reporting.build_figures import build_figures
from ..reporting.report import summary
from ..reporting.report import write as write_report


__all__ = ["route"]


def route(options, prog, device):
    """Routes what was built, for a device or a board, and reports.

    Parameters
    ----------
    options : argparse.Namespace
        Of ``hw.build``.
    prog : str
        Name of the command, for what is said on standard error.
    device : Device

    Returns
    -------
    int
        Exit status of the command.
    """
    folder = options.out
    check_memory_images(folder)
    check_verilog(folder)
    # Those of an earlier build must not be taken for this one's.
    for name in ("report.json", "report.html"):
        (folder / name).unlink(missing_ok=True)
    pins = None
    if options.pins is not None:
        pins = read_regular(options.pins, MAX_JSON).decode("utf-8", "replace")
    description = read_description(folder)
    common = {"seed": options.seed, "pins": pins, "progress": lambda text: print(text, flush=True)}
    lines, more = [], {}
    if options.board is None:
        used = implement(folder, device=device, clock_mhz=options.clock, **common)
        bitstream = folder / "accelerator.bit"
    else:
        board = find_board(options.board)
        built = implement_board(
            folder, board, CoreConfig.from_dict(description["config"]), **common
        )
        used, bitstream = built.utilisation, built.bitstream
        more = {"board": board.name, "pll_mhz": float(built.setting.mhz)}
        lines = usage(board, description["image_shape"], description["classes"])
    figures = build_figures(description, used.as_dict() | more, bitstream=bitstream)
    write_report(folder, figures)
    for name, value in summary(figures):
        print(f"  {name}: {value}")
    print("\n".join(lines), end="\n" if lines else "")
    if figures["clock_met"]:
        return 0
    print(
        f"{prog}: the clock of {used.clock_mhz:g} MHz was missed: routing reached "
        f"{used.fmax_mhz:.1f} MHz; another --seed, a smaller array or a lower --clock may do.",
        file=sys.stderr,
    )
    return 3 if options.strict_clock else 0
