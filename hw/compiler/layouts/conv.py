"""Layout of a convolution: which lanes its channels take, and where its results go."""

import numpy as np

from golden import Output, Write
from golden.names import counts_name

from ..orders import by_head, contiguous, in_class_order
from .convolve import convolve
from .copies import copied
from .rules import require


__all__ = ["lay_out", "refuse"]


def refuse(layer, ranges, weight_width):
    """Raises ValueError if no core runs the layer, or weights are to have fewer bits than it has.

    The array walks one source by square windows, and multiplies nothing by more than 8 bits.
    """
    require(
        layer,
        len(layer.sources) == 1,
        "reads several sources one behind the other",
        "write it as a sum of convolutions of one source each",
    )
    require(
        layer,
        layer.groups == 1 or layer.depthwise,
        f"has {layer.groups} groups, which is neither 1 nor depthwise",
        "use one group, with weights of 0 between channels of different ones",
    )
    down, across = layer.axes
    require(
        layer,
        down == across and down.plain,
        "has a kernel that is not square or dilated, padding that is uneven, or an axis that "
        "is stretched",
        "use a square kernel with the same stride and padding on all sides, "
        "filled up with weights of 0",
    )
    require(layer, layer.time == "each", "sums over time", "use a model of one step")
    require(
        layer,
        layer.weight_bits <= 8,
        f"has weights of {layer.weight_bits} bits",
        "export with at most 8",
    )
    if weight_width is not None and weight_width < layer.weight_bits:
        raise ValueError(
            f"--weight-width must be at least the {layer.weight_bits} bits of layer "
            f"{layer.name}, not {weight_width!r}"
        )


def lay_out(context, step, layer):
    """Adds a convolution of the model."""
    name, places = counts_name(layer), context.places
    channels, source = _channels(context, layer), context.maps[layer.source]
    # A lane of a depthwise layer reads the channel that it computes.
    if layer.depthwise and not np.array_equal(source.channels, channels):
        source = copied(context, step, layer, "source", layer.source, channels)
    _, *size = context.shapes.get(name, (0, 1, 1))
    positions = int(np.prod(size))
    match layer.epilogue:
        case Output():
            where = places.in_logits(channels)
        case Write():
            where = places.in_stream(layer, channels, size, step=step)
        case _:
            place = places.in_values if name in context.values else places.in_spikes
            where = place(name, channels, positions, step=step, last=places.last(name, step))
    convolve(context, layer, source, channels, size, where)


def _channels(context, layer):
    """Channels of the words that a convolution stores."""
    match layer.epilogue:
        case Output():
            return in_class_order(layer.channels, context.lanes)
        case Write():
            # As all versions of a stream.
            return contiguous(layer.channels, context.lanes)
    if (heads := context.values.get(counts_name(layer))) is not None:
        return by_head(layer.channels, heads, context.lanes)
    return (
        context.maps[layer.source].channels
        if layer.depthwise
        else contiguous(layer.channels, context.lanes)
    )
