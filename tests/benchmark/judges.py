"""What the runs of the hardware benchmark say of each target, and whether it was reached.

A judge takes what the runs measured that its target needs, and returns a sentence for people and
whether the target was met. The targets themselves stand in ``tests.benchmark.rows``.
"""

from itertools import pairwise
from statistics import mean, median

from hw.estimate.area_model import predicted_lut
from hw.estimate.block_rams import memory_table
from hw.isa.core_config import CoreConfig
from tests.benchmark.networks import MEANS


__all__ = [
    "area",
    "array",
    "block",
    "clock",
    "codes",
    "curve",
    "even_count",
    "exact",
    "large_layers",
    "networks",
    "one_layer",
    "per_lane",
    "scaling",
    "speed",
    "times",
    "utilisation",
    "whole",
]


#: LUTs of FINN's matrix-vector unit ``mvu_vvu_axi`` (PE 8, SIMD 8, without DSPs) on the
#: same device and flow by the bits of its weights, with counts of 3 bits beside weights of 4 and of
#: 4 bits beside weights of 8; and its cycles for a vector of 64 inputs and 64 outputs. Measured
#: once, since its RTL is no part of this project.
FINN_LUT, FINN_CYCLES = {4: 6_828, 8: 10_813}, 64


def curve(layer, engine, dense):
    """Times that the event engine is better than the dense one, by mean count.

    Parameters
    ----------
    layer, engine, dense : dict
        Runs of a fixed layer, and of what was routed.

    Returns
    -------
    list of (float, float)
        Mean count, and LUTs times cycles of the dense engine over those of the event engine.
    """
    against = dense["lut"] * layer["dense_cycles"]
    return [
        (row["mean"], against / (engine["lut"] * row["cycles"]))
        for row in layer["rows"]
        if row["spikes"] == "recorded"
    ]


def _break_even(points):
    """Mean count at which the ratio falls to 1, between the points that were measured."""
    for (count, ratio), (next_count, next_ratio) in pairwise(points):
        if ratio >= 1 > next_ratio:
            return count + (next_count - count) * (ratio - 1) / (ratio - next_ratio)
    return points[-1][0] if points[-1][1] >= 1 else points[0][0]


def utilisation(run):
    """U of a whole network, everything included."""
    return mean(run["additions"]) / (mean(run["cycles"]) * run["lanes"])


def array(run):
    """Columns and lanes of a run, for people."""
    columns, lanes = run["array"]
    return f"{columns} x {lanes} lanes"


def networks(nano_core, tiny_core, nano_dense, tiny_dense, nano, tiny):
    """Each network by a core and a dense engine of its own widths, both after the same step."""
    ratios, texts = [], []
    for core, dense, run, key, step in (
        (nano_core, nano_dense, nano, "lut", "routed"),
        (tiny_core, tiny_dense, tiny, "synthesised_lut", "synthesised"),
    ):
        bits = core["config"]["weight_width"]
        if bits != dense["weight_width"]:
            raise ValueError(
                f"The core's weights of {bits} bits must be as wide as the dense "
                f"engine's, of {dense['weight_width']}"
            )
        ratios.append(
            dense[key] * sum(run["dense"]["cycles"].values()) / (core[key] * mean(run["cycles"]))
        )
        texts.append(
            f"{bits}-bit weights, {step}: {core[key]:,.0f} LUT, dense engine {dense[key]:,.0f} LUT"
        )
    return (
        f"{ratios[0]:.2f} and {ratios[1]:.2f} times lower ({array(nano)}; {'; '.join(texts)})",
        min(ratios) >= 3,
    )


def large_layers(nano, *layers):
    reached = [
        row["additions"] / (row["cycles"] * layer["lanes"])
        for layer in layers
        for row in layer["rows"]
        if row["spikes"] == "recorded" and row["mean"] in MEANS
    ]
    reached += [
        layer["additions"] / (layer["cycles"] * nano["lanes"])
        for layer in nano["layers"]
        if nano["fan_in"].get(layer["name"], 0) >= 256
    ]
    return (
        f"median {median(reached):.3f}, worst {min(reached):.3f} of {len(reached)} layers",
        median(reached) >= 0.95 and min(reached) >= 0.85,
    )


