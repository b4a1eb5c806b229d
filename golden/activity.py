"""What a run costs: additions executed, and mean spike counts."""

import numpy as np

from golden.conv import tap_cover
from golden.model import PIXELS, AnalogHead, Conv, KeyValue, TokenSum
from golden.network import run
from golden.spike import SpikeCode, set_bits


__all__ = ["additions", "additions_per_image", "mean_counts"]


def additions_per_image(model, tensors, code):
    """Additions that each image causes in each layer.

    An addition is one accumulator update by a set spike bit. Taps on padding, stream additions and
    threshold comparisons are not counted. Pixels are bit planes in either code. In attention the
    spikes of keys gate rows of values, and the spikes of queries gate rows of the memory.

    Parameters
    ----------
    model : IntegerModel
    tensors : dict of str to int64 array
        A trace: ``golden.run(model, images, trace=True).tensors``.
    code : SpikeCode

    Returns
    -------
    dict of str to int64 array, shape (images,)
        Keyed by the layer's name.
    """
    return {layer.name: _layer(layer, tensors, code) for layer in model.layers}


def additions(model, tensors, code):
    """Additions that all images together cause in each layer.

    Parameters and counting rule are those of `additions_per_image`.

    Returns
    -------
    dict of str to int
    """
    return {name: int(counts.sum())
            for name, counts in additions_per_image(model, tensors, code).items()}


def mean_counts(model, images):
    """Mean spike count of every ``*.counts`` tensor, and mean set bits of the pixels.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)

    Returns
    -------
    dict of str to float
        What ``IntegerModel.mean_counts`` holds.
    """
    tensors = run(model, images, trace=True).tensors
    means = {PIXELS: float(set_bits(tensors[PIXELS], SpikeCode.BITPLANE).mean())}
    for name, tensor in tensors.items():
        if name.endswith(".counts"):
            means[name] = float(tensor.mean())
    return means


def _layer(layer, tensors, code):
    match layer:
        case Conv():
            source = tensors[layer.source]
            # A spike is added once for every output position that it reaches.
            bits = set_bits(source, SpikeCode.BITPLANE if layer.source == PIXELS else code)
            kernel = layer.weight.shape[2]
            rows, columns = (tap_cover(size, kernel, layer.stride, layer.padding)
                             for size in source.shape[2:])
            lanes = 1 if layer.depthwise else len(layer.weight)
            return bits.sum(axis=1) @ columns @ rows * lanes
        case TokenSum() | AnalogHead():
            # Sums of stream values are not driven by spikes.
            return np.zeros(len(tensors[layer.source]), np.int64)
        case KeyValue():
            spikes, width = tensors[layer.keys], tensors[layer.name].shape[3]
        case _:
            spikes, width = tensors[layer.queries], tensors[layer.key_values].shape[3]
    return set_bits(spikes, code).sum(axis=(1, 2, 3)) * width
