"""Quantisation-aware training: weights on integer grids, as the exported model will have them.

Where thresholds absorb a layer's scale (branch-internal neurons) every output channel has its own
step. Where a layer writes the residual stream, batch norm is folded into the weights first and the
step is ``2**-S``, one per tensor, so that adding to the stream is a shift. The writers of one stage
share the stream's fraction bits ``F``, the largest ``S`` among them.
"""

import math
from dataclasses import dataclass, replace

import torch

from train.arithmetic import PIXEL_DIVISOR, FloatArithmetic, Stream, convolve, normalise


__all__ = [
    "Grids", "QuantisedArithmetic", "find_grids", "norm_affine", "on_grid", "weight_limit",
]


#: Steps that are tried, as parts of the step that reaches the largest weight of a channel.
_STEP_PARTS = torch.linspace(0.3, 1.0, 15)

#: Added to the least ``S`` at which the largest weight still fits: clipping a few may pay.
_EXPONENT_TRIALS = 3


@dataclass(frozen=True)
class Grids:
    """Integer grids of a network's weights and streams, by layer name.

    Parameters
    ----------
    scales : dict of str to tensor
        Step of each branch-internal layer, shape (out_channels,), and of the head, shape (1,).
    exponents : dict of str to int
        ``S`` of each layer that writes a stream.
    fraction_bits : dict of str to int
        ``F`` of the stream that each of these layers writes.
    """

    scales: dict
    exponents: dict
    fraction_bits: dict

    def to(self, device):
        """The same grids with their steps on a device."""
        return replace(self, scales={name: step.to(device) for name, step in self.scales.items()})


def weight_limit(weight_bits):
    """Largest magnitude of a symmetric weight of ``weight_bits`` bits."""
    return 2 ** (weight_bits - 1) - 1


def norm_affine(conv, norm):
    """Slope and offset, per channel, of batch norm in evaluation after ``conv`` without its bias.

    Returns
    -------
    slope, offset : tensor, shape (out_channels,)
        ``norm(z + conv.bias) = slope * z + offset``.
    """
    slope = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    centre = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
    return slope, norm.bias - slope * centre


def on_grid(values, step, limit):
    """Multiples of ``step`` nearest to ``values``, clipped to ``+-limit`` steps.

    The gradient passes straight through where nothing is clipped.
    """
    steps = values / step
    if limit is not None:
        steps = steps.clamp(-limit, limit)
    return (steps + (steps.round() - steps).detach()) * step


def find_grids(network, quantise):
    """Grids with the least squared error for the present weights.

    Parameters
    ----------
    network : ESpikeFormer
    quantise : QuantiseConfig

    Returns
    -------
    Grids
    """
    finder = _GridFinder(quantise, network.network.divisor)
    with torch.no_grad():
        network(None, finder)
    return finder.grids()


class _GridFinder:
    """Arithmetic that computes nothing and looks at the weights of every layer."""

    def __init__(self, quantise, divisor):
        self._limit = weight_limit(quantise.weight_bits)
        self._max_fraction_bits = quantise.max_fraction_bits
        self._divisor = divisor
        self._scales = {}
        self._exponents = {}
        self._stages = []

    def grids(self):
        """What was found."""
        fraction_bits = {}
        for stage in self._stages:
            bits = max(1, *(self._exponents[name] for name in stage))
            fraction_bits.update(dict.fromkeys(stage, bits))
        return Grids(self._scales, self._exponents, fraction_bits)

    def pixels(self, images):
        return images

    def fire(self, name, conv, norm, spikes):
        self._scales[name] = _best_scales(conv.weight.flatten(1), self._limit)

    def stem(self, name, conv, norm, pixels):
        return self._written(name, conv, norm, divisor=PIXEL_DIVISOR, previous=None)

    def write(self, name, conv, norm, spikes, *, previous):
        return self._written(name, conv, norm, divisor=self._divisor, previous=previous)

    def attention(self, name, queries, keys, values, *, heads):
        return None

    def token_mean(self, name, stream):
        return None

    def logits(self, name, linear, spikes):
        self._scales[name] = _best_scales(linear.weight.flatten()[None], self._limit)

    def analog_logits(self, name, linear, stream):
        self.logits(name, linear, stream)

    def mean_of(self, analog, spike):
        return None

    def _written(self, name, conv, norm, *, divisor, previous):
        slope, _ = norm_affine(conv, norm)
        folded = conv.weight.flatten(1) * (slope / divisor)[:, None]
        self._exponents[name] = _best_exponent(folded, self._limit, self._max_fraction_bits)
        if previous is None:
            self._stages.append([])
        self._stages[-1].append(name)
        return Stream(name, None, None)


def _best_scales(rows, limit):
    """Step per row with the least squared error, shape (rows,); 1 for a row of zeros."""
    largest = rows.abs().amax(1)
    largest = torch.where(largest > 0, largest, limit)
    steps = _STEP_PARTS.to(rows)[:, None] * largest / limit
    errors = (on_grid(rows, steps[..., None], limit) - rows).square().sum(2)
    return steps.gather(0, errors.argmin(0)[None])[0]


def _best_exponent(weight, limit, most):
    """``S`` with the least squared error, at most ``most``."""
    largest = float(weight.abs().max())
    if largest == 0:
        return 0
    least = min(math.floor(math.log2(limit / largest)), most)
    trials = range(least, min(least + _EXPONENT_TRIALS, most + 1))
    errors = [
        float((on_grid(weight, 2.0**-exponent, limit) - weight).square().sum())
        for exponent in trials
    ]
    return trials[errors.index(min(errors))]


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
        return self._linear(linear, spikes.flatten(1), self.grids.scales[name], 1)

    def analog_logits(self, name, linear, stream):
        """Class scores from the mean of a stream, shape (images, classes)."""
        tokens = stream.value.shape[2] * stream.value.shape[3]
        units = tokens * 2 ** self.grids.fraction_bits[stream.name]
        return self._linear(linear, stream.value.mean((2, 3)), self.grids.scales[name], units)

    def _linear(self, linear, inputs, step, units):
        """Scores of inputs that are whole numbers over ``units``; so is the bias, in steps."""
        weight = on_grid(linear.weight, step, self.limit)
        bias = on_grid(linear.bias, step / units, None)
        return torch.nn.functional.linear(inputs, weight, bias)
