"""``python -m hw.report``: the figures of a build directory, as a table and as a page."""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from golden.cli.entry import enter
from golden.cli.options import output_folder
from golden.data.description import read_json
from golden.data.form import require_form
from golden.data.lock import alone_in

from .asic.figures import read_figures
from .cli.command import guarded
from .emit.build_directory import check_verilog, read_description
from .fpga.routing import Utilisation
from .reporting.build_figures import build_figures
from .reporting.report import summary, write


__all__ = ["main", "routed"]


#: What is taken from the report that ``hw.build`` left: of which Verilog it is, and what it takes.
FORM = {"verilog": str, "utilisation": {field.name: field.type for field in fields(Utilisation)}}


def routed(folder, description):
    """What routing measured of the accelerator that a build directory holds.

    Parameters
    ----------
    folder : Path
    description : dict
        What ``accelerator.json`` holds.

    Returns
    -------
    dict or None
        :meth:`hw.fpga.routing.Utilisation.as_dict`; None if this Verilog was not routed.

    Raises
    ------
    InputError
        If ``report.json`` is damaged.
    """
    path = Path(folder) / "report.json"
    if not path.exists():
        return None
    found = read_json(path, "the report")
    if "utilisation" not in found or found.get("verilog") != description["verilog"]:
        return None
    require_form(found, FORM, f"{path}: the report")
    return found["utilisation"]


def main(arguments=None, prog="python -m hw.report"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 2 for a folder that holds no accelerator; 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print what a build directory predicts and what routing measured, "
        "and write report.html and report.json into it.",
    )
    parser.add_argument(
        "folder", type=output_folder, metavar="DIR", help="build directory of hw.build"
    )
    options = parser.parse_args(arguments)
    return guarded(
        lambda: _run(options.folder),
        prog=prog,
        where=options.folder,
        interrupted="no report was written",
    )


def _run(folder):
    description = read_description(folder)
    check_verilog(folder)
    used = routed(folder, description)
    asic = read_figures(folder, description)
    figures = build_figures(description, used, bitstream=folder / "accelerator.bit", asic=asic)
    with alone_in(folder, "build"):
        write(folder, figures)
    for name, value in summary(figures):
        print(f"  {name}: {value}")
    if used is None and asic is None:
        print("  routing: not done; hw.build --target fpga does it")
    print(f"{folder / 'report.html'} has the same figures, and charts per layer")


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m hw.report"))
