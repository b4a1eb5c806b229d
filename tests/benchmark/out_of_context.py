"""Routing for comparisons: a design alone, its ports no pins, the median of several seeds."""

import hashlib
from pathlib import Path
from statistics import median

from golden.data.atomic import replacing
from golden.data.form import Each
from golden.data.sealed import read_kept, sealed_text
from hw.emit.build_directory import write
from hw.emit.contents import contents
from hw.emit.vectors import random_vectors
from hw.emit.verilog import convert
from hw.fpga.devices import find_device
from hw.fpga.routing import OUT_OF_CONTEXT_ROUTERS, PLACER, place_and_route
from hw.fpga.synthesis import TOP, estimate, synthesise
from hw.rtl.library import MEMORY, library


__all__ = ["DEVICE", "KEPT_FORM", "SEEDS", "route", "write_component", "write_core"]


#: Seeds of the placer.
SEEDS = (1, 2, 3)

DEVICE = "ecp5-85k"

#: What stands between the ports of a memory and its inside.
_INSIDE = ");\n`ifdef ADDEND_ECP5\n"

#: Form of ``routed.json``.
KEPT_FORM = {
    "asked": {
        "verilog": str,
        "seeds": [int],
        "clock_mhz": float,
        "routers": [[str]],
        "placer": str,
    },
    "figures": Each(float),
}


def write_component(component, folder):
    """Write an Amaranth component where ``route`` looks for an accelerator."""
    text = convert(component, name=TOP)
    path = Path(folder) / "rtl" / f"{TOP}.v"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n{library()}")


def write_core(plan, folder, *, memories=True):
    """Write the core of a plan there; cycles, which nobody asks for, are left out.

    Without `memories`, those are modules that synthesis knows nothing of but the ports.
    """
    cycles = {"from": "mean counts", "images": 0, "total": 0, "period": 0, "layers": {}}
    write(
        contents(plan, clock_mhz=100.0, cycles=cycles, vectors=random_vectors(plan.model)),
        folder,
    )
    if not memories:
        path, memory = Path(folder) / "rtl" / f"{TOP}.v", MEMORY.read_text()
        before, behind = path.read_text().split(memory)
        ports = memory[: memory.index(_INSIDE)].replace("module ", "(* blackbox *) module ", 1)
        path.write_text(f"{before}{ports});\nendmodule\n{behind}")


def route(folder, *, clock_mhz=25.0, seeds=SEEDS, routers=OUT_OF_CONTEXT_ROUTERS, placer=PLACER):
    """Synthesise, place and route a folder's design for an ECP5-85F of speed grade 6.

    Parameters
    ----------
    folder : Path
        Holds ``rtl/accelerator.v`` and what it reads; receives ``routed.json``, which is taken as
        it is while the Verilog is the same.
    clock_mhz : float
        Frequency to aim at: unless given, one that any design reaches, for who counts LUTs only.
        Far above what can be reached, routing takes long and gains nothing.
    seeds : sequence of int
        Without any, the design is only synthesised.
    routers, placer : sequence of tuple of str, str
        As for ``place_and_route``.

    Returns
    -------
    dict
        ``synthesised_lut`` and ``synthesised_bram``: before routing; ``lut``, ``ff``, ``bram``,
        ``dsp`` and ``fmax_mhz``: medians of the seeds.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    folder = Path(folder)
    verilog_text = (folder / "rtl" / f"{TOP}.v").read_bytes()
    asked = {
        "verilog": hashlib.sha256(verilog_text).hexdigest(),
        "seeds": list(seeds),
        "clock_mhz": clock_mhz,
        "routers": [list(router) for router in routers],
        "placer": placer,
    }
    kept = folder / "routed.json"
    known = read_kept(kept, "what was routed", KEPT_FORM)
    if known is not None and known["asked"] == asked:
        return known["figures"]
    cells = estimate(synthesise(folder))
    figures = {f"synthesised_{key}": cells[key] for key in ("lut", "bram")}
    if seeds:
        device = find_device(DEVICE)
        used = [
            place_and_route(
                folder,
                device=device,
                package=device.packages[-1][0],
                clock_mhz=clock_mhz,
                seed=seed,
                out_of_context=True,
                routers=routers,
                placer=placer,
            )
            for seed in seeds
        ]
        figures |= {
            key: median(getattr(one, key) for one in used)
            for key in ("lut", "ff", "bram", "dsp", "fmax_mhz")
        }
    with replacing(kept) as file:
        file.write(sealed_text({"asked": asked, "figures": figures}).encode())
    return figures
