"""What the runs say of rows that compare: LUT x cycles, and LUT x time, of a baseline over ours."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import mean

from tests.benchmark.networks import MODELS, NANO, SPARSE, TINY_BITS
from tests.benchmark.parts import at_least, attempt, joined


__all__ = ["curve", "even_count", "in_time", "networks", "networks_complete", "one_layer", "ratio"]


@dataclass(frozen=True)
class Ratio:
    """Of a baseline over ours.

    Parameters
    ----------
    cycles : float
        In LUT x cycles.
    time : float or None
        In LUT x time; ``None`` where one of both was not routed.
    luts : str
        LUTs of both, and by which step.
    """

    cycles: float
    time: float | None
    luts: str

    @property
    def note(self):
        """What stands behind the figure in cycles."""
        in_time = "" if self.time is None else f", {self.time:.2f} in time"
        return f" ({self.luts}{in_time})"


def ratio(core, cycles, baseline, baseline_cycles, *, clock=None):
    """A core and a baseline of its own widths, both after the same step.

    Parameters
    ----------
    core, baseline : dict
        What was routed, or only synthesised.
    cycles, baseline_cycles : float
    clock : dict, optional
        What was routed in place of a core that was not, for its frequency.

    Raises
    ------
    ValueError
        If their weights are not equally wide.
    """
    bits = core["config"]["weight_width"] if "config" in core else baseline["weight_width"]
    if bits != baseline["weight_width"]:
        raise ValueError(
            f"The core's weights of {bits} bits must be as wide as the baseline's, "
            f"of {baseline['weight_width']}"
        )
    routed = "lut" in core and "lut" in baseline
    key, step = ("lut", "routed") if routed else ("synthesised_lut", "synthesised")
    in_cycles = baseline[key] * baseline_cycles / (core[key] * cycles)
    clocked = core if "fmax_mhz" in core else clock
    time = None
    if clocked is not None and "fmax_mhz" in baseline:
        time = in_cycles * clocked["fmax_mhz"] / baseline["fmax_mhz"]
    return Ratio(in_cycles, time, f"{core[key]:,.0f} LUT to {baseline[key]:,.0f}, {step}")


def _network(found, name, complete):
    """A trained network, weights on chip; its clock is the external core's where it must be."""
    run, core = found[f"{name}-on-chip"], found[f"core-{name}"]
    baseline = found[f"dense-core-{name}" if complete else f"dense-{run['weight_width']}"]
    key = "dense_core_cycles" if complete else "dense_cycles"
    return ratio(core, mean(run["cycles"]), baseline, run[key], clock=_clocked(found, name))


def _clocked(found, name):
    """The core of a network that was routed: with weights on chip, or else outside."""
    core = found[f"core-{name}"]
    return core if "fmax_mhz" in core else found[f"core-{NANO}-external"]


def _trained(found, label, name, target, *, complete=False):
    def part():
        one = _network(found, name, complete)
        return at_least(label, one.cycles, target, note=one.note)

    return attempt(label, part, exists=name in MODELS)


def networks(found, nano, sparse, tiny):
    """Row 1: against the bare array."""

    def drawn():
        core, baseline = found["core-tiny-alone"], found[f"dense-{TINY_BITS}"]
        ratios = [
            ratio(one, mean(found[run]["cycles"]), baseline, found[run]["dense_cycles"])
            for one, run in (
                (core, "tiny-drawn"),
                (core, "tiny"),
                (found["core-tiny"], "tiny-drawn"),
            )
        ]
        note = (
            f" ({ratios[0].luts}, without memories; with its own weights' counts "
            f"{ratios[1].cycles:.2f}; with the multiplexers of its memories, "
            f"{found['core-tiny']['synthesised_lut']:,.0f} LUT, {ratios[2].cycles:.2f})"
        )
        return at_least("T", ratios[0].cycles, tiny, note=note)

    return joined(
        _trained(found, "nano", NANO, nano),
        _trained(found, "nano-sparse", SPARSE, sparse),
        attempt("T", drawn),
    )


def in_time(found, nano):
    """Row 1b."""

    def part():
        one = _network(found, NANO, complete=False)
        clock = _clocked(found, NANO)
        on_chip = clock is found[f"core-{NANO}"]
        outside = "" if on_chip else " of the core with weights outside"
        dense = found[f"dense-{found[f'{NANO}-on-chip']['weight_width']}"]
        note = f" ({clock['fmax_mhz']:.0f} MHz{outside} to {dense['fmax_mhz']:.0f})"
        return at_least("nano", one.time, nano, note=note)

    return attempt("nano", part)


def networks_complete(found, nano, sparse):
    """Row 2: against the complete dense core."""
    return joined(
        _trained(found, "nano", NANO, nano, complete=True),
        _trained(found, "nano-sparse", SPARSE, sparse, complete=True),
    )


def one_layer(found, finn_8, dense_8, finn_4, dense_4):
    """Row 6: L1 at a mean count of 0.6, in both widths of weights."""

    def width(bits, finn_target, dense_target):
        def part():
            layer, engine = found["L1" if bits == 8 else f"L1-{bits}"], found[f"engine-L1-{bits}"]
            cycles = next(
                row["cycles"]
                for row in layer["rows"]
                if row["spikes"] == "recorded" and row["mean"] == 0.6
            )
            known, dense = found["finn"][str(bits)], found[f"dense-{bits}"]
            finn = known["figures"]
            by_finn = ratio(engine, cycles, finn, finn["cycles"] * layer["tokens"])
            source = f"{by_finn.note}, FINN {known['commit'][:7]} of {known['date']}"
            by_dense = ratio(engine, cycles, dense, layer["dense_cycles"])
            return joined(
                at_least(f"{bits} bits: FINN", by_finn.cycles, finn_target, note=source),
                at_least("dense", by_dense.cycles, dense_target, note=by_dense.note),
            )

        return attempt(f"{bits} bits", part)

    return joined(width(8, finn_8, dense_8), width(4, finn_4, dense_4))


def curve(layer, core, baseline, baseline_cycles):
    """Ratios of a fixed layer by mean count, recorded spikes.

    Returns
    -------
    list of (float, Ratio)
    """
    return [
        (row["mean"], ratio(core, row["cycles"], baseline, baseline_cycles))
        for row in layer["rows"]
        if row["spikes"] == "recorded"
    ]


def break_even(points):
    """Mean count at which a ratio falls to 1, between the points that were measured."""
    for (count, value), (next_count, next_value) in pairwise(points):
        if value >= 1 > next_value:
            return count + (next_count - count) * (value - 1) / (value - next_value)
    return points[-1][0] if points[-1][1] >= 1 else points[0][0]


def even_count(found, bare, complete):
    """Row 7: L2 on the complete core, with weights of 8 bits."""

    def against(label, name, target):
        def part():
            layer, core = found["L2"], found["core-L2"]
            points = curve(layer, core, found[name], layer["dense_cycles"])
            even = break_even([(count, one.cycles) for count, one in points])
            shown = ", ".join(f"{one.cycles:.2f} at {count:g}" for count, one in points)
            note = f" ({points[0][1].luts}; times better: {shown}"
            if all(one.time is not None for _, one in points):
                in_time = break_even([(count, one.time) for count, one in points])
                note += f"; in time up to {in_time:.2f}"
            return at_least(label, even, target, note=f"{note})")

        return attempt(label, part)

    return joined(against("bare", "dense-8", bare), against("complete", "dense-core-L2", complete))
