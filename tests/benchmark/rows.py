"""The targets of ``tests.benchmark.hardware``: what the runs say about each of them."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median

from hw.estimate.area_model import predicted_lut
from hw.estimate.block_rams import memory_table
from hw.isa.core_config import CoreConfig
from tests.benchmark.networks import ENGINES as LAYER_ENGINES
from tests.benchmark.networks import MEANS

from . import layers as bench_layers


__all__ = ["ENGINES", "FIXED", "Row", "array", "curve", "rows", "utilisation"]


#: LUTs of FINN's matrix-vector unit ``mvu_vvu_axi`` (PE 8, SIMD 8, without DSPs) on the
#: same device and flow by the bits of its weights, with counts of 3 bits beside weights of 4 and of
#: 4 bits beside weights of 8; and its cycles for a vector of 64 inputs and 64 outputs. Measured
#: once, since its RTL is no part of this project.
FINN_LUT, FINN_CYCLES = {4: 6_828, 8: 10_813}, 64

FIXED = tuple(layer.name for layer in bench_layers.FIXED)
#: Runs of the engines that are built for one fixed layer.
ENGINES = tuple(f"{name}-engine" for name in LAYER_ENGINES)


@dataclass(frozen=True)
class Row:
    """A target, and how far it was reached.

    Parameters
    ----------
    number : int
    what, target, measured : str
    met : bool or None
        None where it was not measured.
    """

    number: int
    what: str
    target: str
    measured: str
    met: bool | None


def rows(found):
    """All rows, in order.

    Parameters
    ----------
    found : dict of str to dict
        By run, as ``bench_keep.measure`` returns them; runs may be missing.

    Returns
    -------
    list of Row
    """
    return [_row(number, found, *entry) for number, entry in enumerate(_ROWS, start=1)]


def _row(number, found, what, target, judge, *needed):
    if any(name not in found for name in needed):
        return Row(number, what, target, "not measured", None)
    measured, met = judge(*(found[name] for name in needed))
    return Row(number, what, target, measured, met)


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


def _networks(nano_core, tiny_core, nano_dense, tiny_dense, nano, tiny):
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


def _large_layers(nano, *layers):
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


def _whole(nano, tiny, narrow_nano, narrow_tiny):
    wide, narrow = [
        [utilisation(run) for run in pair] for pair in ((nano, tiny), (narrow_nano, narrow_tiny))
    ]
    text = (
        f"{narrow[0]:.3f} and {narrow[1]:.3f} ({array(narrow_nano)}, the first with weights on "
        f"chip), {wide[0]:.3f} and {wide[1]:.3f} ({array(nano)}, weights outside)"
    )
    return text, max(min(wide), min(narrow)) >= 0.75


def _codes(codes):
    shares = [one["executed"] / one["thermometer"] for one in codes.values()]
    return (
        " and ".join(
            f"{share:.3f} (D = {one['max_count']})"
            for share, one in zip(shares, codes.values(), strict=True)
        ),
        shares[0] <= 0.8 and shares[1] <= 0.65,
    )


def _per_lane(core, wider, column, wide):
    each = [[run["lut"] / run["lanes"] for run in pair] for pair in ((core, wider), (column, wide))]
    text = " and ".join(
        f"{most:.1f} ({array(first)}) to {least:.1f} ({array(second)})"
        for (most, least), first, second in zip(each, (core, column), (wider, wide), strict=True)
    )
    return text, min(each[0]) <= 48 and min(each[1]) <= 38


def _clock(core, column):
    return (
        f"{core['fmax_mhz']:.0f} and {column['fmax_mhz']:.0f} MHz",
        core["fmax_mhz"] >= 120 and column["fmax_mhz"] >= 150,
    )


def _one_layer(layer, engine, dense):
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


def _curve(layer, engine, dense):
    points = curve(layer, engine, dense)
    even = _break_even(points)
    shown = ", ".join(f"{ratio:.2f} at {count:g}" for count, ratio in points)
    text = (
        f"up to {even:.2f} ({dense['weight_width']}-bit weights, {array(layer)}; times better: "
        f"{shown})"
    )
    return text, even >= 2.5


def _block(block):
    used = block["block_additions"] / (block["block_cycles"] * block["lanes"])
    return (
        f"{block['block_cycles']:,.0f} (U {used:.3f}, {block['lanes']} lanes)",
        block["block_cycles"] <= 170_000,
    )


def _exact(*runs):
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


def _area(*cores):
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


def _scaling(narrow, wide):
    factor = wide["lanes"] / narrow["lanes"]
    cycles = [mean(run["cycles"]) for run in (narrow, wide)]
    share = cycles[0] / cycles[1] / factor
    return f"{share:.1%} of linear, {cycles[0]:,.0f} to {cycles[1]:,.0f} cycles", share >= 0.9


def _times(times):
    return (
        f"{times['dry_run']:.1f} s and {times['verilog']:.1f} s",
        times["dry_run"] <= 5 and times["verilog"] <= 20,
    )


def _speed(tiny):
    return f"{tiny['speed']:,.0f} cycles/s", tiny["speed"] >= 500_000


_ROWS = (
    (
        (
            "LUT x cycles per image, cifar10-nano and E-SpikeFormer-T, "
            "against dense engines of their widths"
        ),
        ">= 3 times lower",
        _networks,
        "routed-wider",
        "synthesised-tiny",
        "routed-dense-nano",
        "synthesised-dense-tiny",
        "nano-wider",
        "tiny-wider",
    ),
    (
        "U of layers with >= 256 inputs, recorded spikes",
        "median >= 0.95, worst >= 0.85",
        _large_layers,
        "nano-on-chip",
        "L2",
        "L3",
        "L4",
    ),
    (
        "U of cifar10-nano and of E-SpikeFormer-T, everything included",
        ">= 0.75",
        _whole,
        "nano",
        "tiny",
        "nano-narrow",
        "tiny-narrow",
    ),
    (
        "additions executed over thermometer additions, trained models",
        "<= 0.80 (D = 4), <= 0.65 (D = 8)",
        _codes,
        "codes",
    ),
    (
        "LUT per lane of the complete core, and of a column",
        "<= 48 and <= 38",
        _per_lane,
        "routed-core",
        "routed-wider",
        "routed-column",
        "routed-column-wide",
    ),
    (
        "Fmax of the complete core, and of a column",
        ">= 120 and >= 150 MHz",
        _clock,
        "routed-core",
        "routed-column",
    ),
    (
        (
            "LUT x cycles of a 64 x 64 layer at mean count 0.6, "
            "against FINN's MVU and the dense engine"
        ),
        ">= 9 and >= 4.5 times lower",
        _one_layer,
        "L1-engine",
        "routed-L1",
        "routed-dense",
    ),
    (
        "mean count up to which the event engine beats the dense one (L2)",
        ">= 2.5",
        _curve,
        "L2-engine",
        "routed-L2",
        "routed-dense",
    ),
    (
        "cycles of a block: 64 tokens, 384 channels, 12 heads, MLP 1536",
        "<= 170,000 (512 lanes)",
        _block,
        "block",
    ),
    (
        "predicted cycles against RTL",
        "equal, every layer",
        _exact,
        "nano-on-chip",
        "nano-narrow",
        *FIXED,
        *ENGINES,
    ),
    (
        "predicted LUT and blocks against routing",
        "<= 10 % and exact",
        _area,
        "routed-core",
        "routed-wider",
    ),
    ("E-SpikeFormer-T from 16 to 256 lanes", ">= 90 % of linear", _scaling, "tiny-0", "tiny-1"),
    ("dry run and Verilog of E-SpikeFormer-T", "<= 5 s and <= 20 s", _times, "times"),
    ("simulation of the whole core at 64 lanes", ">= 500,000 cycles/s", _speed, "tiny"),
)
