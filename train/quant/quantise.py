"""Quantisation-aware training: weights on integer grids, as the exported model will have them."""

import torch

from train.network.arithmetic import FloatArithmetic, convolve, normalise
from train.quant.grids import norm_affine, on_grid, weight_limit


__all__ = ["QuantisedArithmetic"]


class QuantisedArithmetic(FloatArithmetic):
    """Floating-point training with weights on their grids.

    While a batch norm gathers statistics, weights are folded with the running ones, quantised and
    unfolded. Once it is in evaluation mode, weights and biases are those of the integer model.

    Parameters
    ----------
    network : NetworkConfig
    grids : Grids
    weight_bits : int
    meter : function, optional
        As for :class:`FloatArithmetic`.
    """

    def __init__(self, network, grids, *, weight_bits, meter=None):
        super().__init__(network, meter=meter)
        self.grids = grids
        self.limit = weight_limit(weight_bits)

    def branch(self, name, conv, norm, spikes):
        """Potential in front of a branch-internal neuron."""
        step = self.grids.scales[name].view(-1, *[1] * (conv.weight.dim() - 1))
        weight = on_grid(conv.weight, step, self.limit)
        return normalise(convolve(spikes, conv, weight=weight, bias=conv.bias), norm)

    def written(self, name, conv, norm, inputs, *, divisor):
        """What a layer adds to the residual stream."""
        slope, offset = norm_affine(conv, norm)
        step = 2.0 ** -self.grids.exponents[name]
        if norm.training:
            slope = slope.detach()
            slope = torch.where(slope == 0, torch.ones_like(slope), slope)
        factor = (slope / divisor).view(-1, *[1] * (conv.weight.dim() - 1))
        weight = on_grid(conv.weight * factor, step, self.limit)
        if norm.training:
            return normalise(convolve(inputs, conv, weight=weight / factor, bias=conv.bias), norm)
        bias = on_grid(offset, 2.0 ** -self.grids.fraction_bits[name], None)
        return convolve(inputs, conv, weight=weight * divisor, bias=bias)

    def logits(self, name, linear, spikes):
        """Class scores, shape (images, classes)."""
        units = 2**self.grids.logit_shift
        return self._linear(linear, spikes.flatten(1), self.grids.scales[name], units)

    def analog_logits(self, name, linear, stream):
        """Class scores from the mean of a stream, shape (images, classes)."""
        tokens = stream.value.shape[2] * stream.value.shape[3]
        units = tokens * 2 ** self.grids.fraction_bits[stream.name]
        return self._linear(linear, stream.value.mean((2, 3)), self.grids.scales[name], units)

    def _linear(self, linear, inputs, step, units):
        """Scores of inputs; the bias is a whole number of steps over ``units``."""
        weight = on_grid(linear.weight, step, self.limit)
        bias = on_grid(linear.bias, step / units, None)
        return torch.nn.functional.linear(inputs, weight, bias)
