"""Spikes: integer firing by thresholds, the spike codes, and exact threshold ladders."""

from enum import StrEnum
from fractions import Fraction
from math import ceil, floor, isqrt

import numpy as np

from golden.model import Rounding


__all__ = [
    "SpikeCode", "accumulate", "attention_thresholds", "fours_join", "passes", "plane_count",
    "planes", "set_bits", "spike_count", "stream_thresholds",
]


class SpikeCode(StrEnum):
    """How a count becomes binary planes; the sum of a linear operator is the same for all.

    The thermometer code has D planes, ``p_d = [count >= d]``, and costs ``count`` additions. The
    bit-plane code has ``ceil(log2(D + 1))`` planes, most significant first, costs the set bits of
    ``count`` and doubles the accumulator between planes. The graded code takes two bit planes at
    once: a spike adds its weight or the double of it, and the accumulator is multiplied by 4
    between pairs. For D = 4 all three planes are one pass, in which a 4 adds the double twice.
    """

    THERMOMETER = "thermometer"
    BITPLANE = "bitplane"
    GRADED = "graded"


#: What the accumulator is multiplied by between passes.
_FACTORS = {SpikeCode.THERMOMETER: 1, SpikeCode.BITPLANE: 2, SpikeCode.GRADED: 4}


def spike_count(potential, thresholds):
    """Number of spikes that each neuron fires, for integer (SFA) firing.

    A neuron fires once for every threshold that its membrane potential has reached. This is
    ``round(clip(scale * potential + bias, 0, D))`` of training, with scale, bias and rounding
    folded into integers by the exporter.

    Parameters
    ----------
    potential : int64 array, shape (images, channels, ...)
        Membrane potentials.
    thresholds : int64 array, shape (channels, D) or (1, D)
        Least potential that fires the 1st, 2nd, ... spike.

    Returns
    -------
    int64 array, shape of ``potential``
        Spike counts in 0..D.

    Raises
    ------
    ValueError
        If the thresholds of a neuron decrease.

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (spike firing approximation).
    Umuroglu and Jahre, arXiv:1709.04060 (folding scale and bias into thresholds).

    Examples
    --------
    >>> spike_count(np.array([[-3], [4], [5], [99]]), np.array([[1, 5, 9, 13]])).ravel()
    array([0, 1, 2, 4])
    """
    if (thresholds[:, 1:] < thresholds[:, :-1]).any():
        raise ValueError("Thresholds of a neuron must not decrease")
    count = np.zeros(potential.shape, np.uint8)
    across = (1, thresholds.shape[0]) + (1,) * (potential.ndim - 2)
    for step in range(thresholds.shape[1]):
        count += potential >= thresholds[:, step].reshape(across)
    return count.astype(np.int64)


def plane_count(code, max_count):
    """Number of binary planes that hold counts of 0..``max_count``.

    >>> plane_count(SpikeCode.THERMOMETER, 4), plane_count(SpikeCode.BITPLANE, 4)
    (4, 3)
    """
    return max_count if code is SpikeCode.THERMOMETER else max_count.bit_length()


def planes(counts, code, max_count):
    """Binary planes of ``counts``, in the order in which hardware takes them.

    Parameters
    ----------
    counts : integer array
        Values in 0..``max_count``.
    code : SpikeCode
    max_count : int
        D, or 255 for pixels.

    Returns
    -------
    int64 array of zeros and ones, shape (planes, ...)

    Raises
    ------
    ValueError
        If a count lies outside 0..``max_count``.

    Examples
    --------
    >>> planes(np.array([0, 1, 2, 3]), SpikeCode.THERMOMETER, 3).tolist()
    [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]
    >>> planes(np.array([0, 1, 2, 3]), SpikeCode.BITPLANE, 3).tolist()
    [[0, 0, 1, 1], [0, 1, 0, 1]]
    >>> planes(np.array([1, 2, 3, 4]), SpikeCode.GRADED, 4).tolist()
    [[0, 0, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]]
    """
    counts = np.asarray(counts, np.int64)
    if counts.size and not 0 <= counts.min() <= counts.max() <= max_count:
        raise ValueError(f"Counts must be 0..{max_count}, not {counts.min()}..{counts.max()}")
    steps = np.arange(plane_count(code, max_count)).reshape((-1,) + (1,) * counts.ndim)
    if code is SpikeCode.THERMOMETER:
        return (counts > steps).astype(np.int64)
    return counts >> steps[::-1] & 1


def fours_join(code, max_count):
    """Whether fours are taken together with twos and ones, so that a 4 is two additions."""
    return code is SpikeCode.GRADED and max_count == 4


def passes(code, max_count):
    """Which planes are taken at once: their numbers, pass after pass.

    The last plane of a pass weighs 1, the one before it 2, and so on.

    >>> passes(SpikeCode.BITPLANE, 4), passes(SpikeCode.GRADED, 4), passes(SpikeCode.GRADED, 7)
    (((0,), (1,), (2,)), ((0, 1, 2),), ((0,), (1, 2)))
    """
    count = plane_count(code, max_count)
    if code is not SpikeCode.GRADED:
        return tuple((index,) for index in range(count))
    if fours_join(code, max_count):
        return (tuple(range(count)),)
    return tuple(tuple(range(max(0, end - 2), end)) for end in range(2 - count % 2, count + 1, 2))


def accumulate(linear, counts, code, max_count):
    """Run a linear operator plane by plane.

    Parameters
    ----------
    linear : function of an int64 array
        The operator; it sees one binary plane at a time.
    counts, code, max_count
        As for `planes`.

    Yields
    ------
    int64 array
        The accumulator after each plane; the last one equals ``linear(counts)``.
    """
    expanded = planes(counts, code, max_count)
    accumulator = 0
    for group in passes(code, max_count):
        accumulator = accumulator * _FACTORS[code]
        for index in group:
            accumulator = accumulator + linear(expanded[index]) * 2 ** (group[-1] - index)
            yield accumulator


def set_bits(counts, code, max_count):
    """Additions that each count stands for.

    They are its set bits, and one more where a plane of fours is taken together with others.

    Parameters are those of `planes`.

    >>> set_bits(np.array([0, 1, 3, 4]), SpikeCode.BITPLANE, 4).tolist()
    [0, 1, 2, 1]
    >>> set_bits(np.array([0, 1, 3, 4]), SpikeCode.GRADED, 4).tolist()
    [0, 1, 2, 2]
    """
    if code is SpikeCode.THERMOMETER:
        return np.asarray(counts, np.int64)
    bits = np.bitwise_count(counts).astype(np.int64)
    if fours_join(code, max_count):
        bits += np.asarray(counts) == 4
    return bits


def stream_thresholds(fraction_bits, max_count, rounding, tokens=1):
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


def attention_thresholds(dk, max_count, rounding, tokens=None, *, divisor=None, scale=None):
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
        ladder = [min(threshold, dk * tokens * max_count ** 3 + 1) for threshold in ladder]
    return np.array([ladder], np.int64)


def _strict(spike, rounding):
    """1 where spike number ``spike`` fires only above its tie, else 0."""
    return spike % 2 * (rounding is Rounding.HALF_EVEN)
