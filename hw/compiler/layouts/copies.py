"""Copies: layers that no model has, which store counts once more where another layer needs them."""

import numpy as np

from golden import PIXELS, Conv, Fire, Neuron, Rounding

from ..orders import contiguous
from .convolve import convolve


__all__ = ["copied", "in_order"]


def copied(context, step, reader, role, tensor, channels, *, values=False):
    """A copy of counts in another layout, or as rows of values, for one layer that reads them.

    Parameters
    ----------
    context : Context
    step : int
        Number of the layer that reads it, at which step alone it is there.
    reader : Operator
    role : str
        What the layer reads it as.
    tensor : str
    channels : int array, shape (words, lanes)
        Channel of each lane, -1 where there is none.
    values : bool
        Whether it becomes rows of values.

    Returns
    -------
    SpikeMap or None
        None of values.

    Raises
    ------
    ValueError
        If pixels would have to be copied.
    """
    if tensor == PIXELS:
        raise ValueError(
            f"Layer {reader.name} needs channels in another order than pixels have: "
            "put a layer that fires in front of it"
        )
    source, (n_channels, *size) = context.maps[tensor], context.shapes[tensor]
    layer = _copy(tensor, n_channels, context.model.max_count, name=f"{reader.name} ({role})")
    if values:
        where = context.places.in_values(tensor, channels, source.positions, step=step, last=step)
    else:
        where = context.places.in_spikes(
            tensor, channels, source.positions, step=step, last=step, copy=layer.name
        )
    convolve(context, layer, source, channels, size, where)
    return where.target


def in_order(context, step, layer, role, tensor):
    """The map of counts whose channels lie in order, as attention reads them."""
    channels = contiguous(context.shapes[tensor][0], context.lanes)
    if tensor in context.maps and np.array_equal(context.maps[tensor].channels, channels):
        return context.maps[tensor]
    return copied(context, step, layer, role, tensor, channels)


def _copy(tensor, channels, max_count, *, name):
    """A layer whose counts are those that it reads.

    Each potential is one count, and the j-th spike fires from j on.
    """
    weight = np.eye(channels, dtype=np.int8)[:, :, np.newaxis, np.newaxis]
    ladder = np.arange(1, max_count + 1)[np.newaxis]
    return Conv.square(name, tensor, weight, 2, 1, 0, 1, Fire(Neuron(ladder, Rounding.HALF_UP)))
