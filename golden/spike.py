"""Spike codes: counts as binary planes, and linear operators that take them plane by plane."""

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.hints import Linear


__all__ = [
    "SPIKE_CODE_ALIASES",
    "SpikeCode",
    "accumulate",
    "merge_msb",
    "passes",
    "plane_count",
    "plane_weights",
    "planes",
    "set_bits",
]


class SpikeCode(StrEnum):
    """How a count becomes binary planes; the sum of a linear operator is the same for all.

    The thermometer code has D planes, ``p_d = [count >= d]``, and costs ``count`` additions. The
    bit-serial code has ``ceil(log2(D + 1))`` planes, most significant first, costs the set bits of
    ``count`` and doubles the accumulator between planes. The 2-bit-serial code takes two bit planes
    at once: a spike adds its weight or the double of it, and the accumulator is multiplied by 4
    between pairs. For D = 4 all three planes are one pass, in which a 4 adds the double twice. The
    split code has at most four planes whose weights are powers of two and sum up to D (2, 1 and 1
    for D = 4), or plain binary ones where it would take more; all are one pass, and a count is
    written with as few of them as there can be. Of planes of equal weight the channel says which.

    The names ``bitplane`` and ``graded`` are aliases.
    """

    THERMOMETER = "thermometer"
    BIT_SERIAL = "bit-serial"
    TWO_BIT_SERIAL = "2-bit-serial"
    SPLIT = "split"

    @classmethod
    def _missing_(cls, value):
        return next(
            (cls(name) for name, alias in SPIKE_CODE_ALIASES.items() if alias == value), None
        )


#: Other names of spike codes, which options and files may have.
SPIKE_CODE_ALIASES = {"bit-serial": "bitplane", "2-bit-serial": "graded"}


#: What the accumulator is multiplied by between passes; one pass has none behind it.
_FACTORS = {
    SpikeCode.THERMOMETER: 1,
    SpikeCode.BIT_SERIAL: 2,
    SpikeCode.TWO_BIT_SERIAL: 4,
    SpikeCode.SPLIT: 1,
}

#: Most planes of the split code.
_MOST_SPLIT = 4


def plane_weights(code: SpikeCode, max_count: int) -> tuple[int, ...]:
    """What a spike of each plane weighs, for counts of 0..``max_count``.

    >>> plane_weights(SpikeCode.BIT_SERIAL, 4), plane_weights(SpikeCode.SPLIT, 4)
    ((4, 2, 1), (2, 1, 1))
    >>> plane_weights(SpikeCode.SPLIT, 9), plane_weights(SpikeCode.SPLIT, 10)
    ((4, 2, 2, 1), (8, 4, 2, 1))
    """
    code = SpikeCode(code)
    if code is SpikeCode.THERMOMETER:
        return (1,) * max_count
    if code is SpikeCode.SPLIT:
        # Powers of two while their sum is at most D; then those that the rest is the sum of.
        number = (max_count + 1).bit_length() - 1
        rest = max_count - (2**number - 1)
        powers = [2**i for i in range(number)]
        weights = sorted(powers + [power for power in powers if rest & power], reverse=True)
        if len(weights) <= _MOST_SPLIT:
            return tuple(weights)
    return tuple(2**i for i in reversed(range(max_count.bit_length())))


def plane_count(code: SpikeCode, max_count: int) -> int:
    """Number of binary planes that hold counts of 0..``max_count``.

    >>> plane_count(SpikeCode.THERMOMETER, 4), plane_count(SpikeCode.BIT_SERIAL, 4)
    (4, 3)
    """
    return len(plane_weights(code, max_count))


def planes(
    counts: NDArray[np.integer],
    code: SpikeCode,
    max_count: int,
    channels: ArrayLike = 0,
) -> NDArray[np.int64]:
    """Binary planes of ``counts``, in the order in which hardware takes them.

    Parameters
    ----------
    counts : integer array
        Values in 0..``max_count``.
    code : SpikeCode
    max_count : int
        D, or 255 for pixels.
    channels : int or integer array
        Channel of each count, broadcast to ``counts``. In the split code, k counts of one go to k
        planes of equal weight in turn.

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
    >>> planes(np.array([0, 1, 2, 3]), SpikeCode.BIT_SERIAL, 3).tolist()
    [[0, 0, 1, 1], [0, 1, 0, 1]]
    >>> planes(np.array([1, 2, 3, 4]), SpikeCode.TWO_BIT_SERIAL, 4).tolist()
    [[0, 0, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]]
    >>> planes(np.array([1, 1, 3, 4]), SpikeCode.SPLIT, 4, channels=[0, 1, 2, 3]).tolist()
    [[0, 0, 1, 1], [1, 0, 1, 1], [0, 1, 0, 1]]
    """
    code, counts = SpikeCode(code), np.asarray(counts, np.int64)
    if counts.size and not 0 <= counts.min() <= counts.max() <= max_count:
        raise ValueError(f"Counts must be 0..{max_count}, not {counts.min()}..{counts.max()}")
    weights = np.array(plane_weights(code, max_count)).reshape((-1,) + (1,) * counts.ndim)
    if code is SpikeCode.THERMOMETER:
        return (counts >= weights.cumsum(axis=0)).astype(np.int64)
    if code is not SpikeCode.SPLIT:
        return (counts & weights != 0).astype(np.int64)
    return np.concatenate([*_split(counts, plane_weights(code, max_count), channels)])


