"""Models that several tests build cores of, and models that differ in a single field."""

from dataclasses import replace

from golden import PIXELS, Rounding
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
