"""The steps of ``--target asic``, and ``asic.json``, which holds what they found."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np

from golden.data.atomic import replacing
from hw.emit.build_directory import MEMORIES, read_verilog
from hw.emit.licence import LICENCE
from hw.emit.sram import sram_sizes
from hw.tools.process import ToolError

from .area import CORE, areas
from .checks import check_gates
from .figures import FIGURES
from .netlist import cell_nets, cell_pins
from .power import power
from .simulation import build_simulator, run_pictures
from .sta import STA_PACKAGE, has_sta, sram_liberty, timing
from .synthesis import WORK, cell_modules, require_wrapper, synthesise


__all__ = ["implement"]


def implement(
    folder,
    liberty,
    *,
    clock_mhz,
    wrapped=False,
    beats=(),
    pictures=None,
    logits=None,
    progress=print,
):
    """Map a core to standard cells, check it, and measure area, timing and power.

    Parameters
    ----------
    folder : Path
        Build directory, of ``hw.emit.contents.contents`` with ``asic``.
    liberty : Liberty
    clock_mhz : float
        Clock to aim at, and that power is of.
    wrapped : bool
        Whether the user wrote the memories' Verilog.
    beats : list of int
        What loads the model.
    pictures : uint8 array, shape (pictures, height, width, channels), optional
        Whose power is measured, by a simulation of the netlist; without them it is not.
    logits : int64 array, shape (pictures, classes), optional
        What golden has for the pictures, and the netlist must have.
    progress : callable
        Takes one sentence per step.

    Returns
    -------
    dict
        What ``asic.json`` holds: ``licence``, ``liberty``, ``verilog`` (its digest),
        ``clock_mhz``, ``area``, ``modules`` (see ``hw.asic.area.areas``), ``memories``, ``checks``
        (see ``hw.asic.checks.check_gates``), ``timing`` (see ``hw.asic.sta.timing``; None without
        OpenSTA) and ``power``, a list with an entry per picture, or None.

    Raises
    ------
    ToolError
        If a tool is missing or fails, a check finds something, or the netlist has other logits.
    """
    folder = Path(folder)
    # Those of an earlier build must not be taken for this one's.
    (folder / FIGURES).unlink(missing_ok=True)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    verilog = read_verilog(folder)
    sizes = sram_sizes(verilog)
    if wrapped:
        progress(f"checking the memories of {MEMORIES}")
        require_wrapper(folder, sizes)
    progress(f"mapping to the {len(liberty.cells)} cells of {liberty.name}")
    steps = synthesise(folder, liberty, sizes, clock_mhz=clock_mhz)
    checks = check_gates(steps["gates"], steps["modules"])
    memories = _check_netlist(folder, steps["netlist"], liberty, sizes, checks)
    modules = areas(steps["netlist"], steps["modules"], liberty)
    (folder / WORK / "sram.lib").write_text(sram_liberty(sizes, liberty.voltage))
    figures = {
        "licence": LICENCE,
        "liberty": {"name": liberty.name, "sha256": liberty.sha256},
        "verilog": hashlib.sha256(verilog.encode()).hexdigest(),
        "clock_mhz": clock_mhz,
        "area": {
            "total": modules[CORE]["total_area"],
            "cells": sum(own["cells"] for own in modules.values()),
            "flip_flops": checks["flip_flops"],
        },
        "modules": modules,
        "memories": [
            {"module": size.module, "words": size.depth, "bits": size.width, "count": count}
            for size, count in sizes.items()
        ],
        "checks": checks,
        "timing": None,
        "power": None,
    }
    if has_sta():
        progress("timing the netlist")
        figures["timing"] = timing(folder, liberty, memories, clock_mhz=clock_mhz)
        if pictures is not None:
            progress(f"simulating the netlist with {len(pictures)} pictures")
            pins = cell_pins((folder / WORK / "netlist.v").read_text())
            nets = cell_nets(pins, liberty.cells)
            runs = _checked_runs(folder, nets, beats, pictures, logits)
            progress("measuring power")
            figures["power"] = [
                _power_of(folder, liberty, pins, run, clock_mhz, index)
                for index, run in enumerate(runs)
            ]
    else:
        progress(
            "timing and power are left out, since OpenSTA was not found: install it with "
            f"`apt-get install {STA_PACKAGE}`"
        )
    with replacing(folder / FIGURES) as file:
        file.write((json.dumps(figures, indent=2) + "\n").encode())
    return figures


def _check_netlist(folder, netlist, liberty, sizes, checks):
    """Names of the memories' instances, after the netlist was found to be cells and these alone."""
    kinds = Counter(cell["type"] for cell in netlist["cells"].values())
    kinds.pop("$scopeinfo", None)
    wanted = {size.module: count for size, count in sizes.items()}
    foreign = {kind for kind in kinds if kind not in liberty.cells} - set(wanted)
    if foreign:
        raise ToolError(f"The netlist must be of the Liberty's cells, and has {min(foreign)}")
    if latches := liberty.of_kind("latch") & set(kinds):
        raise ToolError(f"The netlist must have no latch, and has {min(latches)}")
    found = sum(kinds[name] for name in liberty.of_kind("ff"))
    if found != checks["flip_flops"]:
        raise ToolError(
            f"The netlist must have the {checks['flip_flops']} flip-flops that were checked, and "
            f"has {found}"
        )
    if {name: kinds[name] for name in wanted} != wanted:
        raise ToolError(f"The netlist must have every memory of the core, {wanted}")
    modelled = cell_modules((folder / WORK / "cells.v").read_text())
    if modelled != set(kinds) - set(wanted):
        raise ToolError("Every cell of the netlist must have a model, and no other cell one")
    return [name for name, cell in netlist["cells"].items() if cell["type"] in wanted]


def _checked_runs(folder, nets, beats, pictures, logits):
    """Runs of the netlist, whose logits are those of golden."""
    program = build_simulator(folder, nets=nets)
    runs = run_pictures(program, beats, pictures)
    for index, run in enumerate(runs):
        if logits is not None and not np.array_equal(run.logits, logits[index]):
            raise ToolError(
                f"The netlist must have the logits {logits[index].tolist()} for picture {index}, "
                f"and has {run.logits.tolist()}"
            )
    return runs


def _power_of(folder, liberty, pins, run, clock_mhz, index):
    """Power and energy of a picture."""
    found = power(folder, liberty, pins, run.activity, clock_mhz=clock_mhz, name=f"power.{index}")
    return {
        "cycles": run.cycles,
        "additions": run.additions,
        **found,
        # Milliwatts times cycles divided by megahertz are nanojoules.
        "microjoules": found["milliwatts"] * run.cycles / clock_mhz / 1e3,
    }
