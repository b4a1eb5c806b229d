"""Integer grids: the steps in which a network's weights and streams are counted.

Where thresholds absorb a layer's scale (branch-internal neurons) every output channel has its own
step. Where a layer writes the residual stream, batch norm is folded into the weights first and the
step is ``2**-S``, one per tensor, so that adding to the stream is a shift. The writers of one stage
share the stream's fraction bits ``F``, the largest ``S`` among them. Values that lie on a grid of
powers of two keep it, and lose nothing.
"""

import math
from dataclasses import dataclass, field, replace

import torch

from train.graph.straight import straight_through


__all__ = [
    "Grids",
    "best_exponent",
    "best_scales",
    "fraction_bits",
    "on_grid",
    "weight_limit",
]


#: Steps that are tried, as parts of the step that reaches the largest weight of a channel.
_STEP_PARTS = torch.linspace(0.3, 1.0, 15)

#: Stands for the fraction bits of 0.
_FEWEST_BITS = -(2**16)

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
    bits : dict of str to int
        Weight width of each layer that has another one than the network's.
    """

    scales: dict
    exponents: dict
    fraction_bits: dict
    logit_shift: int = 0
    bits: dict = field(default_factory=dict)

    def limit(self, layer, weight_bits):
        """Largest magnitude of a layer's weights in a network of ``weight_bits``."""
        return weight_limit(self.bits.get(layer.name, weight_bits))

    def to(self, device):
        """The same grids with their steps on a device."""
        return replace(self, scales={name: step.to(device) for name, step in self.scales.items()})


def weight_limit(weight_bits):
    """Largest magnitude of a symmetric weight of ``weight_bits`` bits."""
    return 2 ** (weight_bits - 1) - 1


def on_grid(values, step, limit):
    """Multiples of ``step`` nearest to ``values``, clipped to ``+-limit`` steps.

    The gradient passes straight through where nothing is clipped.
    """
    steps = values / step
    if limit is not None:
        steps = steps.clamp(-limit, limit)
    return straight_through(steps.round(), steps) * step


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


def best_scales(rows, limit):
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


def best_exponent(weight, limit, most):
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
