"""Faults planted on purpose, to show that the testbenches notice them.

Each takes a plan and the golden tensors of the images that will run, and returns the plan with one
thing wrong, at a place where the images make it matter.
"""

from dataclasses import replace

import numpy as np
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from golden import PIXELS, Rounding, stream_thresholds
from golden.names import counts_name, stream_name
from hw.isa.pairs import PAIR


__all__ = ["PLAN_FAULTS", "LatePayload", "StuckInput"]


def threshold_off_by_one(plan, tensors):
    """One threshold, which a potential just reaches, is one higher."""
    for planned in plan.layers:
        layer = planned.layer
        if layer.KIND != "conv" or counts_name(layer) not in tensors:
            continue
        potentials = tensors.get(stream_name(layer))
        if potentials is None:
            *_, potentials = layer.potentials(tensors, max_count=plan.model.max_count)
        ladder = layer.epilogue.neuron.thresholds
        for channel in range(potentials.shape[1]):
            for step, threshold in enumerate(ladder[channel if len(ladder) > 1 else 0].tolist()):
                if (potentials[:, channel] == threshold).any():
                    neurons = list(plan.neurons)
                    bias, thresholds = neurons[number := _neuron(planned, channel)]
                    raised = (*thresholds[:step], threshold + 1, *thresholds[step + 1 :])
                    neurons[number] = (bias, tuple(np.maximum.accumulate(raised).tolist()))
                    return replace(plan, neurons=neurons)
    raise ValueError("Images must reach at least one threshold exactly")


def weight_bit(plan, tensors):
    """The lowest bit of one weight, which a spike reads, is flipped."""
    for planned in plan.layers:
        layer = planned.layer
        # The middle tap of every position lies inside the map.
        if _adds_to_stream(layer, tensors):
            spiking = (tensors[layer.source] > 0).any(axis=(0, 2, 3))
            taps = layer.weight.shape[-1] ** 2
            row = planned.fills[0].row + taps // 2 * planned.source.words * plan.rows.shape[1]
            rows = plan.rows.copy()
            rows[row + int(np.argmax(spiking)), 0] ^= 1
            return replace(plan, rows=rows)
    raise ValueError("Model must have a stream writer of stride 1")


def dropped_spike(plan, tensors):
    """One channel, which fires, is masked out in one tile."""
    for planned in plan.layers:
        layer = planned.layer
        # Pixels are not masked.
        if _adds_to_stream(layer, tensors) and layer.source != PIXELS:
            lanes = plan.rows.shape[1]
            spiking = (tensors[layer.source][:, :lanes] > 0).any(axis=(0, 2, 3))
            mask = planned.tiles[0]["first_mask"] & ~(1 << int(np.argmax(spiking)))
            return _with_tiles(plan, planned, {0: {"first_mask": mask}})
    raise ValueError("Model must have a stream writer of stride 1")


def swapped_heads(plan, tensors):
    """The first and the last head of an attention read each other's queries."""
    for planned in plan.layers:
        layer = planned.layer
        if layer.KIND == "query":
            first, last = 0, len(planned.tiles) - len(planned.tiles) // layer.heads
            changes = {}
            for own, other in ((first, last), (last, first)):
                tile, queries = planned.tiles[own], planned.tiles[other]
                fields = {
                    key: queries[key] for key in ("spike", "words", "first_mask", "last_mask")
                }
                # A row belongs to bit 0 of a word, in which the head's channels begin later.
                row = tile["row"] + _first_bit(tile) - _first_bit(queries)
                changes[own] = fields | {"row": row}
            return _with_tiles(plan, planned, changes)
    raise ValueError("Model must have attention")


def half_up(plan, tensors):
    """Neurons on the stream round half up where the model rounds half to even."""
    neurons, matters = list(plan.neurons), False
    for planned in plan.layers:
        layer = planned.layer
        if stream_name(layer) in tensors:
            ladder = stream_thresholds(
                layer.epilogue.fraction_bits, plan.model.max_count, Rounding.HALF_UP
            )[0]
            ties = ladder[ladder != layer.epilogue.neuron.thresholds[0]]
            matters |= bool(np.isin(tensors[stream_name(layer)], ties).any())
            for channel in range(len(layer.weight)):
                bias, _ = neurons[number := _neuron(planned, channel)]
                neurons[number] = (bias, tuple(ladder.tolist()))
    if not matters:
        raise ValueError("Images must bring a stream to an odd tie, under half-to-even")
    return replace(plan, neurons=neurons)


#: Faults in what the memories hold.
PLAN_FAULTS = {
    fault.__name__: fault
    for fault in (threshold_off_by_one, weight_bit, dropped_spike, swapped_heads, half_up)
}


class LatePayload(wiring.Component):
    """A component that reads the payload of a stream one cycle after its transfer.

    Parameters
    ----------
    component : wiring.Component
    stream : str
        Name of its stream.
    """

    def __init__(self, component, *, stream):
        self._component = component
        self._stream = stream
        super().__init__(component.signature)

    def elaborate(self, platform):
        m = Module()
        inner, outer = _connect_others(m, self, self._component, self._stream)
        # The transfer is passed on a cycle late, the payload as it is then.
        valid = Signal()
        with m.If(outer.ready):
            m.d.sync += valid.eq(outer.valid)
        m.d.comb += [
            inner.valid.eq(valid),
            inner.payload.eq(outer.payload),
            outer.ready.eq(inner.ready | ~valid),
        ]
        return m


class StuckInput(wiring.Component):
    """A component one of whose inputs never changes.

    Parameters
    ----------
    component : wiring.Component
    name : str
        Of the input.
    value : int
    """

    def __init__(self, component, *, name, value):
        self._component = component
        self._name = name
        self._value = value
        super().__init__(component.signature)

    def elaborate(self, platform):
        m = Module()
        inner, _ = _connect_others(m, self, self._component, self._name)
        m.d.comb += inner.eq(self._value)
        return m


def _connect_others(m, faulty, component, name):
    """Connects all members but one of a component to those of the one around it.

    Returns the inner and the outer side of that one.
    """
    m.submodules.component = component
    for other, member in faulty.signature.members.items():
        if other == name:
            continue
        inner, outer = getattr(component, other), getattr(faulty, other)
        if member.is_signature:
            wiring.connect(m, wiring.flipped(outer), inner)
        else:
            m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
    return getattr(component, name), getattr(faulty, name)


def _neuron(planned, channel):
    """Number of the neuron of an output channel."""
    tile, lane = np.argwhere(planned.channels == channel)[0]
    return planned.fills[tile].neuron * PAIR + int(lane)


def _adds_to_stream(layer, tensors):
    """Whether a layer writes to a stream, and moves over its map one position at a time."""
    return stream_name(layer) in tensors and layer.axes[0].stride == 1


def _first_bit(tile):
    """Lowest bit that a tile's first word may have set."""
    mask = tile["first_mask"]
    return (mask & -mask).bit_length() - 1


def _with_tiles(plan, planned, changes):
    """Plan in which some tiles of a layer have other fields."""
    tiles = tuple(tile | changes.get(index, {}) for index, tile in enumerate(planned.tiles))
    layers = tuple(
        replace(planned, tiles=tiles) if layer is planned else layer for layer in plan.layers
    )
    return replace(plan, layers=layers)
