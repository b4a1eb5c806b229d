"""What the runs of the hardware benchmark say of each target that compares with no baseline.

A judge takes what was found and the target's numbers, and returns a ``Part``: a sentence for
people, and whether the target was met. The targets themselves stand in ``tests.benchmark.rows``.
"""

from statistics import mean, median

from hw.estimate.area_model import predicted_lut
from hw.estimate.block_rams import memory_table
from hw.isa.core_config import CoreConfig
from tests.benchmark.layers import FIXED
from tests.benchmark.networks import MEANS, MODELS, NANO, SPARSE, TRAINED
from tests.benchmark.parts import Part, at_least, at_most, attempt, joined


__all__ = [
    "accuracies",
    "array",
    "block",
    "clock",
    "codes",
    "cycles",
    "demo",
    "energy",
    "large_layers",
    "luts",
    "per_lane",
    "predictions",
    "scaling",
    "speed",
    "times",
    "utilisation",
    "whole",
]


#: Both cores of cifar10-nano, and what their weights are.
CORES = {f"core-{NANO}-external": "external", f"core-{NANO}": "on chip"}


def utilisation(run):
    """U of a whole network, everything included."""
    return mean(run["additions"]) / (mean(run["cycles"]) * run["lanes"])


def array(run):
    """Columns and lanes of a run, for people."""
    columns, lanes = run["array"]
    return f"{columns} x {lanes} lanes"


def luts(found, external, on_chip, blocks):
    """Row 3."""

    def part(name, label, target):
        def lut():
            core = found[name]
            note = "" if "lut" in core else " synthesised, no device holds it"
            return at_most(label, core.get("lut", core["synthesised_lut"]), target, note=note)

        return attempt(label, lut)

    return joined(
        *(
            part(name, label, target)
            for (name, label), target in zip(CORES.items(), (external, on_chip), strict=True)
        ),
        attempt(
            "block RAMs",
            lambda: at_most("block RAMs", found[f"core-{NANO}"]["synthesised_bram"], blocks),
        ),
    )


def cycles(found, on_chip, external):
    """Row 4."""
    return joined(
        *(
            attempt(
                label,
                lambda label=label, name=name, target=target: at_most(
                    label, mean(found[name]["cycles"]), target
                ),
            )
            for label, name, target in (
                ("on chip", f"{NANO}-on-chip", on_chip),
                ("external", f"{NANO}-external", external),
            )
        )
    )


def clock(found, core, column):
    """Row 5: the core with weights on chip, or the other one where no device holds that."""

    def whole():
        name = next(name for name in reversed(CORES) if "fmax_mhz" in found[name])
        return at_least("core", found[name]["fmax_mhz"], core, form=".0f", note=f" ({CORES[name]})")

    def alone():
        return at_least("column", found["column"]["fmax_mhz"], column, form=".0f")

    return joined(attempt("core", whole), attempt("column", alone))


def block(found, target):
    """Row 8."""
    run = found["block"]
    used = run["block_additions"] / (run["block_cycles"] * run["lanes"])
    return at_most("", run["block_cycles"], target, note=f" (U {used:.3f}, {run['lanes']} lanes)")


def predictions(found, most):
    """Row 9."""
    return joined(
        attempt("cycles", lambda: _exact(found)), attempt("LUT", lambda: _area(found, most))
    )


def _exact(found):
    runs = [found[f"{name}-on-chip"] for name in MODELS]
    runs += [found[name] for name in (*(layer.name for layer in FIXED), "L1-4")]
    pairs = [
        pair for run in runs for pair in zip(run["cycles"], run["predicted_cycles"], strict=True)
    ]
    wrong = sum(measured != predicted for measured, predicted in pairs)
    mismatches = sum(run["mismatches"] for run in runs)
    text = (
        f"{len(pairs) - wrong} of {len(pairs)} images equal, every layer of each; "
        f"{sum(run['values'] for run in runs):,} values, {mismatches} mismatches"
    )
    return Part(text, met=not wrong and not mismatches)


