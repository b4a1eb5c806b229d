"""Copies: layers that no model has, which store counts once more where another layer needs them."""

from dataclasses import replace

import numpy as np

from golden import PIXELS, Conv, Fire, Neuron, Rounding

from ...isa.formed_maps import FormedMap
from ..orders import contiguous
from .convolve import convolve


__all__ = ["copied", "copy_layer", "in_order", "joined"]


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
    source, size, layer = _to_copy(context, reader, role, tensor)
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


def joined(context, step, layer):
    """The layer, which reads one map: all of its sources, one behind the other.

    Each word of a position belongs to one source, and is a copy.
    """
    if len(layer.sources) == 1:
        return layer
    name = f"{layer.name} (sources)"
    shapes = [context.shapes[source] for source in layer.sources]
    firsts = np.cumsum([0, *(channels for channels, *_ in shapes)]).tolist()
    orders = [contiguous(channels, context.lanes) for channels, *_ in shapes]
    order = np.concatenate([
        np.where(words < 0, -1, words + first)
        for words, first in zip(orders, firsts[:-1], strict=True)
    ])
    _, *size = shapes[0]
    context.form(name, FormedMap(layer.sources, (firsts[-1], *size)))
    whole = context.places.in_spikes(name, order, int(np.prod(size)), step=step, last=step).target
    word = 0
    for number, (source, words) in enumerate(zip(layer.sources, orders, strict=True), start=1):
        placed, _, copy = _to_copy(context, layer, f"source {number}", source)
        where = context.places.in_part(whole, word, source, words)
        convolve(context, copy, placed, words, size, where)
        word += len(words)
    return replace(layer, sources=(name,))


def _to_copy(context, reader, role, tensor):
    """Map of counts, its size, and a layer that copies it."""
    if tensor == PIXELS:
        raise ValueError(
            f"Layer {reader.name} needs channels in another order than pixels have: "
            "put a layer that fires in front of it"
        )
    n_channels, *size = context.shapes[tensor]
    layer = copy_layer(f"{reader.name} ({role})", tensor, n_channels, context.model.max_count)
    # In any order of channels.
    weight = np.eye(n_channels, dtype=np.int8)[:, :, np.newaxis, np.newaxis]
    return context.maps[tensor], size, replace(layer, weight=weight, groups=1)


def copy_layer(name, tensor, channels, max_count):
    """A layer whose counts are those that it reads.

    Each potential is one count, and the j-th spike fires from j on.

    Parameters
    ----------
    name : str
    tensor : str
        Counts, which are read in their own order.
    channels, max_count : int

    Returns
    -------
    Conv
    """
    weight = np.ones((channels, 1, 1, 1), np.int8)
    ladder = np.arange(1, max_count + 1)[np.newaxis]
    fire = Fire(Neuron(ladder, Rounding.HALF_UP))
    return Conv.square(name, tensor, weight, 2, 1, 0, channels, fire)
