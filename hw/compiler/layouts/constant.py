"""Layout of constants: a convolution of a map of one position, where a neuron always fires."""

import numpy as np

from golden import Axis, Constant, Conv, Fire, Neuron, Rounding

from ...isa.formed_maps import FormedMap
from ...isa.plan import LayerPlan
from ..layer_descriptor import tile_descriptor
from ..orders import contiguous
from ..tap_windows import line_tap_windows
from .conv import lay_out as lay_out_conv
from .rules import require_weight_width


__all__ = ["lay_out", "refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError if weights are to have fewer bits than the layer has."""
    require_weight_width(layer, weight_width)


def lay_out(context, step, layer):
    """Adds a spike, and a convolution that reads it at every position by another tap."""
    axes = tuple(Axis(size, before=size - 1, after=size - 1) for size in layer.weight.shape[1:])
    conv = Conv(
        layer.name,
        (_always_firing(context, step, layer),),
        layer.weight[:, np.newaxis, ::-1, ::-1],
        layer.weight_bits,
        axes,
        1,
        layer.epilogue,
    )
    lay_out_conv(context, step, conv)


def _always_firing(context, step, reader):
    """Name of a map of one channel and one position, whose count is 1: a job without spikes."""
    name = f"{reader.name} (spike)"
    channels = contiguous(1, context.lanes)
    context.form(name, FormedMap((), (1, 1, 1), count=1))
    where = context.places.in_spikes(name, channels, 1, step=step, last=step)
    source = where.target
    # A sum of 0 reaches the threshold of one spike.
    neuron = Neuron(np.zeros((1, 1), np.int64), Rounding.HALF_UP)
    layer = Constant(name, np.zeros((1, 1, 1), np.int8), 2, Fire(neuron))
    # Any word will do to read, since the masks are empty.
    descriptor = context.descriptor(source, word_stride=0, column_stride=0, row_step=0)
    tile = tile_descriptor(
        channels[0],
        first_mask=0,
        last_mask=0,
        spike=source.base,
        row=0,
        words=0,
        out=where.out[0],
        neuron=context.neurons.place(layer, channels)[0],
        stream=0,
    )
    context.add(
        LayerPlan(
            layer,
            descriptor | where.descriptor | {"passes": 0},
            (tile,),
            (1, 1),
            (),
            channels,
            source,
            name,
            source,
        ),
        *line_tap_windows((1, 1), stride=0, columns=context.columns),
    )
    return name