def whole(nano, tiny, narrow_nano, narrow_tiny):
    wide, narrow = [
        [utilisation(run) for run in pair] for pair in ((nano, tiny), (narrow_nano, narrow_tiny))
    ]
    text = (
        f"{narrow[0]:.3f} and {narrow[1]:.3f} ({array(narrow_nano)}, the first with weights on "
        f"chip), {wide[0]:.3f} and {wide[1]:.3f} ({array(nano)}, weights outside)"
    )
    return text, max(min(wide), min(narrow)) >= 0.75


def codes(counted):
    shares = [one["executed"] / one["thermometer"] for one in counted.values()]
    return (
        " and ".join(
            f"{share:.3f} (D = {one['max_count']})"
            for share, one in zip(shares, counted.values(), strict=True)
        ),
        shares[0] <= 0.8 and shares[1] <= 0.65,
    )


def per_lane(core, wider, column, wide):
    each = [[run["lut"] / run["lanes"] for run in pair] for pair in ((core, wider), (column, wide))]
    text = " and ".join(
        f"{most:.1f} ({array(first)}) to {least:.1f} ({array(second)})"
        for (most, least), first, second in zip(each, (core, column), (wider, wide), strict=True)
    )
    return text, min(each[0]) <= 48 and min(each[1]) <= 38


def clock(core, column):
    return (
        f"{core['fmax_mhz']:.0f} and {column['fmax_mhz']:.0f} MHz",
        core["fmax_mhz"] >= 120 and column["fmax_mhz"] >= 150,
    )


def one_layer(layer, engine, dense):
    cycles = (
        next(
            row["cycles"]
            for row in layer["rows"]
            if row["spikes"] == "recorded" and row["mean"] == 0.6
        )
        / layer["tokens"]
    )
    ours = engine["lut"] * cycles
    bits = dense["weight_width"]
    ratios = [
        FINN_LUT[bits] * FINN_CYCLES / ours,
        dense["lut"] * layer["dense_cycles"] / layer["tokens"] / ours,
    ]
    text = (
        f"{ratios[0]:.2f} and {ratios[1]:.2f} times lower ({bits}-bit weights, {array(layer)}, "
        f"{engine['lut']:,.0f} LUT, {cycles:.1f} cycles)"
    )
    return text, ratios[0] >= 9 and ratios[1] >= 4.5


def even_count(layer, engine, dense):
    points = curve(layer, engine, dense)
    even = _break_even(points)
    shown = ", ".join(f"{ratio:.2f} at {count:g}" for count, ratio in points)
    text = (
        f"up to {even:.2f} ({dense['weight_width']}-bit weights, {array(layer)}; times better: "
        f"{shown})"
    )
    return text, even >= 2.5


def block(block):
    used = block["block_additions"] / (block["block_cycles"] * block["lanes"])
    return (
        f"{block['block_cycles']:,.0f} (U {used:.3f}, {block['lanes']} lanes)",
        block["block_cycles"] <= 170_000,
    )


def exact(*runs):
    pairs = [
        pair for run in runs for pair in zip(run["cycles"], run["predicted_cycles"], strict=True)
    ]
    wrong = sum(measured != predicted for measured, predicted in pairs)
    mismatches = sum(run["mismatches"] for run in runs)
    text = (
        f"{len(pairs) - wrong} of {len(pairs)} images equal, every layer of each; "
        f"{sum(run['values'] for run in runs):,} values, {mismatches} mismatches"
    )
    return text, not wrong and not mismatches


def area(*cores):
    texts, met = [], True
    for core in cores:
        config = CoreConfig.from_dict(core["config"])
        lut = predicted_lut(config)
        blocks = sum(row["blocks"] for row in memory_table(config))
        off = lut / core["lut"] - 1
        texts.append(
            f"{lut:,.0f} of {core['lut']:,.0f} LUT ({off:+.1%}), "
            f"{blocks} of {core['bram']:.0f} blocks ({array(core)})"
        )
        met &= abs(off) <= 0.1 and blocks == core["bram"]
    return "; ".join(texts), met


def scaling(narrow, wide):
    factor = wide["lanes"] / narrow["lanes"]
    cycles = [mean(run["cycles"]) for run in (narrow, wide)]
    share = cycles[0] / cycles[1] / factor
    return f"{share:.1%} of linear, {cycles[0]:,.0f} to {cycles[1]:,.0f} cycles", share >= 0.9


def times(taken):
    return (
        f"{taken['dry_run']:.1f} s and {taken['verilog']:.1f} s",
        taken["dry_run"] <= 5 and taken["verilog"] <= 20,
    )


def speed(tiny):
    return f"{tiny['speed']:,.0f} cycles/s", tiny["speed"] >= 500_000
