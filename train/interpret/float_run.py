"""Float evaluation of a network, layer after layer, and its quantised form for training."""

import math

from train.graph.times import times
from train.nn.pixels import with_constant
from train.projection import Chain, convolve, normalise


__all__ = ["FloatRun", "QuantisedRun"]


class FloatRun:
    """SFA in floating point, as the float network is trained and evaluated.

    Spikes are counts times their unit, streams real numbers. A run may be called again: its tensors
    are those of the latest call.

    Parameters
    ----------
    meter : MeanMeter or AdditionMeter, optional
        Called for every layer that adds by spikes.
    """

    #: Method of layers that this run calls.
    STEP = "float"

    def __init__(self, *, meter=None):
        self.meter = meter
        self.tensors = {}
        self.scores = {}

    def __call__(self, network, images):
        """Class scores of images.

        Parameters
        ----------
        network : SpikingNetwork
        images : tensor, shape (images, channels, height, width)
            Pixel values 0..255.

        Returns
        -------
        tensor, shape (images, classes)
        """
        self.begin(network, images)
        network.compute(self, self.STEP)
        self.tensors = {}
        return self.mean_scores(network)

    def mean_scores(self, network):
        """Class scores that the heads give together."""
        found = [self.scores[name] for name in network.heads]
        return found[0] if len(found) == 1 else sum(found) / len(found)

    def begin(self, network, images):
        """Read the images."""
        entry = network.entry
        pixels = with_constant(images, entry.constant)
        self.bound, self.units = network.bound, network.units
        self.tensors = {"pixels": times(pixels, entry.scale)}
        self.scores = {}

    def spikes(self, layer):
        """What a layer with one source reads."""
        return self.scaled(self.tensors[layer.source], layer)

    def scaled(self, values, layer):
        """Spikes, or products of spikes, of which a count is worth the ``unit`` of a layer."""
        units = [self.units[name] for name in layer.reads if name in self.units]
        factor = layer.unit / math.prod(units)
        return values if factor == 1 else times(values, factor)

    def project(self, inputs, conv):
        """A layer's convolution, or all stages of one that has several."""
        if isinstance(conv, Chain):
            return conv(inputs)
        return convolve(inputs, conv, weight=conv.weight, bias=conv.bias)

    def normalise(self, name, potential, norm):
        """What is behind a layer's convolution."""
        return normalise(potential, norm)

    def measure(self, layer, potential=None):
        """Let the meter see a layer that reads spikes.

        Parameters
        ----------
        layer : Layer
        potential : tensor, optional
            Of a convolution in front of a neuron or a stream.
        """
        if self.meter is not None:
            self.meter(self, layer, potential)


class QuantisedRun(FloatRun):
    """Floating-point training with weights on their grids.

    While a batch norm gathers statistics, weights are folded with the running ones, quantised and
    unfolded. Once it is in evaluation mode, weights and biases are those of the integer model.

    Parameters
    ----------
    grids : Grids
    weight_bits : int
    meter : MeanMeter or AdditionMeter, optional
        As for :class:`FloatRun`.
    """

    STEP = "quantised"

    def __init__(self, grids, *, weight_bits, meter=None):
        super().__init__(meter=meter)
        self.grids = grids
        self._weight_bits = weight_bits

    def limit(self, layer):
        """Largest magnitude of a layer's weights."""
        return self.grids.limit(layer, self._weight_bits)
