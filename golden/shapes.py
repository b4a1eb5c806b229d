"""Shapes of every tensor of a model, and the check that its graph fits together."""

import math

from golden.conv import output_size
from golden.limits import MAX_LAYERS, MAX_MAP, MAX_PIXELS, MAX_SIDE
from golden.model import (
    LOGITS,
    PIXELS,
    AnalogHead,
    Conv,
    Fire,
    KeyValue,
    Layer,
    Logits,
    ModelError,
    Query,
    TokenSum,
    Write,
)


__all__ = [
    "MAX_NAME", "counts_name", "kv_name", "last_readers", "shapes", "sources", "stream_name",
]


#: Most characters of the name of a layer or model.
MAX_NAME = 200


def counts_name(layer):
    """Name of the spike counts that a layer with a neuron stores."""
    return f"{layer.name}.counts"


def stream_name(layer):
    """Name of the stream version that a layer with a `Write` drain stores."""
    return f"{layer.name}.stream"


def kv_name(layer):
    """Name of the memory of a `KeyValue` layer: its own."""
    return layer.name


def sources(layer):
    """Names of the tensors that a layer reads, in the order of its fields."""
    match layer:
        case KeyValue():
            return [layer.keys, layer.values]
        case Query():
            return [layer.queries, layer.key_values]
        case Conv(drain=Write(previous=str() as previous)):
            return [layer.source, previous]
        case _:
            return [layer.source]


def last_readers(model):
    """Per tensor that is read at all, the index of the last layer that reads it."""
    return {name: index for index, layer in enumerate(model.layers) for name in sources(layer)}


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
    layer, names = None, set()
    for layer in model.layers:
        if not isinstance(layer, Layer):
            raise ModelError(f"A layer must be one of the known kinds, not {layer!r}")
        if layer.name in names:
            raise ModelError(f"Layer {layer.name}: a name must be given to only one layer")
        names.add(layer.name)
        if not (layer.name.isprintable() and 1 <= len(layer.name) <= MAX_NAME):
            raise ModelError(f"Layer {layer.name!r}: a name must have 1 to {MAX_NAME} printable "
                             "characters")
        if isinstance(getattr(layer, "drain", None), Logits) and layer is not model.layers[-1]:
            raise ModelError(f"Layer {layer.name}: only the last layer may emit logits")
        for name, shape in _outputs(layer, known, model).items():
            if name in known:
                raise ModelError(f"Layer {layer.name}: tensor {name} must be made only once")
            if math.prod(shape) > MAX_MAP:
                raise ModelError(f"Layer {layer.name}: tensor {name} must have at most {MAX_MAP} "
                                 f"values, not {shape}")
            known[name] = shape
    if not isinstance(getattr(layer, "drain", None), Logits):
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


def _outputs(layer, known, model):
    """Names and shapes of what a layer makes, given what is known."""
    match layer:
        case Conv():
            return _conv(layer, known, model)
        case KeyValue():
            return _key_value(layer, known)
        case Query():
            heads, _, dv = _look_up(layer, layer.key_values, known, "kv")
            _require_heads(layer, heads == layer.heads, f"{layer.key_values} has {heads}")
            channels, height, width = _look_up(layer, layer.queries, known, "counts")
            dk = known[layer.key_values][1]
            if channels != heads * dk:
                raise ModelError(f"Layer {layer.name}: queries must have {heads} heads of {dk} "
                                 f"channels, not {channels} channels")
            _require_drain(layer, Fire)
            return {counts_name(layer): (heads * dv, height, width)}
        case TokenSum():
            channels, _, _ = _look_up(layer, layer.source, known, "stream")
            _require_drain(layer, Fire)
            return {counts_name(layer): (channels, 1, 1)}
        case AnalogHead():
            channels, _, _ = _look_up(layer, layer.source, known, "stream")
            if layer.weight.shape != (model.classes, channels):
                raise ModelError(f"Layer {layer.name}: weights must have shape "
                                 f"{(model.classes, channels)}, not {layer.weight.shape}")
            _require_drain(layer, Logits)
            return {LOGITS: (model.classes,)}