def _area(found, most):
    """LUTs and block RAMs of the cores that were routed."""
    parts = []
    for name, label in CORES.items():
        core = found[name]
        if "lut" in core:
            config = CoreConfig.from_dict(core["config"])
            lut = predicted_lut(config)
            blocks = sum(row["blocks"] for row in memory_table(config))
            off = lut / core["lut"] - 1
            text = (
                f"{label} {lut:,.0f} of {core['lut']:,.0f} LUT ({off:+.1%}), "
                f"{blocks} of {core['bram']:.0f} block RAMs"
            )
            parts.append(Part(text, met=abs(off) <= most and blocks == core["bram"]))
    return joined(*parts)


def scaling(found, share):
    """Row 10."""
    narrow, wide = found["tiny-0"], found["tiny-1"]
    taken = [mean(run["cycles"]) for run in (narrow, wide)]
    reached = taken[0] / taken[1] / (wide["lanes"] / narrow["lanes"])
    note = f" of linear, {taken[0]:,.0f} to {taken[1]:,.0f} cycles"
    return at_least("", reached, share, form=".1%", note=note)


def speed(found, target):
    """Row 11."""
    return at_least("", found["tiny"]["speed"], target, form=",.0f", note=" cycles/s")


def demo(found, lut, rate):
    """Row 12."""
    run = found["demo"]
    return joined(
        at_most("LUT", run["lut"], lut),
        at_least("images/s", run["images_per_s"], rate, form=",.0f"),
    )


def accuracies(found, least, points, share):
    """Row 13: the most accurate network, and the one of fewest additions beside it."""

    def trained():
        run = found[f"accuracy-{TRAINED}"]
        note = f" of {run['images']:,} images"
        return at_least("nano-2", run["share"], least, form=".2%", note=note)

    def sparse():
        behind = found[f"accuracy-{TRAINED}"]["share"] - found[f"accuracy-{SPARSE}"]["share"]
        added = [mean(found[f"{name}-on-chip"]["additions"]) for name in (SPARSE, TRAINED)]
        return joined(
            at_most("nano-sparse", 100 * behind, points, form=".2f", note=" points behind"),
            at_most("additions", added[0] / added[1], share, form=".0%"),
        )

    return joined(
        attempt("nano-2", trained, exists=TRAINED in MODELS),
        attempt("nano-sparse", sparse, exists={TRAINED, SPARSE} <= set(MODELS)),
    )


def energy(found, least):
    """Row 14: no run takes the energy of a dense core yet."""
    return Part("not measured", met=False)


def large_layers(found, middle, worst):
    nano = found[f"{NANO}-on-chip"]
    reached = [
        row["additions"] / (row["cycles"] * found[name]["lanes"])
        for name in ("L2", "L3", "L4")
        for row in found[name]["rows"]
        if row["spikes"] == "recorded" and row["mean"] in MEANS
    ]
    reached += [
        layer["additions"] / (layer["cycles"] * nano["lanes"])
        for layer in nano["layers"]
        if nano["fan_in"].get(layer["name"], 0) >= 256
    ]
    return joined(
        at_least("median", median(reached), middle, form=".3f"),
        at_least("worst", min(reached), worst, form=".3f", note=f" of {len(reached)} layers"),
    )


def whole(found, target):
    return joined(
        *(
            attempt(
                label,
                lambda label=label, name=name: at_least(
                    label, utilisation(found[name]), target, form=".3f"
                ),
            )
            for label, name in (
                ("nano on chip", f"{NANO}-on-chip"),
                ("nano external", f"{NANO}-external"),
                ("T", "tiny"),
            )
        )
    )


def codes(found, *targets):
    return joined(
        *(
            at_most(
                f"D = {one['max_count']}:", one["executed"] / one["thermometer"], target, form=".3f"
            )
            for one, target in zip(found["codes"].values(), targets, strict=True)
        )
    )


def per_lane(found, core, column):
    return joined(
        *(
            attempt(
                label,
                lambda label=label, name=name, target=target: at_most(
                    label, found[name]["lut"] / found[name]["lanes"], target, form=".1f"
                ),
            )
            for label, name, target in (
                ("core", f"core-{NANO}-external", core),
                ("column", "column", column),
            )
        )
    )


def times(found, dry_run, verilog):
    taken = found["times"]
    return joined(
        at_most("dry run", taken["dry_run"], dry_run, form=".1f", note=" s"),
        at_most("Verilog", taken["verilog"], verilog, form=".1f", note=" s"),
    )
