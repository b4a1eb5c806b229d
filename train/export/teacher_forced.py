"""How often the integer network counts otherwise than the float one, layer by layer.

Differences compound from layer to layer, so every integer layer is given the float network's own
spikes and streams: what is counted is what that layer does by itself.
"""

import torch

from train.interpret.float_run import FloatRun
from train.interpret.integer_run import IntegerRun
from train.network.images import to_maps
from train.ops import Write


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
    run = _ForcedRun(quantised)
    scores = []
    for index in range(len(images)):
        scores.append(run(quantised.network, to_maps(images[index : index + 1]).double()))
        if progress is not None:
            progress(index + 1, len(images))
    return Comparison(run.mismatches, torch.cat(scores))


class _ForcedRun(FloatRun):
    """The float network, which also hands every layer's inputs to the layer's integers."""

    def __init__(self, quantised):
        super().__init__()
        self.mismatches = {}
        self._integer = IntegerRun(
            quantised.network, quantised.grids, weight_bits=quantised.weight_bits
        )

    def __call__(self, network, images):
        """Class scores of the float network."""
        units = {"pixels": network.entry.scale}
        gains = {}
        self.begin(network, images)
        for layer in network.layers:
            layer.float(self)
            units[layer.counts] = units.get(layer.counts, _unit(layer, units))
            if isinstance(layer, Write):
                gains[layer.stream] = layer.gain
            self._integer.tensors = {name: self._whole(name, units, gains) for name in layer.reads}
            layer.integer(self._integer)
            if layer.fires:
                self._compare(layer, units)
        return self.mean_scores(network)

    def _whole(self, name, units, gains):
        """What the integers of a layer read: whole counts, or the float stream."""
        values = self.tensors[name]
        if name in units:
            return (values / float(units[name])).round()
        return values * float(gains[name])

    def _compare(self, layer, units):
        wanted = (self.tensors[layer.counts] / float(units[layer.counts])).round()
        counts = self._integer.tensors[layer.counts]
        wrong, total = self.mismatches.get(layer.name, (0, 0))
        wrong += int((wanted != counts).sum())
        self.mismatches[layer.name] = wrong, total + counts.numel()


def _unit(layer, units):
    """What a count of a layer stands for: its neuron's unit, or that of what it passes on."""
    return layer.firing.unit if layer.fires else units.get(getattr(layer, "source", None))
