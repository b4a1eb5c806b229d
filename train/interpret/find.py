"""Finding the grids of a network's weights and streams, and what they are called."""

import math
from fractions import Fraction

import torch

from train.graph import Convolve, Pool
from train.projection import Chain, Identity
from train.quant.grids import (
    Grids,
    best_exponent,
    best_scales,
    fraction_bits,
    weight_limit,
)


__all__ = ["find_grids", "grid_shapes"]


#: Most fraction bits that a bias of the classifier may add to those of its weights.
_LOGIT_SHIFTS = 16

#: Widest weights that golden has.
_MOST_BITS = 16

#: Width of class scores in hardware.
_SCORE_BITS = 32


def find_grids(network, quantise):
    """Grids with the least squared error for the present weights.

    Parameters
    ----------
    network : SpikingNetwork
    quantise : QuantiseConfig

    Returns
    -------
    Grids
    """
    finder = _Finder(network, quantise)
    with torch.no_grad():
        for layer in network.layers:
            layer.grid(finder)
    return finder.grids()


def grid_shapes(network):
    """What the grids of a network are called, and the shapes of scales in place of these.

    Parameters
    ----------
    network : SpikingNetwork
        Its parameters may be on the device ``meta``.

    Returns
    -------
    Grids
    """
    finder = _Shapes(network)
    with torch.no_grad():
        for layer in network.layers:
            layer.grid(finder)
    return Grids(finder.scales, dict.fromkeys(finder.written), dict.fromkeys(finder.written))


class _Finder:
    """Looks at the weights of every layer."""

    def __init__(self, network, quantise):
        self.bound = network.bound
        self.scales = {}
        self._exact = network.exact
        self._levels = _levels(network)
        self._weight_bits = quantise.weight_bits
        self._max_fraction_bits = quantise.max_fraction_bits
        self._exponents = {}
        self._stages = {}
        self._bias_bits = {}
        self._bits = {}
        self._logit_shift = 0

    def grids(self):
        """What was found."""
        fraction_bits = {}
        for stage in self._stages.values():
            bits = max(1, *(max(self._exponents[name], self._bias_bits[name]) for name in stage))
            fraction_bits.update(dict.fromkeys(stage, bits))
        return Grids(self.scales, self._exponents, fraction_bits, self._logit_shift, self._bits)

    def branch(self, layer, rows):
        """A layer whose thresholds absorb its scale; ``rows`` are its weights."""
        known = _known_steps(layer, self.bound[layer.name][0])
        if known is None:
            limit = weight_limit(self._weight_bits)
            self.scales[layer.name] = best_scales(rows, limit)
            return
        steps = torch.tensor([float(step) for step in known], dtype=torch.float64)
        self.scales[layer.name] = steps.expand(len(rows)).to(rows)
        largest = float((rows.abs().amax(1) / self.scales[layer.name]).round().max())
        self._widen(layer, largest)

    def write(self, layer, weight, offset):
        """A layer that writes a stream, with everything folded into its weights."""
        limit = weight_limit(self._weight_bits)
        if self._exact:
            limit = self._widen_exactly(layer, weight, self._max_fraction_bits)
        self._exponents[layer.name] = best_exponent(weight, limit, self._max_fraction_bits)
        bits = fraction_bits(offset[None]).item()
        # A file's bias keeps what fits; one that trains is on a grid that its stream has anyway.
        otherwise = self._max_fraction_bits if self._exact else 0
        self._bias_bits[layer.name] = bits if bits <= self._max_fraction_bits else otherwise
        self._stages.setdefault(layer.stage, []).append(layer.name)

    def score(self, layer, weight, bias=None):
        """A classifier."""
        limit = weight_limit(self._weight_bits)
        known = self._score_step(layer)
        if known is not None:
            self.scales[layer.name] = weight.new_tensor([float(known)])
            self._widen(layer, float((weight / self.scales[layer.name]).abs().max().round()))
        else:
            if self._exact:
                limit = self._widen_exactly(layer, weight, 64)
            self.scales[layer.name] = best_scales(weight.flatten()[None], limit)
        if bias is not None:
            whole = fraction_bits((bias / self.scales[layer.name])[None]).item()
            self._logit_shift = whole if 0 < whole <= _LOGIT_SHIFTS else 0
            if self._exact:
                self._logit_shift = max(0, min(whole, self._room(layer, weight, bias)))

    def _score_step(self, layer):
        """Greatest number of which all weights of spikes are whole multiples, or ``None``."""
        conv, norm = self.bound[layer.name]
        known = _known_steps(layer, conv)
        if not self._exact or norm is not None or known is None or not hasattr(layer, "unit"):
            return None
        steps = [Fraction(step) for step in known]
        common = math.lcm(*(step.denominator for step in steps))
        step = Fraction(math.gcd(*(int(step * common) for step in steps)), common)
        largest = float(conv.weight.abs().max()) / float(step)
        return step * layer.unit if largest <= weight_limit(_MOST_BITS) else None

    def _room(self, layer, weight, bias):
        """Fraction bits that class scores have room for, in hardware's width."""
        steps = weight.flatten(1).abs().sum(1) * self._levels.get(layer.reads[0], 0)
        largest = float(((steps + bias.abs()) / self.scales[layer.name]).max())
        return _SCORE_BITS - 1 - math.frexp(largest + 1)[1]

    def _widen_exactly(self, layer, weight, most):
        """Limit of the weights: as many bits as they need to lose nothing, or the network's."""
        exact = fraction_bits(weight.reshape(1, -1)).item()
        largest = float(weight.abs().max()) * 2.0**exact
        if exact <= most and largest <= weight_limit(_MOST_BITS):
            self._widen(layer, largest)
        return weight_limit(self._bits.get(layer.name, self._weight_bits))

    def _widen(self, layer, largest):
        """Give a layer the bits that its largest weight needs, in steps."""
        bits = max(2, int(largest).bit_length() + 1)
        if self._exact or bits > self._weight_bits:
            self._bits[layer.name] = bits


def _levels(network):
    """Largest count of every tensor of counts."""
    found = {}
    for layer in network.layers:
        levels = layer.firing.levels if layer.fires else found.get(layer.reads[0], 0)
        found[layer.counts] = levels
    return found


def _known_steps(layer, conv):
    """Steps of weights that are whole multiples, or ``None``."""
    first = layer.projection.first
    if isinstance(conv, Chain):
        return None
    match first:
        case Convolve():
            return first.step
        case Pool():
            return (1 / (first.kernel[0] * first.kernel[1]),)
        case Identity():
            return (1.0,)
    return None


class _Shapes:
    """Looks at the names and shapes of layers."""

    def __init__(self, network):
        self.bound = network.bound
        self.scales, self.written = {}, []

    def branch(self, layer, rows):
        self.scales[layer.name] = rows.shape[:1]

    def write(self, layer, weight, offset):
        self.written.append(layer.name)

    def score(self, layer, weight, bias=None):
        self.scales[layer.name] = torch.Size([1])
