"""Models that were changed, made legal again: thresholds and widths that fit what is left."""

from dataclasses import replace

import numpy as np

from golden import Fire, ModelError, Rule, Sum, Write, stream_thresholds, validate
from golden.model.ranges import analyse, widths
from golden.model.shapes import tensor_infos
from golden.ops.heads import tokens_of

from .draw import read_layers


__all__ = ["settled"]


def settled(model):
    """The model with thresholds and widths that fit, or None if it is illegal."""
    model = replace(model, layers=tuple(read_layers(model.layers)), widths={}, mean_counts={})
    try:
        infos, ranges = tensor_infos(model), analyse(model)
        layers = tuple(_fitted(layer, infos, ranges) for layer in model.layers)
        model = replace(model, layers=layers)
        validate(model)
        return replace(model, widths=widths(model))
    except ModelError:
        return None


def _fitted(layer, infos, ranges):
    """A layer whose thresholds keep to the range of what they are compared with."""
    epilogue, neuron = layer.epilogue, layer.epilogue and layer.epilogue.neuron
    if neuron is None or neuron.rule is Rule.UNIFORM:
        return layer
    ladder = _stream_ladder(layer, infos)
    if ladder is None:
        low, high = (np.asarray(end)[:, np.newaxis] for end in ranges.fired[layer.name])
        if len(neuron.thresholds) == 1:
            low, high = low.min(keepdims=True), high.max(keepdims=True)
        sticky = neuron.membrane is not None and neuron.membrane.sticky
        ladder = np.clip(neuron.thresholds, low, high + 1 + sticky)
    return replace(layer, epilogue=replace(epilogue, neuron=replace(neuron, thresholds=ladder)))


def _stream_ladder(layer, infos):
    """Thresholds that follow from a stream; those of a membrane are free."""
    neuron = layer.epilogue.neuron
    if neuron.membrane is not None:
        return None
    match layer.epilogue:
        case Write(fraction_bits=bits):
            tokens = 1
        case Fire() if isinstance(layer, Sum):
            bits = infos[layer.source].fraction_bits
            tokens = tokens_of(infos[layer.source], layer.over)
        case _:
            return None
    return stream_thresholds(bits, neuron.levels, neuron.rounding, tokens)
