"""Intervals of integers: the bits that hold them, and their most."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.errors import ModelError
from golden.names import Named


__all__ = ["MAX_WIDTH", "kv_width", "require_width", "saturate", "width"]


#: Widest potential or stream, in bits, that a model may need; int64 then holds every sum.
MAX_WIDTH = 48


def width(low: ArrayLike, high: ArrayLike) -> int:
    """Bits of a two's complement number that holds every integer of ``low``..``high``.

    >>> width(-8, 7), width(0, 7), width(0, 8), width(0, 0)
    (4, 4, 5, 1)
    """
    low, high = int(np.min(low)), int(np.max(high))
    return 1 + max((~low if low < 0 else 0).bit_length(), high.bit_length() if high > 0 else 0)


def kv_width(high: ArrayLike) -> int:
    """Bits of an entry of the attention memory, which is never negative and has no sign bit.

    >>> kv_width(196 * 4**2)
    12
    """
    return max(1, int(np.max(high)).bit_length())


def saturate(thresholds: ArrayLike, low: ArrayLike, high: ArrayLike) -> NDArray[np.int64]:
    """Thresholds limited to ``low`` (always fires) .. ``high + 1`` (never fires), per channel.

    Parameters
    ----------
    thresholds : array of Python integers or int64, shape (channels, D)
    low, high : int64 arrays, shape (channels,)
        The potential's interval.

    Returns
    -------
    int64 array, shape (channels, D)
    """
    low, high = np.asarray(low)[:, np.newaxis], np.asarray(high)[:, np.newaxis]
    return np.minimum(np.maximum(thresholds, low), high + 1).astype(np.int64)


def require_width(layer: Named, low: ArrayLike, high: ArrayLike) -> None:
    """Raises ModelError if a layer's values need more than `MAX_WIDTH` bits."""
    needed = width(low, high)
    if needed > MAX_WIDTH:
        raise ModelError(f"Layer {layer.name}: values must fit {MAX_WIDTH} bits, not need {needed}")
