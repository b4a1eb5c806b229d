"""A layer in integers: weights on their grid, and the one affine map that is left behind them."""

from dataclasses import dataclass

import torch

from train.quant.grids import norm_affine


__all__ = ["FoldedFire", "FoldedLogits", "FoldedWrite", "fold_fire", "fold_logits", "fold_write"]


@dataclass(frozen=True)
class FoldedFire:
    """Branch-internal layer: the neuron sees ``slope * (weight * counts) + offset``."""

    weight: torch.Tensor
    slope: torch.Tensor
    offset: torch.Tensor


@dataclass(frozen=True)
class FoldedWrite:
    """Writer of the stream: adds ``(weight * counts) 2**-exponent + bias 2**-fraction_bits``."""

    weight: torch.Tensor
    bias: torch.Tensor
    exponent: int
    fraction_bits: int


@dataclass(frozen=True)
class FoldedLogits:
    """Classifier: ``scale * ((weight * counts << shift) + bias)``."""

    weight: torch.Tensor
    bias: torch.Tensor
    scale: float
    shift: int


def fold_fire(conv, norm, *, scales, limit, divisor):
    """Integer weights of a branch-internal layer and the affine map behind them.

    Parameters
    ----------
    conv, norm : module
        In float64.
    scales : float64 tensor, shape (out_channels,)
        Step of the weights of each channel.
    limit : int
        Largest magnitude of a weight.
    divisor : int
        The layer's inputs are integers over this.

    Returns
    -------
    FoldedFire
    """
    weight = (conv.weight / _per_channel(scales, conv.weight)).round().clamp(-limit, limit)
    slope, offset = norm_affine(conv, norm)
    return FoldedFire(weight, slope * scales / divisor, offset)


def fold_write(conv, norm, *, exponent, fraction_bits, limit, divisor):
    """Integer weights and bias of a layer that writes the stream, batch norm included.

    Parameters
    ----------
    conv, norm, limit, divisor
        As for :func:`fold_fire`.
    exponent, fraction_bits : int
        ``S`` and ``F``.

    Returns
    -------
    FoldedWrite
    """
    slope, offset = norm_affine(conv, norm)
    steps = conv.weight * _per_channel(slope / divisor, conv.weight) * 2.0**exponent
    bias = (offset * 2.0**fraction_bits).round()
    return FoldedWrite(steps.round().clamp(-limit, limit), bias, exponent, fraction_bits)


def fold_logits(linear, *, scale, limit, shift=0, units=1):
    """Integer weights and bias of a classifier.

    Parameters
    ----------
    linear : nn.Linear
        In float64.
    scale : float
        Step of the weights.
    limit : int
        Largest magnitude of a weight.
    shift : int
        Fraction bits of the bias beyond those of the weights.
    units : int
        The classifier's inputs are integers over this: 1 for counts.

    Returns
    -------
    FoldedLogits
    """
    weight = (linear.weight / scale).round().clamp(-limit, limit)
    unit = scale / units / 2**shift
    return FoldedLogits(weight, (linear.bias / unit).round(), unit, shift)


def _per_channel(values, weight):
    return values.view(-1, *[1] * (weight.dim() - 1))
