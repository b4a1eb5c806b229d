"""Ladders: what hardware compares with, whatever the epilogue."""

__all__ = ["bias_and_ladder", "potential_shift"]


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
