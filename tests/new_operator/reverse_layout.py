"""What ``hw/compiler/layouts/reverse.py`` would be: a convolution with rows of one 1 each."""

import numpy as np

from golden import Conv
from golden.names import counts_name
from hw.compiler.layouts.convolve import convolve
from hw.compiler.orders import contiguous


__all__ = ["lay_out", "refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """A core runs every such layer."""


def lay_out(context, step, layer):
    """Adds the layer as the array computes it."""
    name, source = counts_name(layer), context.maps[layer.source]
    n_channels, *size = context.shapes[name]
    weight = np.eye(n_channels, dtype=np.int8)[::-1, :, np.newaxis, np.newaxis]
    as_conv = Conv.square(layer.name, layer.source, weight, 2, 1, 0, 1, layer.epilogue)
    channels = contiguous(n_channels, context.lanes)
    where = context.places.in_spikes(
        name, channels, int(np.prod(size)), step=step, last=context.places.last(name, step)
    )
    convolve(context, as_conv, source, channels, size, where)
