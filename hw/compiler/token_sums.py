"""Values of token sums in hardware, where lanes without a channel sum to 0."""

import numpy as np

from golden.interval import width


__all__ = ["sum_ends", "sum_width"]


def sum_ends(bounds):
    """Least and largest sum of any lane.

    A threshold that no sum reaches lies beyond them, so that a lane without a channel does not
    fire where all channels are negative.

    Parameters
    ----------
    bounds : (int64 array, int64 array), each of shape (channels,)
        Least and largest sum of each channel.

    Returns
    -------
    low, high : int64 array, shape (1,)
    """
    low, high = bounds
    return np.array([min(low.min(), 0)]), np.array([max(high.max(), 0)])


def sum_width(bounds):
    """Bits of a sum, and of a threshold that no sum reaches.

    >>> sum_width((np.array([-1]), np.array([-1])))
    2
    """
    low, high = sum_ends(bounds)
    return width(low, high + 1)
