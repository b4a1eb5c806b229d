"""Jobs that convolve: those of the model's layers, and those that copy counts."""

import numpy as np

from golden import PIXELS

from ...isa.descriptors import ROWS
from ...isa.plan import LayerPlan
from ..ladders import potential_shift
from ..layer_descriptor import tile_descriptor
from ..tap_windows import conv_taps


__all__ = ["convolve"]


def convolve(context, layer, source, channels, out_size, where):
    """Adds what computes a convolution or a copy.

    Parameters
    ----------
    context : Context
    layer : Conv
    source : SpikeMap
        The map that is walked.
    channels : int array, shape (tiles, lanes)
        Output channel of each lane, -1 where there is none.
    out_size : (int, int)
        Height and width of the output.
    where : ResultLocation
    """
    lanes, stride = context.lanes, source.words
    _, *size = context.shapes[layer.source]
    # Words of each input position that a tile reads, and how many of them come before those.
    words = 1 if layer.depthwise else stride // layer.groups
    skipped = _skipped(layer, source, channels)
    taps = conv_taps(
        layer,
        size=size,
        words=words,
        stride=stride,
        unit=1 if layer.depthwise else lanes,
        columns=context.columns,
    )
    rows = _weight_rows(layer, source, channels, taps, words=words, skipped=skipped)
    descriptor = context.descriptor(
        source,
        row_step=1 if layer.depthwise else lanes,
        word_stride=taps.word_stride,
        column_stride=taps.column_stride,
        shift=(1 << potential_shift(layer.epilogue)) - 1,
        depthwise=int(layer.depthwise),
        releases=int(layer is _last_of_pixels(context.model)),
    )
    neurons = context.neurons.place(layer, channels)
    first = context.add_rows(rows.reshape(-1, lanes))
    tiles = tuple(
        tile_descriptor(
            channels[tile],
            spike=source.base + skipped[tile],
            row=first + tile * rows.shape[1],
            words=0,
            out=where.out[tile],
            neuron=neurons[tile],
            stream=where.residual.of_tile(tile) if where.stream else 0,
        )
        for tile in range(len(channels))
    )
    context.add(
        LayerPlan(
            layer,
            descriptor | where.descriptor,
            tiles,
            tuple(out_size),
            (),
            channels,
            source,
            where.stores,
            where.target,
            where.stream,
            rows_per_tile=rows.shape[1],
            inputs=layer.weight.shape[1],
            taps=_mean_taps(layer, size),
        ),
        taps.rows,
        taps.positions,
    )


def _skipped(layer, source, channels):
    """Words of an input position in front of those that each tile reads."""
    if layer.depthwise:
        return list(range(len(channels)))
    groups = channels.max(axis=1) // (layer.channels // layer.groups)
    return (groups * (source.words // layer.groups)).tolist()


def _weight_rows(layer, source, channels, taps, *, words, skipped):
    """Rows of the weight memory, line by line of the kernel; shape (tiles, rows, lanes).

    Behind an odd number of rows, one more is 0.
    """
    outputs, inputs, *kernel = layer.weight.shape
    # One more channel on both sides, which is 0, serves lanes that have none.
    weight = np.zeros((outputs + 1, inputs + 1, *kernel), layer.weight.dtype)
    weight[:-1, :-1] = layer.weight[..., taps.order]
    if layer.depthwise:
        rows = weight[channels, 0].transpose(0, 2, 3, 1)
    else:
        # Channels of a group count from its first one.
        read = source.channels[np.add.outer(skipped, np.arange(words))]
        read = np.where(read < 0, -1, read % inputs)
        found = weight[channels[:, :, None, None], read[:, None]]
        # Tiles, lanes, words, channels of a word, lines, taps.
        rows = (
            found.transpose(0, 4, 2, 5, 3, 1) if taps.by_word else found.transpose(0, 4, 5, 2, 3, 1)
        )
    rows = rows.reshape(len(channels), -1, channels.shape[1])
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % ROWS), (0, 0)))


def _last_of_pixels(model):
    """The last layer that reads pixels."""
    return [layer for layer in model.layers if PIXELS in layer.reads][-1]


def _mean_taps(layer, size):
    """Mean number of taps inside the map, of all output positions."""
    mean = 1.0
    for axis, inputs in zip(layer.axes, size, strict=True):
        mean *= (axis.reads(inputs) >= 0).sum(axis=1).mean()
    return float(mean)
