"""Layout of a convolution: which lanes its channels take, and where its results go."""

import numpy as np

from golden import PIXELS, Output, Write
from golden.names import counts_name, stream_name

from ...isa.formed_maps import FormedMap
from ..orders import by_head, contiguous, in_class_order
from .convolve import convolve
from .copies import copied, joined
from .rules import require, require_inside, require_weight_width


__all__ = ["lay_out", "refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError if no core runs it, or weights are to have fewer bits than it has."""
    require(
        layer,
        len(layer.sources) == 1 or PIXELS not in layer.sources,
        "reads pixels beside counts",
        "put a layer that fires between the pixels and it",
    )
    require_inside(
        layer, shapes, "fill its kernel up with weights of 0 until every position reads something"
    )
    require(layer, layer.time == "each", "sums over time", "use a model of one step")
    require_weight_width(layer, weight_width)


def lay_out(context, step, layer):
    """Adds a convolution of the model."""
    layer = joined(context, step, layer)
    name, places = counts_name(layer), context.places
    channels, source = _channels(context, layer), context.maps[layer.source]
    _check_groups(layer, channels)
    # A lane of a depthwise layer reads the channel that it computes. Those of other groups begin
    # with a word.
    wanted = (
        channels
        if layer.depthwise
        else by_head(context.shapes[layer.source][0], layer.groups, context.lanes)
    )
    if layer.groups > 1 and not np.array_equal(source.channels, wanted):
        source = copied(context, step, layer, "source", layer.source, wanted)
    match layer.epilogue:
        case Output():
            size = 1, 1
            where = places.in_logits(channels)
        case Write(neuron=neuron):
            shape = _, *size = context.shapes[stream_name(layer)]
            if neuron is None:
                context.form(name, FormedMap((), shape))
            where = places.in_stream(layer, channels, size, step=step)
        case _:
            _, *size = context.shapes[name]
            place = places.in_values if name in context.values else places.in_spikes
            where = place(
                name, channels, int(np.prod(size)), step=step, last=places.last(name, step)
            )
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
    if layer.depthwise:
        return context.maps[layer.source].channels
    return by_head(layer.channels, layer.groups, context.lanes)


def _check_groups(layer, channels):
    """Raises ValueError if a word of results mixes groups of inputs."""
    of_group = layer.channels // layer.groups
    groups = np.where(channels < 0, channels.max(axis=1, keepdims=True), channels) // of_group
    if not layer.depthwise and (groups != groups[:, :1]).any():
        raise ValueError(
            f"Layer {layer.name} stores words of {channels.shape[1]} channels, but its groups have "
            f"{of_group}: take lanes that divide them, or use one group, with weights of 0 "
            "between channels of different ones"
        )
