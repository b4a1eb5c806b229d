"""Smaller models that fail as a large one does: what is left when nothing more can go."""

from dataclasses import replace

import numpy as np

from golden import (
    PIXELS,
    AnalogHead,
    Axis,
    Conv,
    Fire,
    KeyValue,
    ModelError,
    Output,
    Query,
    Sum,
    Write,
    stream_thresholds,
    validate,
)
from golden.interval import saturate
from golden.model.ranges import analyse, widths
from golden.model.shapes import shapes
from golden.names import counts_name, stream_name

from .draw import read_layers
from .sketch import geometries


__all__ = ["reduce"]


def reduce(model, images, fails, *, attempts):
    """Takes layers, channels, spikes and pixels away while the model still fails.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    fails : function of (IntegerModel, images)
        Whether the fault shows.
    attempts : int
        Most calls of ``fails``.

    Returns
    -------
    IntegerModel, uint8 array
    """
    found = True
    while found:
        found = False
        for candidate in _candidates(model, images):
            legal = _settled(*candidate)
            if legal is None or _size(*legal) >= _size(model, images):
                continue
            attempts -= 1
            if attempts < 0:
                return model, images
            if fails(*legal):
                (model, images), found = legal, True
                break
    return model, images


def _size(model, images):
    """What a smaller model has less of, the most important first."""
    weights = [layer.weight.size for layer in model.layers if hasattr(layer, "weight")]
    joined = sum(getattr(getattr(layer, "epilogue", None), "previous", None) is not None
                 for layer in model.layers)
    return len(model.layers), joined, sum(weights), model.max_count, images.size


