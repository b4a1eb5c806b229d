"""Jobs that convolve: those of the model's layers, and those that copy counts."""

import numpy as np

from golden import PIXELS

from ...isa.passes import split_msb_pays
from ...isa.plan import LayerPlan
from ..layer_descriptor import tile_descriptor
from ..tap_windows import conv_tap_windows


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
    kernel, lanes = layer.weight.shape[2], context.lanes
    _, *size = context.shapes[layer.source]
    rows = _weight_rows(layer, source, channels)
    row_step = 1 if layer.depthwise else lanes
    # Of a depthwise layer, the next word of a line is the next position's.
    words, word_stride = (1, source.words) if layer.depthwise else (source.words, 1)
    tap_rows, positions = conv_tap_windows(
        layer,
        size=size,
        out_size=out_size,
        words=words,
        stride=source.words,
        tap_rows=rows.shape[1] // kernel**2,
        columns=context.columns,
    )
    descriptor = context.descriptor(
        source,
        row_step=row_step,
        word_stride=word_stride,
        # One line alone may have any stride.
        column_stride=(out_size[0] > 1) * layer.axes[0].stride * size[1] * source.words,
        shift=getattr(layer.epilogue, "shift", 0),
        depthwise=int(layer.depthwise),
        releases=int(layer is _last_of_pixels(context.model)),
        split_msb=_msb_first(context, source, layer),
    )
    neurons = context.neurons.place(layer, channels)
    first = context.add_rows(rows.reshape(-1, lanes))
    tiles = tuple(
        tile_descriptor(
            channels[tile],
            spike=source.base + (tile if layer.depthwise else 0),
            row=first + tile * rows.shape[1],
            words=0,
            out=where.out[tile],
            neuron=neurons[tile],
            stream=where.residual + tile * lanes if where.stream else 0,
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
            taps=_mean_taps(layer, size, out_size),
        ),
        tap_rows,
        positions,
    )


def _weight_rows(layer, source, channels):
    """Rows of the weight memory, tap by tap; shape (tiles, rows, lanes)."""
    outputs, inputs, *kernel = layer.weight.shape
    # One more channel on both sides, which is 0, serves lanes that have none.
    weight = np.zeros((outputs + 1, inputs + 1, *kernel), np.int8)
    weight[:-1, :-1] = layer.weight
    if layer.depthwise:
        rows = weight[channels, 0].transpose(0, 2, 3, 1)
    else:
        rows = weight[channels][:, :, source.channels].transpose(0, 4, 5, 2, 3, 1)
    return rows.reshape(len(channels), -1, channels.shape[1])


def _last_of_pixels(model):
    """The last layer that reads pixels."""
    return [layer for layer in model.layers if PIXELS in layer.reads][-1]


def _msb_first(context, source, layer):
    """Whether a layer takes the MSB plane in a pass of its own."""
    model = context.model
    return (
        source.tensor != PIXELS
        and not layer.depthwise
        and split_msb_pays(
            context.code,
            model.max_count,
            model.mean_count(layer.source),
            layer.weight.shape[1] / source.words,
        )
    )


def _mean_taps(layer, size, out_size):
    """Mean number of taps inside the map, of all output positions."""
    mean = 1.0
    for axis, inputs, outputs in zip(layer.axes, size, out_size, strict=True):
        begins = [index * axis.stride - axis.before for index in range(outputs)]
        inside = [min(begin + axis.kernel, inputs) - max(begin, 0) for begin in begins]
        mean *= sum(inside) / outputs
    return mean
