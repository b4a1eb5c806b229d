"""The end of ``hw.build --target asic``: what golden expects, the steps, and the report."""

import sys

import golden
from golden.data.reading import InputError, read_regular

from ..asic.figures import FIGURES
from ..asic.implement import implement
from ..asic.liberty import find_liberty, read_liberty
from ..asic.sta import has_sta
from ..emit.build_directory import check_verilog, read_description
from ..emit.load_packets import packets
from ..reporting.build_figures import build_figures
from ..reporting.report import summary
from ..reporting.report import write as write_report
from ..tools.process import ToolError
from ..tools.verilator import verilator


__all__ = ["finish", "prepare"]


#: Most bytes of the Verilog of memories.
MAX_WRAPPER = 2**24


def prepare(options):
    """Read what the user names before anything is built.

    Parameters
    ----------
    options : Namespace
        Of ``hw.build``.

    Returns
    -------
    liberty : Liberty
    wrapper : str or None
        Verilog of the memories.

    Raises
    ------
    ValueError
        If there is no Liberty, or it is broken; or if the Verilog is no text.
    """
    liberty = read_liberty(find_liberty(options.liberty))
    wrapper = options.sram_wrapper
    if wrapper is None:
        return liberty, None
    try:
        text = read_regular(wrapper, MAX_WRAPPER).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{wrapper}: the Verilog of --sram-wrapper must be text in UTF-8"
        ) from None
    # As it is read back, which its digest is of.
    return liberty, text.replace("\r\n", "\n").replace("\r", "\n")


def finish(options, prog, plan, liberty, *, pictures, vectors=None, progress):
    """Map what was built to standard cells, report, and print what was found.

    Parameters
    ----------
    options : Namespace
        Of ``hw.build``.
    prog : str
        Name of the command.
    plan : Plan
    liberty : Liberty
    pictures : uint8 array, shape (pictures, height, width, channels), or None
        Whose power is measured.
    vectors : Vectors, optional
        Whose pictures are taken where there are no others.
    progress : callable
        Takes one sentence per step.

    Returns
    -------
    int
        Exit status: 3 for a clock that was missed with ``--strict-clock``.
    """
    folder = options.out
    check_verilog(folder)
    for name in ("report.json", "report.html", FIGURES):
        (folder / name).unlink(missing_ok=True)
    beats, logits, source = (), None, f"from {options.images}"
    if pictures is None and vectors is not None:
        try:
            verilator()
            pictures, source = vectors
        except ToolError as error:
            progress(f"power is left out: {error}")
    if plan.required.external or not has_sta():
        if plan.required.external:
            progress("power is left out: it takes a core whose weights lie on chip")
        pictures = None
    elif pictures is not None:
        progress(f"power is measured of {len(pictures)} pictures, {source}")
        beats = [beat for packet in packets(plan, plan.required) for beat in packet]
        logits = golden.run(plan.model, pictures).logits
    found = implement(
        folder,
        liberty,
        clock_mhz=options.clock,
        wrapped=options.sram_wrapper is not None,
        beats=beats,
        pictures=pictures,
        logits=logits,
        progress=progress,
    )
    figures = build_figures(read_description(folder), asic=found)
    write_report(folder, figures)
    for name, value in summary(figures):
        print(f"  {name}: {value}")
    timed = found["timing"]
    if timed is None or timed["slack_ns"] >= 0:
        return 0
    print(
        f"{prog}: the clock of {timed['clock_mhz']:g} MHz was missed: the longest path allows "
        f"{timed['fmax_mhz']:.1f} MHz; a lower --clock or another Liberty may do.",
        file=sys.stderr,
    )
    return 3 if options.strict_clock else 0