def _conv(layer, known, model):
    channels, height, width = _look_up(layer, layer.source, known, "counts", "pixels")
    shape = layer.weight.shape
    if len(shape) != 4 or min(shape) < 1 or shape[2] != shape[3]:
        raise ModelError(f"Layer {layer.name}: weights must have shape (out, in, kernel, kernel), "
                         f"not {shape}")
    out_channels, fan_in, kernel, _ = shape
    if layer.groups not in (1, channels) or (layer.groups > 1 and out_channels != channels):
        raise ModelError(f"Layer {layer.name}: groups must be 1, or equal to {channels} input and "
                         f"output channels, not {layer.groups}")
    if fan_in * layer.groups != channels:
        raise ModelError(f"Layer {layer.name}: weights must take {channels} channels of "
                         f"{layer.source}, not {fan_in * layer.groups}")
    if layer.stride < 1 or not 0 <= layer.padding < kernel:
        raise ModelError(f"Layer {layer.name}: stride must be at least 1 and padding 0 to "
                         f"{kernel - 1}, not {layer.stride} and {layer.padding}")
    size = [output_size(n, kernel, layer.stride, layer.padding) for n in (height, width)]
    if min(size) < 1:
        raise ModelError(f"Layer {layer.name}: a map of {height}x{width} must not be smaller than "
                         f"the {kernel}x{kernel} kernel")
    shape = (out_channels, *size)
    match layer.drain:
        case Logits():
            if shape != (model.classes, 1, 1):
                raise ModelError(f"Layer {layer.name}: logits must have shape "
                                 f"{(model.classes, 1, 1)}, not {shape}")
            return {LOGITS: (model.classes,)}
        case Fire():
            return {counts_name(layer): shape}
        case Write(previous=previous):
            if previous is not None and _look_up(layer, previous, known, "stream") != shape:
                raise ModelError(f"Layer {layer.name}: {previous} must have shape {shape}, "
                                 f"not {known[previous]}")
            return {stream_name(layer): shape, counts_name(layer): shape}
        case _:
            raise ModelError(f"Layer {layer.name}: the drain must be Fire, Write or Logits, "
                             f"not {layer.drain!r}")


def _key_value(layer, known):
    if not layer.name.endswith(".kv"):
        raise ModelError(f"Layer {layer.name}: a memory's name must end in .kv")
    keys = _look_up(layer, layer.keys, known, "counts")
    values = _look_up(layer, layer.values, known, "counts")
    if keys[1:] != values[1:]:
        raise ModelError(f"Layer {layer.name}: keys and values must have the same tokens, "
                         f"not {keys[1:]} and {values[1:]}")
    for channels, noun in ((keys[0], "keys"), (values[0], "values")):
        _require_heads(layer, layer.heads >= 1 and channels % layer.heads == 0,
                       f"{channels} channels of {noun}")
    return {kv_name(layer): (layer.heads, keys[0] // layer.heads, values[0] // layer.heads)}


def _require_heads(layer, fits, what):
    if not fits:
        raise ModelError(f"Layer {layer.name}: {layer.heads} heads must divide the channels "
                         f"equally and agree along the block, but {what}")


def _require_drain(layer, kind):
    if not isinstance(layer.drain, kind):
        raise ModelError(f"Layer {layer.name}: the drain must be {kind.__name__}, "
                         f"not {layer.drain!r}")


def _look_up(layer, name, known, *kinds):
    """Shape of a source, which must exist and be of a kind that the layer reads."""
    if name not in known:
        raise ModelError(f"Layer {layer.name}: source {name} must be the output of an earlier "
                         "layer")
    kind = PIXELS if name == PIXELS else name.rpartition(".")[2]
    if kind not in kinds:
        raise ModelError(f"Layer {layer.name}: source {name} must be a tensor of "
                         f"{' or '.join(kinds)}, not of {kind}")
    return known[name]
