"""Where the taps of a projection fall."""

import numpy as np

from golden.axis import Axis
from train.projection.compute import four


__all__ = ["axes", "fan_out"]


def axes(conv):
    """Geometry of a convolution along height and width.

    Parameters
    ----------
    conv : nn.Conv2d, nn.Conv1d or what a projection is bound to

    Returns
    -------
    (Axis, Axis)
    """
    strides, dilations = (
        tuple(values) * (2 // len(values)) for values in (conv.stride, conv.dilation)
    )
    pads = conv.padding
    pads = (pads[:2], pads[2:]) if len(pads) == 4 else tuple((pad, pad) for pad in pads)
    pads = pads * (2 // len(pads))
    return tuple(
        Axis(kernel, stride, *pad, dilation)
        for kernel, stride, pad, dilation in zip(
            four(conv.weight).shape[2:], strides, pads, dilations, strict=True
        )
    )


def fan_out(projection, conv):
    """Number of sums that a spike of each position is added to, those of padding left out.

    Parameters
    ----------
    projection : Projection
    conv : object
        What its convolution is bound to.

    Returns
    -------
    int64 array, shape (height, width)
    """
    rows, columns = (
        axis.cover(size) for axis, size in zip(axes(conv), projection.size[1:], strict=True)
    )
    return projection.channels // conv.groups * np.outer(rows, columns)
