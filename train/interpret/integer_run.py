"""The quantised network in evaluation mode: integers, then one affine map per layer, in float64.

This is the torch side of the comparison with the integer model. Every sum here is a whole number
below 2**53 or a whole number of stream units, hence exact; the one rounding is that of the affine
map in front of a branch-internal neuron.
"""

import torch

from train.nn.pixels import with_constant


__all__ = ["IntegerRun"]


class IntegerRun:
    """Integer evaluation of a quantised network whose parameters are float64.

    Spikes are counts. With ``trace`` a dict, every tensor that the integer model has is put there
    under the same name, as int64 arrays.

    Parameters
    ----------
    network : SpikingNetwork
    grids : Grids
    weight_bits : int
    trace : dict, optional
    """

    def __init__(self, network, grids, *, weight_bits, trace=None):
        self.network = network
        self.bound = network.bound
        self.grids = grids
        self.tensors = {}
        self._weight_bits = weight_bits
        self._trace = trace

    def __call__(self, images):
        """Class scores of pixel values, shape (images, channels, height, width)."""
        self.keep("pixels", with_constant(images.double(), self.network.entry.constant))
        self.network.compute(self, "integer")
        return self.scores

    def limit(self, layer):
        """Largest magnitude of a layer's weights."""
        return self.grids.limit(layer, self._weight_bits)

    def fire(self, name, firing, potential):
        """Keep the counts of a neuron."""
        self.keep(name, firing.counts(potential))

    def score(self, layer, totals, scale):
        """Keep class scores: integers for the trace, and real ones."""
        self._note("logits", totals)
        self.scores = totals * scale

    def keep(self, name, values, whole=None):
        """Keep a tensor; ``whole`` are its integers, where it is a number of streams' units."""
        self.tensors[name] = values
        self._note(name, values if whole is None else whole)

    def _note(self, name, values):
        if self._trace is None:
            return
        whole = values.to(torch.int64)
        if not torch.equal(whole.double(), values):
            raise ArithmeticError(f"{name} must be whole numbers")
        self._trace[name] = whole.numpy()
