"""Layout of a convolution: which lanes its channels take, and where its results go."""

import numpy as np

from golden import Logits, Write
from golden.names import counts_name

from ..orders import by_head, contiguous, in_class_order
from .convolve import convolve
from .copies import copied


__all__ = ["lay_out", "refuse"]


def refuse(layer, ranges, weight_width):
    """Raises ValueError if weights are to have fewer bits in memory than the layer's."""
    if weight_width is not None and weight_width < layer.weight_bits:
        raise ValueError(f"--weight-width must be at least the {layer.weight_bits} bits of layer "
                         f"{layer.name}, not {weight_width!r}")


def lay_out(context, step, layer):
    """Adds a convolution of the model."""
    name, places = counts_name(layer), context.places
    channels, source = _channels(context, layer), context.maps[layer.source]
    # A lane of a depthwise layer reads the channel that it computes.
    if layer.depthwise and not np.array_equal(source.channels, channels):
        source = copied(context, step, layer, "source", layer.source, channels)
    _, *size = context.shapes.get(name, (0, 1, 1))
    positions = int(np.prod(size))
    match layer.drain:
        case Logits():
            where = places.in_logits(channels)
        case Write():
            where = places.in_stream(layer, channels, positions, step=step)
        case _:
            place = places.in_values if name in context.values else places.in_spikes
            where = place(name, channels, positions, step=step, last=places.last(name, step))
    convolve(context, layer, source, channels, size, where)


def _channels(context, layer):
    """Channels of the words that a convolution stores."""
    match layer.drain:
        case Logits():
            return in_class_order(layer.channels, context.lanes)
        case Write():
            # As all versions of a stream.
            return contiguous(layer.channels, context.lanes)
    if (heads := context.values.get(counts_name(layer))) is not None:
        return by_head(layer.channels, heads, context.lanes)
    return (context.maps[layer.source].channels if layer.depthwise
            else contiguous(layer.channels, context.lanes))
