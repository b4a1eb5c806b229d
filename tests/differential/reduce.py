"""Smaller models that fail as a large one does: what is left when nothing more can go."""

from dataclasses import replace

import numpy as np

from golden import PIXELS, Conv, KeyValue, Output, Rule, Write
from golden.model.shapes import tensor_infos
from golden.names import LOGITS, counts_name

from .geometry import squares
from .narrow import narrowed
from .settle import settled


__all__ = ["reduce"]


def reduce(model, images, fails, *, attempts):
    """Takes layers, channels, spikes, steps and pixels away while the model still fails.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels), or of frames
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
        for changed, shown in _candidates(model, images):
            legal = settled(changed)
            if legal is None or _size(legal, shown) >= _size(model, images):
                continue
            attempts -= 1
            if attempts < 0:
                return model, images
            if fails(legal, shown):
                (model, images), found = (legal, shown), True
                break
    return model, images


def _size(model, images):
    """What a smaller model has less of, the most important first."""
    weights = [layer.weight.size for layer in model.layers if hasattr(layer, "weight")]
    epilogues = [layer.epilogue for layer in model.layers if layer.epilogue is not None]
    joined = sum(getattr(epilogue, "previous", None) is not None for epilogue in epilogues)
    neurons = [epilogue.neuron for epilogue in epilogues if epilogue.neuron is not None]
    extras = sum(neuron.membrane is not None for neuron in neurons) + sum(
        epilogue.KIND == "fire" and (epilogue.shift > 0) + (epilogue.bias is not None)
        for epilogue in epilogues
    )
    return (
        len(model.layers),
        joined,
        extras,
        model.input.steps,
        sum(weights),
        sum(neuron.levels for neuron in neurons),
        images.size,
    )


def _candidates(model, images):
    """Other models, those first that lack much; they may be illegal still, or not smaller."""
    for index in range(len(images) if len(images) > 1 else 0):
        yield model, images[index : index + 1]
    infos = tensor_infos(model)
    for layer in model.layers:
        if counts_name(layer) in infos and not isinstance(layer, KeyValue):
            yield _cut(model, layer, infos[counts_name(layer)]), images
    for layer in model.outputs.values() if len(model.outputs) > 1 else ():
        kept = tuple(other for other in model.layers if other is not layer)
        yield replace(model, layers=kept), images
    if model.input.steps > 1:
        yield (
            replace(model, input=replace(model.input, steps=1)),
            images[:, 0] if images.ndim == 5 else images,
        )
    for index in reversed(range(len(model.layers))):
        for layer in _simpler(model.layers[index], infos):
            yield _changed(model, index, layer), images
    for layer in model.layers:
        yield narrowed(model, counts_name(layer)), images
    for count in {1, model.max_count // 2, model.max_count - 1} - {0, model.max_count}:
        yield _with_count(model, count), images
    height, width, _ = model.image_shape
    for rows, columns in (
        (1, 1),
        (height // 2, width),
        (height, width // 2),
        (height - 1, width),
        (height, width - 1),
    ):
        if rows and columns and (rows, columns) != (height, width):
            cropped = images[..., :rows, :columns, :]
            yield replace(model, input=replace(model.input, shape=cropped.shape[-3:])), cropped


def _cut(model, layer, info):
    """A head of one class on a layer's counts, and the layers before it."""
    head = Conv.square(
        "head",
        counts_name(layer),
        np.ones((1, info.channels, 1, 1), np.int8),
        2,
        max(info.size),
        0,
        1,
        Output(np.zeros(1, np.int64), 1.0, name=LOGITS),
    )
    end = model.layers.index(layer) + 1
    kept = [other for other in model.layers[:end] if not isinstance(other.epilogue, Output)]
    return replace(model, layers=(*kept, head))


def _changed(model, index, layer):
    return replace(model, layers=(*model.layers[:index], layer, *model.layers[index + 1 :]))


def _simpler(layer, infos):
    """What else a layer could be, with less before it or behind it."""
    epilogue, neuron = layer.epilogue, layer.epilogue and layer.epilogue.neuron
    if isinstance(layer, Conv):
        yield from _of_pixels(layer, infos)
    if isinstance(epilogue, Write) and epilogue.previous:
        yield replace(layer, epilogue=replace(epilogue, previous=None, combine="add"))
    if epilogue is not None and epilogue.KIND == "fire":
        yield replace(layer, epilogue=replace(epilogue, shift=0, bias=None))
    if neuron is not None and neuron.membrane is not None:
        yield replace(layer, epilogue=replace(epilogue, neuron=replace(neuron, membrane=None)))


def _of_pixels(layer, infos):
    """The layer on pixels: some of its weights, on a map of the same size as before."""
    made = infos.get(counts_name(layer)) or infos.get(f"{layer.name}.stream")
    size, (channels, *area) = (1, 1) if made is None else made.size, infos[PIXELS].shape
    found = squares(area, lambda out: out == tuple(size))
    if layer.sources == (PIXELS,) or not found:
        return
    axes = found[0]
    down, across = (np.arange(axes[0].kernel) % kernel for kernel in layer.weight.shape[2:])
    weight = layer.weight[:, np.arange(channels) % layer.weight.shape[1]][:, :, down][..., across]
    yield replace(layer, sources=(PIXELS,), weight=weight, axes=axes, groups=1)


def _with_count(model, count):
    """No neuron that fires more than ``count`` spikes at once."""

    def shortened(layer):
        neuron = layer.epilogue and layer.epilogue.neuron
        if neuron is None:
            return layer
        if neuron.rule is Rule.UNIFORM:
            neuron = replace(neuron, bits=max(1, min(neuron.bits, (count + 1).bit_length() - 1)))
        else:
            neuron = replace(neuron, thresholds=neuron.thresholds[:, :count])
        return replace(layer, epilogue=replace(layer.epilogue, neuron=neuron))

    return replace(model, layers=tuple(map(shortened, model.layers)))
