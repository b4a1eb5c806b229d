"""Thresholds of neurons in exact rationals: scale, bias and rounding in integers."""

from fractions import Fraction
from math import ceil, isfinite

import numpy as np


__all__ = ["fold_thresholds"]


def fold_thresholds(firing, slope, offset, *, low, high, channel=0):
    """Least integer potentials that fire the 1st, 2nd, ... spike of one neuron.

    A spike fires where ``slope * I + offset`` reaches its tie, or passes it if the rounding asks
    for more. The arithmetic is rational, so no threshold depends on a rounding error.

    Parameters
    ----------
    firing : Firing
    slope : float or Fraction
        At least 0: the weights of a neuron whose slope is negative are negated first.
    offset : float or Fraction
    low, high : int
        Interval of the potential ``I``.
    channel : int
        Row of the firing's ladder, if it has one.

    Returns
    -------
    int64 array, shape (D,)
        Never decreasing; ``low`` where a spike always fires, ``high + 1`` where it never does.

    Raises
    ------
    ValueError
        If ``slope`` is negative, or one of ``slope`` and ``offset`` is not finite.

    References
    ----------
    Umuroglu and Jahre, arXiv:1709.04060 (folding scale and bias into thresholds).

    Examples
    --------
    >>> from train.graph import Firing, Ties
    >>> fold_thresholds(Firing(4, Ties.HALF_UP), 0.25, 0.0, low=-9, high=9)
    array([ 2,  6, 10, 10])
    >>> fold_thresholds(Firing(4, Ties.HALF_EVEN), 0.25, 0.0, low=-9, high=9)
    array([ 3,  6, 10, 10])
    """
    if not (isfinite(slope) and isfinite(offset)):
        raise ValueError(f"slope and offset must be finite, not {slope} and {offset}")
    if slope < 0:
        raise ValueError(f"slope must be at least 0, not {slope}")
    slope, offset = Fraction(slope), Fraction(offset)
    ladder = []
    for spike in range(1, firing.levels + 1):
        tie, strict = firing.tie(spike, channel)
        least = _least(slope, tie - offset, strict, low, high)
        ladder.append(min(max(least, low), high + 1))
    return np.array(ladder, dtype=np.int64)


def _least(slope, distance, strict, low, high):
    """Least integer whose multiple of ``slope`` reaches a distance, or passes it."""
    if slope == 0:
        fires = distance < 0 if strict else distance <= 0
        return low if fires else high + 1
    tie = distance / slope
    least = ceil(tie)
    return least + 1 if strict and least == tie else least
