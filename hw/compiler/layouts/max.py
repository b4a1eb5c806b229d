"""Layout of max pooling: the words of a window are one, of the largest counts, that is copied."""

import numpy as np

from golden.names import counts_name

from ...isa.descriptors import ROWS
from ...isa.plan import LayerPlan
from ..layer_descriptor import tile_descriptor
from ..tap_windows import conv_taps
from .copies import copy_layer
from .rules import require_inside


__all__ = ["lay_out", "refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError if it reads nothing at some position."""
    require_inside(layer, shapes, "take less padding, or a larger window")


def lay_out(context, step, layer):
    """Adds jobs each of whose lanes takes one count, and fires as often."""
    name, source = counts_name(layer), context.maps[layer.source]
    (_, *inputs), (n_channels, *size) = context.shapes[layer.source], context.shapes[name]
    # A lane takes the channel that it reads.
    channels = source.channels
    where = context.places.in_spikes(
        name, channels, int(np.prod(size)), step=step, last=context.places.last(name, step)
    )
    taps = conv_taps(
        layer, size=inputs, words=1, stride=source.words, unit=0, columns=context.columns
    )
    # Whatever word the largest counts come from, they select this row.
    row = context.add_rows(np.ones((ROWS, context.lanes), np.int8))
    descriptor = context.descriptor(
        source,
        row_step=0,
        word_stride=taps.word_stride,
        column_stride=taps.column_stride,
        depthwise=1,
        maximum=1,
    )
    copy = copy_layer(layer.name, name, n_channels, context.model.max_count)
    neurons = context.neurons.place(copy, channels)
    tiles = tuple(
        tile_descriptor(
            channels[tile],
            spike=source.base + tile,
            row=row,
            words=0,
            out=where.out[tile],
            neuron=neurons[tile],
            stream=0,
        )
        for tile in range(len(channels))
    )
    context.add(
        LayerPlan(
            copy,
            descriptor | where.descriptor,
            tiles,
            tuple(size),
            (),
            channels,
            source,
            name,
            where.target,
            rows_per_tile=ROWS,
            inputs=1,
        ),
        taps.rows,
        taps.positions,
    )
