"""Neurons that are drawn: ladders about what images reach, uniform steps, and membranes."""

from dataclasses import replace

import numpy as np

from golden import Leak, LeakKind, Membrane, Neuron, Order, Reset, Rounding, stream_thresholds
from golden.names import carry_name

from .values import LIMIT, random_thresholds


__all__ = ["levels", "random_neuron"]


def levels(sketch):
    """D of the next neuron."""
    if "levels" not in sketch.features:
        return sketch.max_count
    # Small ones more often, since a thermometer code takes as many passes.
    if sketch.wide_counts and sketch.chance(0.7):
        return 16 + int(240 * sketch.rng.random() ** 3)
    return 1 + int(15 * sketch.rng.random() ** 2)


def random_neuron(sketch, layer, info, values, ends, stream=None):
    """A neuron for values of a layer.

    Parameters
    ----------
    sketch : Sketch
    layer : Operator
    info : TensorInfo
        Of the values.
    values : int64 array, shape (samples, steps, channels, ...)
        Of images.
    ends : (array, array)
        Least and largest value by channel.
    stream : (int, int), optional
        Fraction bits and number of values that were summed, where thresholds follow from them.

    Returns
    -------
    Neuron
    """
    rng, count, rounding = sketch.rng, levels(sketch), sketch.one_of(list(Rounding))
    if "membranes" in sketch.features and sketch.chance(0.6):
        neuron = _with_membrane(sketch, layer, info, values, ends, count, rounding)
        if neuron is not None:
            return neuron
    if "levels" in sketch.features and sketch.chance(0.2):
        bits = (
            int(rng.integers(5, 10))
            if sketch.wide_counts and sketch.chance(0.2)
            else int(rng.integers(1, 5))
        )
        if stream is None:
            spread = np.log2(max(1.0, float(values.std())) * 2) - bits
            return Neuron.uniform(int(np.clip(round(spread) + rng.integers(0, 2), 1, 47)), bits)
        if stream[1] == 1:
            return Neuron.uniform(stream[0], bits)
    if stream is not None:
        return Neuron(stream_thresholds(stream[0], count, rounding, stream[1]), rounding)
    return Neuron(random_thresholds(rng, values, *ends, count), rounding)


def _with_membrane(sketch, layer, info, values, ends, count, rounding):
    """A neuron with a membrane, or None where its state would be too large."""
    rng = sketch.rng
    membrane = _membrane(sketch, layer, info, rounding)
    state = membrane.state or layer.name
    start, carry = sketch.facts.ranges.carried.get(state), sketch.tensors.get(carry_name(state))
    free = replace(membrane, reset=Reset.NONE, order=Order.EARLY, unit=0)
    seen = free.run(values, lambda membrane, lost: np.zeros_like(membrane), carry)[1]
    bounds = [np.array(end, object) for end in ends]
    low, high = free.interval(*bounds, info.steps, np.empty((1, 0), np.int64), start)[0]
    if max(map(abs, [*low, *high])) >= LIMIT // 4:
        return None
    if not membrane.sticky and "levels" in sketch.features and sketch.chance(0.1):
        spread = int(np.clip(np.log2(max(1.0, float(seen.std()))), 1, 20))
        neuron = Neuron.uniform(spread, int(rng.integers(1, 5)), membrane)
    else:
        ladder = random_thresholds(
            rng, seen, np.array(low), np.array(high), count, above=1 + membrane.sticky
        )
        if membrane.sticky:
            # Odd thresholds lie one above what is reached, where a lost bit decides.
            ladder[:, ::2] += 1
            most = np.array(high)[:, None] if len(ladder) > 1 else max(high)
            ladder = np.minimum(np.maximum.accumulate(ladder, axis=1), most + 2).astype(np.int64)
        neuron = Neuron(ladder, rounding, membrane)
    if membrane.reset is Reset.SUBTRACT:
        ladder = neuron.ladder
        step = int(np.abs(ladder).mean()) // count + 1
        unit = max(0, step.bit_length() - 1 + int(rng.integers(-1, 2)))
        membrane = replace(membrane, unit=min(47, unit))
    seen, states, _ = membrane.interval(*bounds, info.steps, neuron.ladder, start)
    if max(np.abs(ends).max() for ends in (*seen, *states)) >= LIMIT:
        return None
    sketch.states.setdefault(state, (info.shape, membrane.order, membrane.sticky))
    return replace(neuron, membrane=membrane)


def _membrane(sketch, layer, info, rounding):
    """Leaks, reset and order; with a state of its own or of an earlier layer."""
    rng = sketch.rng
    leaks = tuple(_leak(rng) for _ in range(info.channels if sketch.chance(0.4) else 1))
    reset = sketch.one_of(list(Reset))
    order = Order.LATE if reset is Reset.SUBTRACT and sketch.chance(0.5) else Order.EARLY
    sticky = (
        rounding is Rounding.HALF_EVEN
        and sketch.chance(0.6)
        and not any(leak.kind is LeakKind.SUBTRACT for leak in leaks)
    )
    membrane = Membrane(leaks, reset, 0, order, sticky)
    alike = [
        state
        for state, kind in sketch.states.items()
        if kind[0] == info.shape and (kind[2] is False or rounding is Rounding.HALF_EVEN)
    ]
    if alike and sketch.chance(0.6):
        state = sketch.one_of(alike)
        _, order, sticky = sketch.states[state]
        reset = Reset.SUBTRACT if order is Order.LATE else reset
        if sticky:
            leaks = (Leak(LeakKind.SHIFT, 1),)
        return Membrane(leaks, reset, 0, order, sticky, state)
    return replace(membrane, state=f"{layer.name} potential") if sketch.chance(0.2) else membrane


def _leak(rng):
    kind = list(LeakKind)[rng.integers(len(LeakKind))]
    if kind not in (LeakKind.SHIFT, LeakKind.SUBTRACT):
        return Leak(kind)
    return Leak(kind, int(rng.choice([1, 2, 3, 5, 47])))
