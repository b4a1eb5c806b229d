"""Networks that nobody has trained, with counts as a trained network has them."""

import re
from collections import defaultdict
from dataclasses import replace

import numpy as np

from golden.analysis.activity import mean_counts
from golden.model.ranges import widths
from golden.names import PIXELS
from golden.neuron import Neuron


__all__ = ["drawn_like", "kind_of"]


#: Where a layer is: its stage and the number of its block.
_PLACE = re.compile(r"^(downsample|ConvBlock|block)\d+(_\d+)?(\.\d+)?")


def kind_of(name):
    """What a layer does, wherever it is.

    Examples
    --------
    >>> kind_of("block3.5.attn.q"), kind_of("ConvBlock1_2.0.conv1"), kind_of("downsample3")
    ('block.attn.q', 'ConvBlock.conv1', 'downsample')
    """
    return _PLACE.sub(r"\1", name)


def drawn_like(model, image, histograms):
    """A model whose neurons fire, on one image, as often as those of the same kind of layer do.

    A layer that fires gets thresholds between which as many of its potentials lie as the histogram
    says, as near as integers allow: those of a channel where its neurons have thresholds of their
    own, those of the whole layer where they share them. Thresholds of a stream follow from its
    fraction bits, so that a layer that writes one gets a bias that brings the mean count nearest to
    the histogram's. Sums over tokens stay as they are.

    Parameters
    ----------
    model : IntegerModel
        With names of layers like those of the trained network.
    image : uint8 array, shape (1, height, width, channels)
    histograms : dict of str to int array, shape (D + 1,)
        Of the trained network, by tensor.

    Returns
    -------
    IntegerModel
    """
    totals = defaultdict(int)
    for name, histogram in histograms.items():
        totals[kind_of(name)] = totals[kind_of(name)] + histogram
    tensors = {PIXELS: image.transpose(0, 3, 1, 2).astype(np.int64)}
    layers = []
    for given in model.layers:
        layer = given
        *_, potentials = layer.potentials(tensors, max_count=model.max_count)
        neuron = getattr(layer.epilogue, "neuron", None)
        if neuron is not None and layer.KIND != "sum":
            histogram = totals[kind_of(f"{layer.name}.counts")]
            stored = layer.store(potentials, tensors)
            stream = stored.get(f"{layer.name}.stream")
            if stream is None:
                ladder = _ladder(potentials, histogram, each=len(neuron.thresholds) > 1)
                changed = {"neuron": Neuron(ladder, neuron.rounding)}
            else:
                changed = {"bias": layer.epilogue.bias + _offset(stream, neuron, histogram)}
            layer = replace(layer, epilogue=replace(layer.epilogue, **changed))
        layers.append(layer)
        tensors |= layer.store(potentials, tensors)
    drawn = replace(model, layers=tuple(layers), widths=None)
    drawn = replace(drawn, widths=widths(drawn))
    return replace(drawn, mean_counts=mean_counts(drawn, image))


def _offset(stream, neuron, histogram):
    """What to add to a stream, so that the mean count is nearest to the histogram's."""
    wanted = (histogram * np.arange(len(histogram))).sum() / histogram.sum()

    def missed(offset):
        return neuron.fire(stream + offset)[0].mean() - wanted

    # With the first, nothing fires; with the second, everything as often as it can.
    low = int(neuron.ladder.min() - stream.max()) - 1
    high = int(neuron.ladder.max() - stream.min())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if missed(middle) < 0 else (low, middle)
    return min(low, high, key=lambda offset: abs(missed(offset)))


def _ladder(potentials, histogram, *, each):
    """Least potentials that leave, above them, the shares of the counts 1 to D and more."""
    above = histogram[::-1].cumsum()[-2::-1] / histogram.sum()
    channels = np.moveaxis(potentials, 1, 0)
    rows = channels.reshape(len(channels) if each else 1, -1)
    return np.array([[_least(np.sort(row), share) for share in above] for row in rows])


def _least(values, share):
    """Of sorted integers, the one that has the share nearest to ``share`` at it or above it."""
    wanted = len(values) * share
    value = values[min(len(values) - 1, round(len(values) - wanted))]
    reached = [len(values) - np.searchsorted(values, value + more) for more in (0, 1)]
    return value + int(abs(reached[1] - wanted) < abs(reached[0] - wanted))