def _split(counts, weights, channels):
    """Planes of the split code by weight: as many spikes of the largest one as fit come first."""
    for weight in dict.fromkeys(weights):
        alike = weights.count(weight)
        taken = np.minimum(counts // weight, alike)
        counts = counts - taken * weight
        turns = np.arange(alike).reshape((-1,) + (1,) * counts.ndim)
        yield ((turns - channels) % alike < taken).astype(np.int64)


def merge_msb(code: SpikeCode, max_count: int) -> bool:
    """Whether the MSB plane of D = 4 is taken with the others, so that a 4 is two additions."""
    return SpikeCode(code) is SpikeCode.TWO_BIT_SERIAL and max_count == 4


def passes(code: SpikeCode, max_count: int) -> tuple[tuple[int, ...], ...]:
    """Which planes are taken at once: their numbers, pass after pass.

    Planes of a pass weigh what `plane_weights` says, over the weight of its last one.

    >>> passes(SpikeCode.BIT_SERIAL, 4), passes(SpikeCode.SPLIT, 4)
    (((0,), (1,), (2,)), ((0, 1, 2),))
    >>> passes(SpikeCode.TWO_BIT_SERIAL, 4), passes(SpikeCode.TWO_BIT_SERIAL, 7)
    (((0, 1, 2),), ((0,), (1, 2)))
    """
    code, count = SpikeCode(code), plane_count(code, max_count)
    if code is SpikeCode.SPLIT or merge_msb(code, max_count):
        return (tuple(range(count)),)
    if code is not SpikeCode.TWO_BIT_SERIAL:
        return tuple((index,) for index in range(count))
    return tuple(tuple(range(max(0, end - 2), end)) for end in range(2 - count % 2, count + 1, 2))


def accumulate(
    linear: Linear,
    counts: NDArray[np.integer],
    code: SpikeCode,
    max_count: int,
    channels: ArrayLike = 0,
) -> Iterator[NDArray[np.int64]]:
    """Run a linear operator plane by plane.

    Parameters
    ----------
    linear : function of an int64 array
        The operator; it sees one binary plane at a time.
    counts, code, max_count, channels
        As for `planes`.

    Yields
    ------
    int64 array
        The accumulator after each plane; the last one equals ``linear(counts)``.
    """
    code = SpikeCode(code)
    expanded = planes(counts, code, max_count, channels)
    weights = plane_weights(code, max_count)
    accumulator = 0
    for group in passes(code, max_count):
        accumulator = accumulator * _FACTORS[code]
        for index in group:
            weight = weights[index] // weights[group[-1]]
            accumulator = accumulator + linear(expanded[index]) * weight
            yield accumulator


def set_bits(counts: NDArray[np.integer], code: SpikeCode, max_count: int) -> NDArray[np.int64]:
    """Additions that each count stands for.

    They are its spikes in all planes, and one more for a 4 where the MSB plane is taken together
    with others.

    Parameters are those of `planes`.

    >>> set_bits(np.array([0, 1, 3, 4]), SpikeCode.BIT_SERIAL, 4).tolist()
    [0, 1, 2, 1]
    >>> set_bits(np.array([0, 1, 3, 4]), SpikeCode.TWO_BIT_SERIAL, 4).tolist()
    [0, 1, 2, 2]
    >>> set_bits(np.array([0, 1, 3, 4]), SpikeCode.SPLIT, 4).tolist()
    [0, 1, 2, 3]
    """
    code = SpikeCode(code)
    if code is SpikeCode.THERMOMETER:
        return np.asarray(counts, np.int64)
    if code is SpikeCode.SPLIT:
        return planes(np.arange(max_count + 1), code, max_count).sum(axis=0)[counts]
    bits = np.bitwise_count(counts).astype(np.int64)
    if merge_msb(code, max_count):
        bits += np.asarray(counts) == 4
    return bits
