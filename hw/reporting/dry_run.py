"""What a build will be, before anything is built: sizes, memory, cycles, and who would win."""

from math import prod

from golden.model.shapes import shapes

from ..baseline.dense_engine import DenseSize
from ..baseline.work import dense_work
from ..estimate.area_model import dense_lut, predicted_lut
from ..estimate.block_rams import memory_table, require_memory
from ..isa.weight_image import image_length
from .report import lane_utilisation, prediction


__all__ = ["dry_run"]


#: Terms per dot product and cycle of the dense engine that a core is compared with, at most.
DENSE_INPUTS = 8


def dry_run(plan, device, clock_mhz, cycles):
    """Lines for people.

    Parameters
    ----------
    plan : Plan
    device : Device
    clock_mhz : float
    cycles : dict
        What ``predicted_cycles`` of ``hw.estimate.predicted_cycles`` returned.

    Returns
    -------
    list of str
    """
    required = plan.required
    array = f"{required.columns} columns of {required.lanes} lanes"
    code = f"{required.spike_code.value} code, D = {required.max_count}"
    lines = [f"{plan.model.name}: {array}, {code}", "", "widths (bits)"]
    lines += [
        f"  {name:12} {getattr(required, f'{name}_width'):6}"
        for name in ("weight", "accumulator", "residual", "sum", "shift")
    ]
    lines += [
        "",
        *_memory(plan, device),
        "",
        *_layers(plan, clock_mhz, cycles),
        *_attention(plan.model),
    ]
    try:
        require_memory(device, required)
    except ValueError as error:
        lines += ["", f"{error}."]
    return lines


def _memory(plan, device):
    required, rows = plan.required, memory_table(plan.required)
    lines = ["memory         width   depth  copies  block RAMs"]
    lines += [
        f"  {row['name']:12} {row['width']:5} {row['depth']:7} {row['copies']:7} {row['blocks']:7}"
        for row in rows
    ]
    blocks = sum(row["blocks"] for row in rows)
    lines.append(
        f"  {'together':12} {'':5} {'':7} {'':7} {blocks:7} of {device.bram} on {device.name}"
    )
    lut = predicted_lut(required)
    lines.append(
        f"\nLUTs: some {lut:,.0f} of {device.lut:,}, "
        f"{lut / (required.columns * required.lanes):.0f} per lane"
    )
    if required.external:
        size = image_length(plan) * required.bus_width // 8
        lines.append(
            f"\nexternal memory: {size} bytes, read once per image over {required.bus_width} bits"
        )
    return lines


def _layers(plan, clock_mhz, cycles):
    required = plan.required
    lanes = required.columns * required.lanes
    dense = DenseSize.beside(required, inputs=DENSE_INPUTS)
    works = dense_work(plan.model, dense)
    luts = dense_lut(dense) / predicted_lut(required)
    head = (
        f"cycles and additions per image, {prediction(cycles)}; U = additions / "
        f"(cycles x {lanes} lanes);"
    )
    lines = [
        head,
        (
            "advantage: LUTs x cycles of a dense engine of as many products, of "
            f"{dense.count_width}-bit counts and {dense.weight_width}-bit weights, over ours"
        ),
    ]
    total, lost = 0, []
    for name, layer in cycles["layers"].items():
        share = lane_utilisation(**layer, lanes=lanes)
        line = f"  {name:32} {layer['cycles']:9.0f} {layer['additions']:11.0f}  U {share:5.3f}"
        if name in works:
            taken = works[name].cycles(dense)
            total += taken
            advantage = luts * taken / layer["cycles"]
            line += f"  advantage {advantage:5.2f}"
            if advantage < 1:
                lost.append(name)
                line += ", dense wins"
        lines.append(line)
    additions = sum(layer["additions"] for layer in cycles["layers"].values())
    used = lane_utilisation(additions=additions, cycles=cycles["total"], lanes=lanes)
    rate = clock_mhz * 1e6 / cycles["period"]
    lines.append(
        f"  {'whole image':32} {cycles['total']:9.0f} {additions:11.0f}  U {used:5.3f}  "
        f"advantage {luts * total / cycles['total']:5.2f}"
    )
    lines.append(
        f"  at {clock_mhz:g} MHz: latency {cycles['total'] / clock_mhz / 1e3:.3f} ms, "
        f"{rate:.{0 if rate >= 100 else 2}f} images/s, each entering while the one before "
        "is computed"
    )
    lines.append(f"  spikes win in {len(works) - len(lost)} of {len(works)} layers")
    return lines


def _attention(model):
    """Products of both orders of the attentions, of which the core computes the first."""
    known, lines = shapes(model), []
    for layer in model.layers:
        if layer.KIND == "key_value":
            heads, dk, dv = known[layer.name]
            tokens = prod(known[layer.keys][1:])
            first, second = 2 * tokens * heads * dk * dv, tokens**2 * heads * (dk + dv)
            cheaper = "kv" if first <= second else "qk"
            lines.append(f"  {layer.name:32} {first:12,} {second:12,}  {cheaper} is cheaper")
    if lines:
        lines[:0] = ["", f"{'attention: products by order':34} {'q(kv), built':>12} {'(qk)v':>12}"]
    return lines
