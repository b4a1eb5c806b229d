"""``python -m hw.area``: where the LUTs of a built accelerator go, engine by engine."""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from golden.cli.entry import enter
from golden.cli.options import output_folder
from golden.data.description import read_json

from .cli.command import guarded
from .emit.build_directory import check_verilog, read_description
from .fpga.synthesis import ECP5, TOP, WORK, estimate, run_yosys


__all__ = ["breakdown", "main"]


#: Engines by what follows ``accelerator.core.`` in a module's name, the first match counts.
ENGINES = (
    ("lanes: adders", r"array\.column_\d+\.lanes\.lane_\d+"),
    ("lanes: sums of banks and readout", r"array\.column_\d+\.lanes"),
    ("word reader", r"array\.column_\d+\.reader"),
    ("word queues", r"array\.column_\d+\.bank_\d+\.queue.*"),
    ("event encoders", r"array\.column_\d+\.bank_\d+\.encoder"),
    ("banks: row registers and attention memories", r"array\.column_\d+\.bank_\d+.*"),
    ("neurons", r"array\.readout_\d+\.firing\.neuron_\d+"),
    ("firing units", r"array\.readout_\d+\.firing"),
    ("packer", r"array\.readout_\d+\.packer"),
    ("result counters", r"array\.readout_\d+\.counters.*"),
    ("column: takes events", r"array\.column_\d+.*"),
    ("readout and residual memory", r"array\.readout_\d+.*"),
    ("array: bus and memory ports", r"array.*"),
    ("address generator", r"generator.*|windows.*"),
    ("sequencer", r"sequencer.*"),
    ("token sum", r"token_sum.*"),
    ("weight image", r"reader.*|buffers"),
    ("load port", r"loader.*"),
    ("pixels", r"writer"),
)
REST = "ports, counters, small memories"


def breakdown(folder, *, limit=3600):
    """LUTs and flip-flops per engine, synthesised without flattening.

    Optimisation across engines is left out, and so are the cells that routing adds to
    carry chains: the sum is within a few percent of a build's.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    limit : float
        Seconds that synthesis may take.

    Returns
    -------
    dict of str to dict
        ``lut`` and ``ff`` of all instances of each engine together.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    folder = Path(folder)
    (folder / WORK).mkdir(exist_ok=True)
    run_yosys(
        folder, f"{ECP5} -noflatten -top {TOP}", name="area", define="ADDEND_ECP5", limit=limit
    )
    modules = read_json(folder / WORK / "area.json", "the report of Yosys")["modules"]
    engines = {name: {"lut": 0, "ff": 0} for name, _ in ENGINES} | {REST: {"lut": 0, "ff": 0}}
    for name in modules:
        engine = _engine(name.lstrip("\\"))
        if engine is None:
            # A module that is instantiated often; its cells belong to whatever contains it.
            continue
        used = estimate(_cells(modules, name))
        for kind in ("lut", "ff"):
            engines[engine][kind] += used[kind]
    return engines


def _cells(modules, name):
    """Number of cells by type in a module, those of the library's modules in it among them."""
    cells = Counter()
    for kind, number in modules[name]["num_cells_by_type"].items():
        if kind not in modules:
            cells[kind] += number
        elif _engine(kind.lstrip("\\")) is None:
            for inner, count in _cells(modules, kind).items():
                cells[inner] += number * count
    return cells


def _engine(module):
    """Engine that a module belongs to, or None for a module of the library."""
    if not module.startswith(TOP):
        return None
    path = module.removeprefix(f"{TOP}.core.")
    for name, pattern in ENGINES:
        if re.fullmatch(pattern, path):
            return name
    return REST


def main(arguments=None, prog="python -m hw.area"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 2 for a folder that holds no accelerator; 3 for a tool that failed; 130 for
        Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description="Print LUTs and flip-flops per engine and per lane."
    )
    parser.add_argument(
        "folder", type=output_folder, metavar="DIR", help="build directory of hw.build"
    )
    options = parser.parse_args(arguments)
    return guarded(
        lambda: _print(options.folder),
        prog=prog,
        where=options.folder,
        interrupted="nothing was measured",
    )


def _print(folder):
    config = read_description(folder)["config"]
    check_verilog(folder)
    engines = breakdown(folder)
    lanes = config["columns"] * config["lanes"]
    print(f"{'':34} {'LUT':>6} {'FF':>6}   LUT/lane  FF/lane")
    total = {kind: sum(used[kind] for used in engines.values()) for kind in ("lut", "ff")}
    for name, used in [*engines.items(), ("together", total)]:
        if not used["lut"]:
            continue
        print(
            f"{name:34} {used['lut']:6} {used['ff']:6}   {used['lut'] / lanes:8.1f} "
            f"{used['ff'] / lanes:8.1f}"
        )


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m hw.area"))
