"""How often the integer network counts otherwise than the float one, layer by layer.

Differences compound from layer to layer, so every integer layer is given the float network's own
spikes and streams: what is counted is what that layer does by itself.
"""

import torch

from train.network.arithmetic import FloatArithmetic, Stream
from train.network.model import to_maps
from train.quant.integer import IntegerArithmetic


__all__ = ["Comparison", "compare_with_float"]


class Comparison:
    """What a float network and its integers made of the same images.

    Parameters
    ----------
    mismatches : dict of str to (int, int)
        Per layer with a neuron: counts that differ although the layer's inputs are the float
        network's, and all of its counts.
    scores : float64 tensor, shape (images, classes)
        The float network's.
    """

    def __init__(self, mismatches, scores):
        self.mismatches = mismatches
        self.scores = scores

    def rates(self):
        """Share of differing counts per layer, 0 to 1."""
        return {name: wrong / total for name, (wrong, total) in self.mismatches.items()}


@torch.no_grad()
def compare_with_float(quantised, images, *, progress=None):
    """Run a network in float64, and each of its integer layers on the float network's tensors.

    Parameters
    ----------
    quantised : QuantisedNetwork
    images : uint8 array, shape (images, height, width, channels)
    progress : function of (int, int), optional
        Called with the number of images done and their total.

    Returns
    -------
    Comparison
    """
    arithmetic = _ForcedArithmetic(quantised)
    scores = []
    for index in range(len(images)):
        scores.append(quantised.network(to_maps(images[index : index + 1]).double(), arithmetic))
        if progress is not None:
            progress(index + 1, len(images))
    return Comparison(arithmetic.mismatches, torch.cat(scores))


class _ForcedArithmetic(FloatArithmetic):
    """The float network, which also hands every layer's inputs to the layer's integers."""

    def __init__(self, quantised):
        super().__init__(quantised.shape)
        self.mismatches = {}
        self._integer = IntegerArithmetic(
            quantised.shape, quantised.grids, weight_bits=quantised.weight_bits
        )

    def fire(self, name, conv, norm, spikes):
        fired = super().fire(name, conv, norm, spikes)
        self._compare(name, fired, self._integer.fire(name, conv, norm, self._counts(spikes)))
        return fired

    def stem(self, name, conv, norm, pixels):
        stream = super().stem(name, conv, norm, pixels)
        # Pixels over 256 are whole numbers again, without rounding.
        self._compare_streams(stream, self._integer.stem(name, conv, norm, pixels * 256))
        return stream

    def write(self, name, conv, norm, spikes, *, previous):
        stream = super().write(name, conv, norm, spikes, previous=previous)
        written = self._integer.write(name, conv, norm, self._counts(spikes), previous=previous)
        self._compare_streams(stream, written)
        return stream

    def attention(self, name, queries, keys, values, *, heads):
        spikes = super().attention(name, queries, keys, values, heads=heads)
        counts = self._integer.attention(
            name, *map(self._counts, (queries, keys, values)), heads=heads
        )
        self._compare(f"{name}.attn", spikes, counts)
        return spikes

    def token_mean(self, name, stream):
        counts = super().token_mean(name, stream)
        self._add(name, counts, self._integer.token_mean(name, stream))
        return counts

    def _counts(self, spikes):
        """Whole counts of spikes that were divided."""
        return (spikes * self.shape.divisor).round()

    def _compare_streams(self, stream: Stream, written: Stream):
        self._compare(stream.name, stream.spikes, written.spikes)

    def _compare(self, name, spikes, counts):
        self._add(name, self._counts(spikes), counts)

    def _add(self, name, wanted, counts):
        wrong, total = self.mismatches.get(name, (0, 0))
        wrong += int((wanted != counts).sum())
        self.mismatches[name] = wrong, total + counts.numel()
