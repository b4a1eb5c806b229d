"""A layer in integers: weights on their grid, and the one affine map that is left behind them."""

from dataclasses import dataclass

import torch

from train.graph.times import times
from train.projection import norm_affine


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


def fold_fire(conv, norm, *, scales, limit, unit):
    """Integer weights of a branch-internal layer and the affine map behind them.

    Parameters
    ----------
    conv, norm : module
        In float64, as `train.ops.projection.Projection.bind` returns them.
    scales : float64 tensor, shape (out_channels,) or (1,)
        Step of the weights of each channel.
    limit : int
        Largest magnitude of a weight.
    unit : Fraction
        What a count of the layer's inputs stands for.

    Returns
    -------
    FoldedFire
    """
    weight = (conv.weight / _per_channel(scales, conv.weight)).round().clamp(-limit, limit)
    slope, offset = norm_affine(conv, norm)
    return FoldedFire(weight, times(slope * scales, unit), offset)


def fold_write(conv, norm, *, exponent, fraction_bits, limit, factor, gain, lift):
    """Integer weights and bias of a layer that writes the stream, batch norm included.

    Parameters
    ----------
    conv, norm, limit
        As for :func:`fold_fire`.
    exponent, fraction_bits : int
        ``S`` and ``F``.
    factor : function
        Multiplies slopes by what counts stand for and by the stream's gain.
    gain : Fraction
        Of the stream.
    lift : (Fraction, int)
        What is added for the rounding of its neuron: counts, and units of the stream.

    Returns
    -------
    FoldedWrite
    """
    slope, offset = norm_affine(conv, norm)
    steps = conv.weight * _per_channel(factor(slope), conv.weight) * 2.0**exponent
    counts, units = lift
    offset = offset * float(gain) + float(counts)
    bias = (offset * 2.0**fraction_bits).round() + units
    return FoldedWrite(steps.round().clamp(-limit, limit), bias, exponent, fraction_bits)


def fold_logits(weight, bias, *, scale, limit, shift=0, units=1, unit=1):
    """Integer weights and bias of a classifier.

    Parameters
    ----------
    weight : float64 tensor, shape (classes, channels, height, width)
    bias : float64 tensor, shape (classes,)
    scale : float
        Step of the weights of counts.
    limit : int
        Largest magnitude of a weight.
    shift : int
        Fraction bits of the bias beyond those of the weights.
    units : int
        The classifier's inputs are integers over this: 1 for counts.
    unit : Fraction
        What one of these counts stands for.

    Returns
    -------
    FoldedLogits
    """
    weight = weight if unit == 1 else weight * float(unit)
    weight = (weight / scale).round().clamp(-limit, limit)
    step = scale / units / 2**shift
    return FoldedLogits(weight, (bias / step).round(), step, shift)


def _per_channel(values, weight):
    return values.view(-1, *[1] * (weight.dim() - 1))
