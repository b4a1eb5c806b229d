"""What the epilogues that fire have in common: counts, states and their ranges."""

import numpy as np
from numpy.typing import NDArray

from golden.hints import Tensors
from golden.interval import require_width
from golden.names import Named, carry_name, counts_name, state_name
from golden.neuron import Neuron
from golden.tensor_info import TensorInfo

from .facts import Facts
from .frames import framed, like


__all__ = ["fire", "fired_info", "record_fired"]


def fired_info(layer: Named, neuron: Neuron, info: TensorInfo) -> dict[str, TensorInfo]:
    """Names and infos of what a neuron makes of values described by ``info``."""
    kind = "memory" if info.kind == "memory" else "counts"
    made = {
        counts_name(layer): TensorInfo(
            kind, info.channels, info.size, info.steps, neuron.levels, over=info.over
        )
    }
    if neuron.membrane is not None:
        made[state_name(layer)] = TensorInfo("state", info.channels, info.size, info.steps)
    return made


def fire(
    layer: Named,
    neuron: Neuron,
    values: NDArray[np.int64],
    tensors: Tensors,
) -> dict[str, NDArray[np.int64]]:
    """Tensors that a neuron makes of values, by name.

    A membrane goes on with what ``tensors`` hold of its state, and leaves it there.
    """
    if neuron.membrane is None:
        return {counts_name(layer): neuron.fire(values)[0]}
    carry = carry_name(neuron.membrane.state or layer.name)
    counts, states, left = neuron.fire(framed(values), tensors.get(carry))
    return {
        counts_name(layer): like(counts, values),
        state_name(layer): like(states, values),
        carry: left,
    }


def record_fired(
    layer: Named, neuron: Neuron, low: NDArray[np.int64], high: NDArray[np.int64], facts: Facts
) -> None:
    """Adds the interval of what is compared with thresholds, and that of the state."""
    ranges, membrane = facts.ranges, neuron.membrane
    if membrane is None:
        ranges.fired[layer.name] = low, high
        return
    name = membrane.state or layer.name
    seen, held, last = membrane.interval(
        low,
        high,
        facts.known[counts_name(layer)].steps,
        neuron.ladder,
        ranges.carried.get(name),
    )
    require_width(layer, *seen)
    require_width(layer, *held)
    ranges.carried[name] = (*last, neuron.ladder)
    ranges.fired[layer.name] = seen
    ranges.state[layer.name] = (
        np.concatenate([seen[0], held[0]]),
        np.concatenate([seen[1], held[1]]),
    )
