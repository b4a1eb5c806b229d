"""Shapes of every tensor of a model, and the check that its graph fits together."""

import math

from golden.data.limits import MAX_LAYERS, MAX_MAP, MAX_PIXELS, MAX_SIDE
from golden.errors import ModelError
from golden.names import LOGITS, MAX_NAME, PIXELS
from golden.ops import Operator


__all__ = ["last_readers", "shapes"]


def last_readers(model):
    """Per tensor that is read at all, the index of the last layer that reads it."""
    return {name: index for index, layer in enumerate(model.layers) for name in layer.reads}


def shapes(model):
    """Shape of every tensor that the executor stores, images aside.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    dict of str to tuple of int
        In execution order: ``pixels``, ``NAME.counts`` and ``NAME.stream`` are (channels, height,
        width), the memory of attention is (heads, dk, dv), ``logits`` is (classes,).

    Raises
    ------
    ModelError
        If a layer reads a tensor that no earlier layer made, or one of the wrong kind or shape.
    """
    _check_sizes(model)
    height, width, channels = model.image_shape
    known = {PIXELS: (channels + (model.pixel_constant > 0), height, width)}
    names = set()
    for layer in model.layers:
        if not isinstance(layer, Operator):
            raise ModelError(f"A layer must be one of the known kinds, not {layer!r}")
        if layer.name in names:
            raise ModelError(f"Layer {layer.name}: a name must be given to only one layer")
        names.add(layer.name)
        if not (layer.name.isprintable() and 1 <= len(layer.name) <= MAX_NAME):
            raise ModelError(f"Layer {layer.name!r}: a name must have 1 to {MAX_NAME} printable "
                             "characters")
        made = layer.outputs(known, model)
        if LOGITS in made and layer is not model.layers[-1]:
            raise ModelError(f"Layer {layer.name}: only the last layer may emit logits")
        for name, shape in made.items():
            if name in known:
                raise ModelError(f"Layer {layer.name}: tensor {name} must be made only once")
            if math.prod(shape) > MAX_MAP:
                raise ModelError(f"Layer {layer.name}: tensor {name} must have at most {MAX_MAP} "
                                 f"values, not {shape}")
            known[name] = shape
    if LOGITS not in known:
        raise ModelError("The last layer of a model must emit logits")
    return known


def _check_sizes(model):
    height, width, _ = model.image_shape
    if min(model.image_shape) < 1:
        raise ModelError(f"Image shape must be positive, not {model.image_shape}")
    if (max(model.image_shape) > MAX_SIDE or height * width > MAX_PIXELS
            or math.prod(model.image_shape) > MAX_MAP):
        raise ModelError(f"Image shape must be at most {MAX_SIDE} along every axis, with at most "
                         f"{MAX_PIXELS} pixels and {MAX_MAP} values, not {model.image_shape}")
    if len(model.layers) > MAX_LAYERS:
        raise ModelError(f"A model must have at most {MAX_LAYERS} layers, not "
                         f"{len(model.layers)}")
