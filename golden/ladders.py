"""Rounding rules of neurons, and the exact ladders of thresholds that they give."""

from enum import StrEnum
from fractions import Fraction
from math import ceil, floor, isqrt

import numpy as np
from numpy.typing import NDArray


__all__ = ["Rounding", "attention_thresholds", "stream_thresholds"]


class Rounding(StrEnum):
    """Rounding rule of a neuron: it decides which way an exact tie ``u = j - 1/2`` goes.

    Half-up fires the j-th spike on the tie. Half-to-even, the rule of ``torch.round`` and of the
    published checkpoints, fires it at even ``j`` only.

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (spike firing approximation).
    """

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"


def stream_thresholds(
    fraction_bits: int,
    max_count: int,
    rounding: Rounding,
    tokens: int = 1,
) -> NDArray[np.int64]:
    """Thresholds of a neuron that reads the residual stream, or the sum of its tokens.

    The real threshold of spike j is ``j - 1/2``, and a stream of F fraction bits reaches it at
    ``(2 j - 1) 2**(F - 1)``. Half-to-even fires odd spikes only above their tie.

    Parameters
    ----------
    fraction_bits : int
        F, at least 1, so that every threshold is an integer.
    max_count : int
        D.
    rounding : Rounding
    tokens : int
        Number of tokens that were summed; the mean's division is in the thresholds.

    Returns
    -------
    int64 array, shape (1, D)

    Examples
    --------
    >>> stream_thresholds(3, 4, Rounding.HALF_UP).tolist()
    [[4, 12, 20, 28]]
    >>> stream_thresholds(3, 4, Rounding.HALF_EVEN).tolist()
    [[5, 12, 21, 28]]
    """
    if fraction_bits < 1:
        raise ValueError(f"Fraction bits must be at least 1, not {fraction_bits!r}")
    spike = np.arange(1, max_count + 1, dtype=np.int64)
    ladder = tokens * (2 * spike - 1) << fraction_bits - 1
    return (ladder + _strict(spike, rounding))[np.newaxis]


def attention_thresholds(
    dk: int,
    max_count: int,
    rounding: Rounding,
    tokens: int | None = None,
    *,
    divisor: int | None = None,
    scale: tuple[int, int] | None = None,
) -> NDArray[np.int64]:
    """Thresholds of the neuron behind attention, scale and normalisers included.

    With queries, keys and values as counts, spike j fires once the potential I satisfies
    ``scale I / divisor**3 >= j - 1/2``, strictly at odd j for half-to-even. Comparing squares
    keeps the search for the least such I in rationals, irrational scales included.

    Parameters
    ----------
    dk : int
        Channels of a head's queries and keys.
    max_count : int
        D.
    rounding : Rounding
    tokens : int, optional
        Number of tokens; if given, a threshold that no potential reaches becomes the largest
        potential plus one.
    divisor : int, optional
        What a neuron divides its counts by; D, if not given.
    scale : (int, int), optional
        Numerator, and square of the denominator, of what attention multiplies by; ``(2, dk)``, if
        not given.

    Returns
    -------
    int64 array, shape (1, D)

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (scale ``2 / sqrt(dk)``).

    Examples
    --------
    >>> attention_thresholds(12, 4, Rounding.HALF_EVEN).tolist()
    [[56, 167, 278, 388]]
    >>> attention_thresholds(16, 4, Rounding.HALF_UP).tolist()
    [[64, 192, 320, 448]]
    """
    numerator, square_denominator = scale or (2, dk)
    cube = (divisor or max_count) ** 3
    ladder = []
    for spike in range(1, max_count + 1):
        # The tie lies where I**2 equals this.
        square = Fraction(((2 * spike - 1) * cube) ** 2 * square_denominator, 4 * numerator**2)
        if _strict(spike, rounding):
            ladder.append(isqrt(floor(square)) + 1)
        else:
            ladder.append(isqrt(ceil(square) - 1) + 1)
    if tokens is not None:
        ladder = [min(threshold, dk * tokens * max_count**3 + 1) for threshold in ladder]
    return np.array([ladder], np.int64)


def _strict(spike, rounding):
    """1 where spike number ``spike`` fires only above its tie, else 0."""
    return spike % 2 * (rounding is Rounding.HALF_EVEN)
