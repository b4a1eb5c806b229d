"""Properties of neurons: their thresholds, their rules, and their membranes."""

import numpy as np

from golden import Fire, LeakKind, Order, Reset, Rule, Sum, Write
from golden.model.ranges import analyse


__all__ = ["GOLDEN_ONLY", "NAMES", "find"]


_MEMBRANES = (
    "membrane",
    "state of a changing sign",
    *(f"leak {kind.value}" for kind in LeakKind),
    *(f"reset {reset.value}" for reset in Reset),
    "late order",
    "sticky",
    "a tie that sticks",
    "leaks by channel",
    "membrane on a stream",
    "membrane on sums",
    "membrane on a memory",
    "uniform membrane",
    "shared state",
    "shared state of late order",
    "shared state of another D",
)

GOLDEN_ONLY = _MEMBRANES

NAMES = (
    "thresholds on ties",
    "thresholds equal",
    "thresholds never reached",
    "thresholds always reached",
    "thresholds shared by channels",
    "half-up",
    "half-even",
    "uniform neuron",
    "uniform neuron on a stream",
    "shift in front of a neuron",
    "bias in front of a neuron",
    *GOLDEN_ONLY,
)


def find(model, tensors, infos):
    """Yields names, and whether the model has that; see `properties.properties`."""
    ranges, states = analyse(model), {}
    for layer in model.layers:
        neuron = layer.epilogue and layer.epilogue.neuron
        if neuron is None:
            continue
        uniform = neuron.rule is Rule.UNIFORM
        yield neuron.rounding.value, True
        yield "uniform neuron", uniform
        yield "uniform neuron on a stream", uniform and isinstance(layer.epilogue, Write)
        if isinstance(layer.epilogue, Fire):
            yield "shift in front of a neuron", layer.epilogue.shift > 0
            yield "bias in front of a neuron", layer.epilogue.bias is not None
        if neuron.membrane is not None:
            yield from _membrane(layer, neuron, states, tensors[f"{layer.name}.state"])
        elif isinstance(layer.epilogue, Fire) and not isinstance(layer, Sum) and not uniform:
            yield from _ladder(layer, neuron.thresholds, tensors, ranges.fired[layer.name])


def _ladder(layer, ladder, tensors, ends):
    low, high = ends
    if len(ladder) == 1:
        low, high = low.min(keepdims=True), high.max(keepdims=True)
    *_, values = layer.potentials(tensors, max_count=1)
    values = values << layer.epilogue.shift
    if layer.epilogue.bias is not None:
        values = values + layer.epilogue.bias[:, None, None]
    yield (
        "thresholds on ties",
        any(
            (values[:, :, channel] == ladder[channel % len(ladder), step]).any()
            for channel, step in np.ndindex(values.shape[2], ladder.shape[1])
        ),
    )
    yield "thresholds equal", (ladder.shape[1] > 1) & (ladder[:, :1] == ladder).all(axis=1).any()
    yield "thresholds never reached", (high - ladder.T < 0).any()
    yield "thresholds always reached", (low - ladder.T >= 0).any()
    yield "thresholds shared by channels", len(ladder) < values.shape[2]


def _membrane(layer, neuron, states, state):
    membrane = neuron.membrane
    late, name = membrane.order is Order.LATE, membrane.state or layer.name
    yield "membrane", True
    yield "state of a changing sign", ((state[:, 1:] < 0) != (state[:, :-1] < 0)).any()
    for leak in membrane.leak:
        yield f"leak {leak.kind.value}", True
    yield f"reset {membrane.reset.value}", True
    yield "leaks by channel", len({*membrane.leak}) > 1
    yield "late order", late
    yield "sticky", membrane.sticky
    yield "a tie that sticks", membrane.sticky and _ties(neuron, state)
    yield "membrane on a stream", isinstance(layer.epilogue, Write)
    yield "membrane on sums", isinstance(layer, Sum)
    yield "membrane on a memory", layer.name.endswith(".kv")
    yield "uniform membrane", neuron.rule is Rule.UNIFORM
    yield "shared state", name in states
    yield "shared state of late order", name in states and late
    yield "shared state of another D", states.get(name, neuron.levels) != neuron.levels
    states[name] = neuron.levels


def _ties(neuron, state):
    """Whether a membrane, which its state still is, lies one below an odd threshold."""
    kept = neuron.membrane.reset is Reset.NONE or neuron.membrane.order is Order.LATE
    return kept and any(
        (state[:, 1:, channel] + 1 == threshold).any()
        for channel in range(state.shape[2])
        for threshold in neuron.thresholds[channel % len(neuron.thresholds), ::2]
    )
