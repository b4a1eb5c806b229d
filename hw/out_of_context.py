"""Routing for comparisons: a design alone, its ports no pins, the median of several seeds."""

import json
import os
from pathlib import Path
from statistics import median

from amaranth.back import verilog

from .devices import find_device
from .routing import place_and_route
from .synthesis import TOP, estimate, synthesise
from .verilog import library


__all__ = ["SEEDS", "route", "write_component"]


#: Seeds of the placer.
SEEDS = (1, 2, 3)

DEVICE = "ecp5-85k"


def write_component(component, folder):
    """Write an Amaranth component where ``route`` looks for an accelerator."""
    # Any other Yosys that the machine has would write other Verilog.
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    text = verilog.convert(component, name=TOP, emit_src=False)
    path = Path(folder) / "rtl" / f"{TOP}.v"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n{library()}")


def route(folder, *, clock_mhz=150.0, seeds=SEEDS):
    """Synthesise, place and route a folder's design for an ECP5-85F of speed grade 6.

    Parameters
    ----------
    folder : Path
        Holds ``rtl/accelerator.v`` and what it reads; receives ``routed.json``, which is taken as
        it is the next time.
    clock_mhz : float
        Frequency to aim at.
    seeds : sequence of int

    Returns
    -------
    dict
        ``lut``, ``ff``, ``bram`` and ``fmax_mhz``: medians. ``synthesised_lut``: tables before
        routing. ``dsp`` must be 0.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    folder = Path(folder)
    known = folder / "routed.json"
    if known.exists():
        return json.loads(known.read_text())
    synthesised = estimate(synthesise(folder))
    device = find_device(DEVICE)
    package = device.packages[-1][0]
    used = [place_and_route(folder, device=device, package=package, clock_mhz=clock_mhz, seed=seed,
                            out_of_context=True) for seed in seeds]
    figures = {key: median(getattr(one, key) for one in used)
               for key in ("lut", "ff", "bram", "dsp", "fmax_mhz")}
    figures |= {"synthesised_lut": synthesised["lut"], "seeds": list(seeds)}
    known.write_text(json.dumps(figures, indent=1) + "\n")
    return figures
