"""What a network does on many images: spikes, operations and bits moved, layer by layer."""

from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from golden.analysis.activity import additions, skipping_macs
from golden.hints import Progress
from golden.model.executor import classify, run
from golden.model.integer_model import IntegerModel
from golden.model.ranges import widths
from golden.model.shapes import tensor_infos
from golden.names import PIXELS
from golden.spike import SpikeCode


__all__ = ["ActivityStatistics", "LayerStatistics", "take_statistics"]


#: Images whose tensors are in memory at the same time.
_BATCH = 50


@dataclass
class LayerStatistics:
    """One layer; operations are sums over all images.

    Parameters
    ----------
    name : str
    inputs : str or None
        Tensor whose spikes gate the additions; ``None`` where no spikes do.
    macs : int
        Multiply-accumulates per image of a machine that neither skips zeros nor padding.
    operand_bits : int
        Width of what one addition adds: a weight, a value's count, or an entry of the memory.
    additions : dict of SpikeCode to int
        Executed, padding left out.
    skipping : int
        Multiplications of a machine that skips inputs of zero, padding left out.
    """

    name: str
    inputs: str | None
    macs: int
    operand_bits: int
    additions: dict[SpikeCode, int] = field(default_factory=lambda: dict.fromkeys(SpikeCode, 0))
    skipping: int = 0


@dataclass
class ActivityStatistics:
    """A network on a number of images.

    Parameters
    ----------
    images : int
    right : int or None
        Images whose class is their label.
    layers : dict of str to LayerStatistics
    histograms : dict of str to int64 array, shape (D + 1,)
        Per ``*.counts`` tensor, how often a neuron fired 0, 1, ... spikes.
    pixel_bits : float
        Mean set bits of a pixel, of 8.
    max_count : int
    stream_bits : int
        Of the residual stream, written and read, per image.
    activation_values : int
        Counts per image that are written once, and read once by every layer that takes them.
    """

    images: int
    right: int | None
    layers: dict[str, LayerStatistics]
    histograms: dict[str, NDArray[np.int64]]
    pixel_bits: float
    max_count: int
    stream_bits: int
    activation_values: int

    def mean_count(self, name: str) -> float:
        """Mean spikes of a ``*.counts`` tensor's neuron, or mean set bits of a pixel."""
        if name == PIXELS:
            return self.pixel_bits
        histogram = self.histograms[name]
        return float(histogram @ np.arange(len(histogram)) / histogram.sum())


def take_statistics(
    model: IntegerModel,
    images: NDArray[np.uint8],
    labels: NDArray[np.integer] | None = None,
    *,
    progress: Progress | None = None,
) -> ActivityStatistics:
    """Run a model and count.

    Parameters
    ----------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    labels : integer array, shape (images,), optional
    progress : function of (int, int), optional
        Called with the number of images done and their total.

    Returns
    -------
    ActivityStatistics
    """
    statistics = _empty(model)
    pixel_bits, right = 0, 0
    for first in range(0, len(images), _BATCH):
        part = images[first : first + _BATCH]
        result = run(model, part, trace=True)
        for code in SpikeCode:
            for name, number in additions(model, result.tensors, code).items():
                statistics.layers[name].additions[code] += number
        for name, numbers in skipping_macs(model, result.tensors).items():
            statistics.layers[name].skipping += int(numbers.sum())
        for name in statistics.histograms:
            found = np.bincount(result.tensors[name].ravel(), minlength=model.max_count + 1)
            statistics.histograms[name] += found
        pixel_bits += int(np.bitwise_count(part).sum())
        if labels is not None:
            right += int((classify(result.logits) == labels[first : first + _BATCH]).sum())
        if progress is not None:
            progress(first + len(part), len(images))
    statistics.images = len(images)
    statistics.right = None if labels is None else right
    statistics.pixel_bits = pixel_bits / images.size
    return statistics


def _empty(model):
    known, bits = tensor_infos(model), model.widths or widths(model)
    layers = {
        layer.name: LayerStatistics(
            layer.name,
            layer.reads[0] if layer.SPIKING else None,
            prod(layer.products(known)),
            layer.operand_bits(known, bits),
        )
        for layer in model.layers
    }
    histograms = {
        name: np.zeros(model.max_count + 1, np.int64) for name in known if name.endswith(".counts")
    }
    return ActivityStatistics(
        images=0,
        right=None,
        layers=layers,
        histograms=histograms,
        pixel_bits=0.0,
        max_count=model.max_count,
        stream_bits=_stream_bits(model, known, bits),
        activation_values=_activation_values(model, known),
    )


def _stream_bits(model, known, bits):
    """Bits of the stream that are written, and read for the next addition or the token sum."""
    return sum(layer.stream_bits(known, bits) for layer in model.layers)


def _activation_values(model, known):
    """Counts that are written once and read once by every layer that takes them."""
    written = sum(info.values for name, info in known.items() if name.endswith(".counts"))
    read = sum(
        known[name].values
        for layer in model.layers
        for name in layer.reads
        if name.endswith(".counts")
    )
    return written + read
