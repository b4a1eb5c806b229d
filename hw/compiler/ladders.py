"""Ladders: what hardware compares with, whatever the epilogue."""

__all__ = ["all_thresholds", "bias_and_ladder", "potential_shift"]


#: Threshold of a spike that is never fired, beyond every potential.
NEVER = 1 << 62


def all_thresholds(ladder, max_count):
    """Thresholds of a channel, of a neuron whose D may be smaller than the core's.

    Parameters
    ----------
    ladder : sequence of int
        Of the neuron; empty where there is none.
    max_count : int
        Of the core.

    Returns
    -------
    tuple of int, one for each count

    Examples
    --------
    >>> all_thresholds([3, 5], 3) == (3, 5, NEVER)
    True
    """
    return (*map(int, ladder), *(NEVER,) * (max_count - len(ladder)))


def bias_and_ladder(epilogue):
    """Bias that the firing unit adds, and the thresholds that it compares the sum with.

    Where a layer does nothing but fire, its shift and its bias go into the thresholds: a potential
    p fires where ``(p << shift) + bias >= threshold``, that is from ``ceil((threshold - bias) /
    2**shift)`` on. A uniform neuron becomes the ladder that counts the same.

    Parameters
    ----------
    epilogue : Fire, Write, Output or None

    Returns
    -------
    bias : int64 array, shape (channels,), or None
    ladder : int64 array, shape (channels or 1, D), or None
    """
    bias, neuron = getattr(epilogue, "bias", None), getattr(epilogue, "neuron", None)
    if neuron is None:
        return bias, None
    if epilogue.KIND != "fire":
        return bias, neuron.ladder
    offset = 0 if bias is None else bias[:, None]
    return None, -((offset - neuron.ladder) >> epilogue.shift)


def potential_shift(epilogue):
    """Bits by which the firing unit shifts potentials; a layer that only fires needs none."""
    return getattr(epilogue, "shift", 0) if getattr(epilogue, "KIND", "fire") != "fire" else 0
