"""Models that several tests build cores of, and models that differ in a single field."""

from dataclasses import replace

import numpy as np

from golden import (
    PIXELS,
    Axis,
    Conv,
    Fire,
    Input,
    IntegerModel,
    Max,
    Neuron,
    Output,
    Rounding,
)
from golden.analysis.model_builder import ModelBuilder
from golden.analysis.synthetic import random_images


def small():
    """A model of few layers that has every engine: attention and a convolution, 4 x 4 pixels."""
    builder = ModelBuilder(
        2,
        random_images(2, 6, (4, 4, 1)),
        max_count=4,
        weight_bits=3,
        rounding=Rounding.HALF_EVEN,
        mean_count=0.9,
    )
    builder.down("stem", 4, 2, source=PIXELS)
    builder.attention("attention", "stem", 2)
    builder.head("attention", 2, 0)
    return builder.model("small", 2)


def pooled(max_count):
    """A model whose counts are pooled in overlapping windows with padding, then in one of all."""
    rng, channels, size = np.random.default_rng(2), 10, (7, 9)

    def conv(name, source, inputs, kernel, step):
        weight = rng.integers(-3, 4, (channels, inputs, kernel, kernel)).astype(np.int8)
        ladder = np.arange(1, max_count + 1)[np.newaxis] * step
        fire = Fire(Neuron(ladder, Rounding.HALF_UP))
        return Conv.square(name, source, weight, 3, 1, kernel // 2, 1, fire)

    axes = Axis(3, 2, 1, 1), Axis(2, 2)
    rest = tuple(Axis(axis.length(length)) for axis, length in zip(axes, size, strict=True))
    head = conv("head", "rest.counts", channels, 1, 1)
    layers = (
        conv("stem", PIXELS, 1, 3, 400 // max_count),
        Max("pool", "stem.counts", axes),
        conv("middle", "pool.counts", channels, 1, 12 // max_count),
        Max("rest", "middle.counts", rest),
        replace(head, epilogue=Output(np.zeros(channels, np.int64), 1.0)),
    )
    return IntegerModel("pooled", Input((*size, 1)), layers)


def changed(model, layer_name, *, neuron=None, epilogue=None, **fields):
    """Copy of a model in which one layer has other fields.

    ``neuron`` and ``epilogue`` are dicts of fields of these.
    """
    layers = list(model.layers)
    index = [layer.name for layer in layers].index(layer_name)
    layer = layers[index]
    if neuron is not None:
        epilogue = (epilogue or {}) | {"neuron": replace(layer.epilogue.neuron, **neuron)}
    if epilogue is not None:
        fields["epilogue"] = replace(layer.epilogue, **epilogue)
    layers[index] = replace(layer, **fields)
    return replace(model, layers=tuple(layers))
