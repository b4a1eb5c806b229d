"""What a run costs: additions executed, and mean spike counts."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from golden.hints import Tensors
from golden.model.executor import run
from golden.model.integer_model import IntegerModel
from golden.names import PIXELS
from golden.spike import SpikeCode, set_bits


__all__ = ["additions", "additions_per_image", "mean_counts", "skipping_macs"]


#: Images whose tensors are in memory at the same time.
_BATCH = 100


def additions_per_image(
    model: IntegerModel, tensors: Tensors, code: SpikeCode | Mapping[str, SpikeCode]
) -> dict[str, NDArray[np.int64]]:
    """Additions that each image causes in each layer.

    An addition is one accumulator update by a set spike bit. Taps on padding, stream additions and
    threshold comparisons are not counted. Pixels are bit planes in every code. In attention the
    spikes of keys gate rows of values, and the spikes of queries gate rows of the memory.

    Parameters
    ----------
    model : IntegerModel
    tensors : dict of str to int64 array
        A trace: ``golden.run(model, images, trace=True).tensors``.
    code : SpikeCode or dict of str to SpikeCode
        Of all layers, or of each.

    Returns
    -------
    dict of str to int64 array, shape (images,)
        Keyed by the layer's name.
    """
    codes = (
        dict.fromkeys((layer.name for layer in model.layers), code)
        if isinstance(code, str)
        else code
    )

    def bits(code, values, name):
        return (
            set_bits(values, SpikeCode.BIT_SERIAL, 255)
            if name == PIXELS
            else set_bits(values, code, model.max_count)
        )

    return {
        layer.name: layer.events(tensors, partial(bits, codes[layer.name]))
        for layer in model.layers
    }


def additions(
    model: IntegerModel,
    tensors: Tensors,
    code: SpikeCode | Mapping[str, SpikeCode],
) -> dict[str, int]:
    """Additions that all images together cause in each layer.

    Parameters and counting rule are those of `additions_per_image`.

    Returns
    -------
    dict of str to int
    """
    return {
        name: int(counts.sum())
        for name, counts in additions_per_image(model, tensors, code).items()
    }


def skipping_macs(model: IntegerModel, tensors: Tensors) -> dict[str, NDArray[np.int64]]:
    """Multiplications of each image and layer that a machine does which skips inputs of zero.

    Parameters and counting rule are those of `additions_per_image`, for counts that are multiplied
    as they are.

    Returns
    -------
    dict of str to int64 array, shape (images,)
    """
    return {layer.name: layer.events(tensors, _present) for layer in model.layers}


def mean_counts(model: IntegerModel, images: NDArray[np.uint8]) -> dict[str, float]:
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
    sums, sizes = {}, {}
    for first in range(0, len(images), _BATCH):
        tensors = run(model, images[first : first + _BATCH], trace=True).tensors
        tensors[PIXELS] = set_bits(tensors[PIXELS], SpikeCode.BIT_SERIAL, 255)
        for name, tensor in tensors.items():
            if name == PIXELS or name.endswith(".counts"):
                sums[name] = sums.get(name, 0) + int(tensor.sum())
                sizes[name] = sizes.get(name, 0) + tensor.size
    return {name: sums[name] / sizes[name] for name in sums}


def _present(values, name):
    """1 for every input that is not 0."""
    return (values != 0).astype(np.int64)