def _candidates(model, images):
    """Other models, those first that lack much; they may be illegal still, or not smaller."""
    for index in range(len(images) if len(images) > 1 else 0):
        yield model, images[index:index + 1]
    for layer in model.layers[:-1]:
        if not isinstance(layer, KeyValue):
            yield _cut(model, counts_name(layer)), images
    for index, layer in reversed([*enumerate(model.layers)]):
        if isinstance(layer, Conv):
            yield _of_pixels(model, index), images
            if isinstance(layer.epilogue, Write) and layer.epilogue.previous:
                started = replace(layer.epilogue, previous=None)
                yield _changed(model, index, epilogue=started), images
    for name in map(counts_name, model.layers[:-1]):
        yield _narrowed(model, name), images
    for count in {1, model.max_count // 2, model.max_count - 1} - {0, model.max_count}:
        yield _with_count(model, count), images
    height, width, _ = model.image_shape
    for rows, columns in ((1, 1), (height // 2, width), (height, width // 2), (height - 1, width),
                          (height, width - 1)):
        if rows and columns and (rows, columns) != (height, width):
            cropped = images[:, :rows, :columns]
            yield replace(model, input=replace(model.input, shape=cropped.shape[1:])), cropped


def _cut(model, name):
    """A head of one class on a tensor, and the layers before it."""
    channels, height, width = shapes(model)[name]
    head = Conv.square("head", name, np.ones((1, channels, 1, 1), np.int8), 2,
                       max(height, width), 0, 1, Output(np.zeros(1, np.int64), 1.0))
    end = [counts_name(layer) for layer in model.layers].index(name) + 1
    return replace(model, layers=(*model.layers[:end], head))


def _changed(model, index, **fields):
    layers = list(model.layers)
    layers[index] = replace(layers[index], **fields)
    return replace(model, layers=tuple(layers))


def _of_pixels(model, index):
    """A layer that reads pixels: some of its weights, on a map of the same size as before."""
    layer, known = model.layers[index], shapes(model)
    made = known.get(counts_name(layer), (model.classes, 1, 1))
    channels, *size = known[PIXELS]
    found = geometries(size, lambda out: out == tuple(made[1:]))
    if layer.source == PIXELS or not found:
        return model
    kernel, stride, padding = found[0]
    taps = np.arange(kernel) % layer.weight.shape[2]
    weight = layer.weight[:, np.arange(channels) % layer.weight.shape[1]][:, :, taps][..., taps]
    axes = (Axis.padded(kernel, stride, padding),) * 2
    return _changed(model, index, sources=(PIXELS,), weight=weight, axes=axes, groups=1)


def _narrowed(model, name):
    """Half of the channels of a map, and of all whose channels are the same."""
    known = shapes(model)
    same, grown = {name}, True
    while grown:
        before = len(same)
        for layer in model.layers:
            tied = _tied(layer)
            if tied & same:
                same |= tied
        grown = len(same) > before
    frozen = {PIXELS}.union(*map(_frozen, model.layers))
    if name not in known or same & frozen or known[name][0] < 2:
        return model
    kept = known[name][0] // 2
    return replace(model, layers=tuple(_sliced(layer, same, kept) for layer in model.layers))


def _tied(layer):
    """Maps of a layer that have the same channels."""
    match layer:
        case Conv(epilogue=Write(previous=previous)):
            tied = {stream_name(layer), counts_name(layer)} | ({previous} - {None})
            return tied | ({layer.source} if layer.depthwise else set())
        case Conv() if layer.depthwise and not isinstance(layer.epilogue, Output):
            return {layer.source, counts_name(layer)}
        case Sum():
            return {layer.source, counts_name(layer)}
    return set()


def _frozen(layer):
    """Maps whose channels belong to heads, or to classes."""
    match layer:
        case KeyValue():
            return {layer.keys, layer.values}
        case Query():
            return {layer.queries, counts_name(layer)}
        case Conv(epilogue=Output()) if layer.depthwise:
            return {layer.source}
    return set()


def _sliced(layer, narrow, kept):
    """A layer that makes or reads only the first channels of some maps."""
    if isinstance(layer, AnalogHead) and layer.source in narrow:
        return replace(layer, weight=layer.weight[:, :kept])
    if not isinstance(layer, Conv):
        return layer
    if layer.source in narrow and not layer.depthwise:
        layer = replace(layer, weight=layer.weight[:, :kept])
    if counts_name(layer) not in narrow:
        return layer
    epilogue = layer.epilogue
    if isinstance(epilogue, Write):
        epilogue = replace(epilogue, bias=epilogue.bias[:kept])
    elif len(epilogue.neuron.thresholds) > 1:
        thresholds = epilogue.neuron.thresholds[:kept]
        epilogue = replace(epilogue, neuron=replace(epilogue.neuron, thresholds=thresholds))
    return replace(layer, weight=layer.weight[:kept], epilogue=epilogue,
                   groups=kept if layer.depthwise else 1)


def _with_count(model, count):
    def shortened(layer):
        neuron = layer.epilogue and layer.epilogue.neuron
        if neuron is None:
            return layer
        neuron = replace(neuron, thresholds=neuron.thresholds[:, :count])
        return replace(layer, epilogue=replace(layer.epilogue, neuron=neuron))

    return replace(model, layers=tuple(map(shortened, model.layers)))


def _settled(model, images):
    """The model with thresholds and widths that fit what was changed, or None if it is illegal."""
    model = replace(model, layers=tuple(read_layers(model.layers)), widths={}, mean_counts={})
    try:
        known, ranges = shapes(model), analyse(model)
        layers = tuple(_fitted(layer, model, known, ranges) for layer in model.layers)
        model = replace(model, layers=layers)
        validate(model)
        return replace(model, widths=widths(model)), images
    except ModelError:
        return None


def _fitted(layer, model, known, ranges):
    """A layer whose thresholds keep to the range of its potential."""
    if not isinstance(layer.epilogue, Fire):
        return layer
    neuron = layer.epilogue.neuron
    if isinstance(layer, Sum):
        bits = next(other.epilogue.fraction_bits for other in model.layers
                    if stream_name(other) == layer.source)
        thresholds = stream_thresholds(bits, model.max_count, neuron.rounding,
                                       int(np.prod(known[layer.source][1:])))
    else:
        low, high = ranges.potential[layer.name]
        if len(neuron.thresholds) == 1:
            low, high = low.min(keepdims=True), high.max(keepdims=True)
        thresholds = saturate(neuron.thresholds, low, high)
    return replace(layer, epilogue=replace(
        layer.epilogue, neuron=replace(neuron, thresholds=thresholds)))
