"""The affine map behind a convolution, in rationals of the numbers that a file holds."""

from fractions import Fraction
from math import isqrt

import numpy as np

from train.graph import Convolve, Norm, Pool, Scale
from train.projection import Identity


__all__ = ["exact_affine", "exact_weight"]


#: Bits behind the point of a square root that is not rational.
_ROOT_BITS = 400


def exact_affine(projection, modules):
    """Slopes and offsets, per channel, of all that is behind a projection's first weights.

    Parameters
    ----------
    projection : Projection
        Whose only convolution is its first stage.
    modules : nn.Module

    Returns
    -------
    slopes, offsets : list of Fraction
        The root of a variance that is no square is right to 400 bits.
    """
    first = projection.first
    count = projection.channels
    offsets = [Fraction(0)] * count
    if isinstance(first, Convolve):
        module = modules.get_submodule(first.module)
        if module.bias is not None:
            offsets = _fractions(module.bias, count)
    slopes = [Fraction(1)] * count
    for stage in projection.stages[1:]:
        factors, terms = _stage(stage, modules, count)
        slopes = [a * b for a, b in zip(slopes, factors, strict=True)]
        offsets = [a * b + c for a, b, c in zip(offsets, factors, terms, strict=True)]
    return slopes, offsets


def exact_weight(projection, conv):
    """Weights of a projection's first stage in whole steps, and the steps of each channel.

    Parameters
    ----------
    projection : Projection
    conv : module
        What its first stage is bound to.

    Returns
    -------
    weight : int64 array, shape (out, in / groups, height, width)
    steps : list of Fraction
    """
    first = projection.first
    match first:
        case Identity():
            known = (Fraction(1),)
        case Pool():
            known = (Fraction(1, first.kernel[0] * first.kernel[1]),)
        case _:
            known = first.step
    weight = conv.weight.detach().double()
    steps = list(known) * (len(weight) if len(known) == 1 else 1)
    scale = weight.new_tensor([float(step) for step in steps])
    whole = (weight / scale.view(-1, *[1] * (weight.dim() - 1))).round()
    return whole.numpy().astype(np.int64), steps


def _stage(stage, modules, count):
    """Factors and terms of a batch norm or a scale."""
    if isinstance(stage, Norm):
        return _norm(modules.get_submodule(stage.module), count)
    assert isinstance(stage, Scale)
    factor = stage.factor
    if isinstance(factor, str):
        path, _, name = factor.rpartition(".")
        return _fractions(getattr(modules.get_submodule(path), name), count), [Fraction(0)] * count
    return [factor] * count, [Fraction(0)] * count


def _norm(norm, count):
    weight, bias, mean, variance = (
        _fractions(values, count)
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    slopes = [
        factor / _root(spread + Fraction(norm.eps))
        for factor, spread in zip(weight, variance, strict=True)
    ]
    return slopes, [b - slope * m for b, slope, m in zip(bias, slopes, mean, strict=True)]


def _root(value):
    """Square root: exact if it is rational, else right to 400 bits.

    >>> _root(Fraction(9, 4))
    Fraction(3, 2)
    """
    numerator, denominator = isqrt(value.numerator), isqrt(value.denominator)
    if numerator**2 == value.numerator and denominator**2 == value.denominator:
        return Fraction(numerator, denominator)
    scale = 1 << 2 * _ROOT_BITS
    return Fraction(isqrt(value.numerator * scale // value.denominator), 1 << _ROOT_BITS)


def _fractions(values, count):
    numbers = [Fraction(number) for number in values.detach().double().flatten().tolist()]
    return numbers * count if len(numbers) == 1 else numbers
