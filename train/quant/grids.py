"""Integer grids: the steps in which a network's weights and streams are counted.

Where thresholds absorb a layer's scale (branch-internal neurons) every output channel has its own
step. Where a layer writes the residual stream, batch norm is folded into the weights first and the
step is ``2**-S``, one per tensor, so that adding to the stream is a shift. The writers of one stage
share the stream's fraction bits ``F``, the largest ``S`` among them. Values that lie on a grid of
powers of two keep it, and lose nothing.
"""

import math
from dataclasses import dataclass, replace

import torch

from train.network.arithmetic import PIXEL_DIVISOR, Stream


__all__ = ["Grids", "find_grids", "grid_shapes", "norm_affine", "on_grid", "weight_limit"]


#: Steps that are tried, as parts of the step that reaches the largest weight of a channel.
_STEP_PARTS = torch.linspace(0.3, 1.0, 15)

#: Stands for the fraction bits of 0.
_FEWEST_BITS = -(2**16)

#: Most fraction bits that a bias of the classifier may add to those of its weights.
_LOGIT_SHIFTS = 16

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
    logit_shift : int
        Fraction bits of the classifier's bias beyond those of its weights.
    """

    scales: dict
    exponents: dict
    fraction_bits: dict
    logit_shift: int = 0

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


def grid_shapes(network):
    """What the grids of a network are called, and the shapes of scales in place of these.

    Parameters
    ----------
    network : ESpikeFormer
        Its parameters may be on the device ``meta``.

    Returns
    -------
    Grids
    """
    shapes = _GridShapes()
    network(None, shapes)
    return Grids(shapes.scales, dict.fromkeys(shapes.written), dict.fromkeys(shapes.written))


class _GridFinder:
    """Arithmetic that computes nothing and looks at the weights of every layer."""

    def __init__(self, quantise, divisor):
        self._limit = weight_limit(quantise.weight_bits)
        self._max_fraction_bits = quantise.max_fraction_bits
        self._divisor = divisor
        self._scales = {}
        self._exponents = {}
        self._stages = []
        self._bias_bits = {}
        self._logit_shift = 0

    def grids(self):
        """What was found."""
        fraction_bits = {}
        for stage in self._stages:
            bits = max(1, *(max(self._exponents[name], self._bias_bits[name]) for name in stage))
            fraction_bits.update(dict.fromkeys(stage, bits))
        return Grids(self._scales, self._exponents, fraction_bits, self._logit_shift)

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
        whole = fraction_bits((linear.bias / self._scales[name])[None]).item()
        self._logit_shift = whole if 0 < whole <= _LOGIT_SHIFTS else 0

    def analog_logits(self, name, linear, stream):
        self._scales[name] = _best_scales(linear.weight.flatten()[None], self._limit)

    def mean_of(self, analog, spike):
        return None

    def _written(self, name, conv, norm, *, divisor, previous):
        slope, offset = norm_affine(conv, norm)
        folded = conv.weight.flatten(1) * (slope / divisor)[:, None]
        self._exponents[name] = _best_exponent(folded, self._limit, self._max_fraction_bits)
        bits = fraction_bits(offset[None]).item()
        self._bias_bits[name] = bits if bits <= self._max_fraction_bits else 0
        if previous is None:
            self._stages.append([])
        self._stages[-1].append(name)
        return Stream(name, None, None)


class _GridShapes:
    """Arithmetic that computes nothing and looks at the names and shapes of layers."""

    def __init__(self):
        self.scales, self.written = {}, []

    def fire(self, name, conv, norm, spikes):
        self.scales[name] = conv.weight.shape[:1]

    def stem(self, name, conv, norm, pixels):
        return self.write(name, conv, norm, pixels, previous=None)

    def write(self, name, conv, norm, spikes, *, previous):
        self.written.append(name)
        return Stream(name, None, None)

    def logits(self, name, linear, inputs):
        self.scales[name] = torch.Size([1])

    def pixels(self, images):
        return images

    def token_mean(self, name, stream):
        return None

    analog_logits = logits

    def attention(self, name, queries, keys, values, *, heads):
        return None

    def mean_of(self, analog, spike):
        return None


def fraction_bits(rows):
    """Fraction bits that a row of binary numbers needs, shape (rows,); below 0 for multiples of 2.

    >>> fraction_bits(torch.tensor([[0.5, 3.25], [4.0, 0.0], [0.0, 0.0]])).tolist()
    [2, -2, 0]
    """
    mantissa, exponent = torch.frexp(rows.detach().double())
    digits = (mantissa * 2**53).to(torch.int64)
    lowest = torch.frexp((digits & -digits).double()).exponent - 1
    needed = torch.where(digits == 0, _FEWEST_BITS, 53 - exponent - lowest).amax(1)
    return torch.where(needed == _FEWEST_BITS, 0, needed)


def _best_scales(rows, limit):
    """Step per row, shape (rows,): a power of two that loses nothing, or the least squared error.

    It is 1 for a row of zeros.
    """
    largest = rows.abs().amax(1)
    exact = 2.0 ** -fraction_bits(rows).to(rows)
    return torch.where(largest / exact <= limit, exact, _least_error(rows, largest, limit))


def _least_error(rows, largest, limit):
    largest = torch.where(largest > 0, largest, limit)
    steps = _STEP_PARTS.to(rows)[:, None] * largest / limit
    errors = (on_grid(rows, steps[..., None], limit) - rows).square().sum(2)
    return steps.gather(0, errors.argmin(0)[None])[0]


def _best_exponent(weight, limit, most):
    """``S``, at most ``most``: one that loses nothing, or else the one with least squared error."""
    largest = float(weight.abs().max())
    if largest == 0:
        return 0
    exact = fraction_bits(weight.reshape(1, -1)).item()
    if exact <= most and largest * 2.0**exact <= limit:
        return exact
    least = min(math.floor(math.log2(limit / largest)), most)
    trials = range(least, min(least + _EXPONENT_TRIALS, most + 1))
    errors = [
        float((on_grid(weight, 2.0**-exponent, limit) - weight).square().sum())
        for exponent in trials
    ]
    return trials[errors.index(min(errors))]
