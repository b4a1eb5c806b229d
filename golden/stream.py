"""The residual stream: writing to it by shift and bias, and summing its tokens."""

import numpy as np


__all__ = ["token_sum", "write"]


def write(potential, *, previous, shift, bias):
    """Add a branch to the stream, in fixed point.

    The weights' scale is a power of two, so aligning it with the stream's fraction bits is a shift.

    Parameters
    ----------
    potential : int64 array, shape (images, channels, height, width)
    previous : int64 array of the same shape, or None
        The stream so far; ``None`` starts a new one.
    shift : int
        At least 0.
    bias : int64 array, shape (channels,)
        In units of the stream.

    Returns
    -------
    int64 array, shape of ``potential``

    Examples
    --------
    >>> write(np.array([[[[3]]]]), previous=None, shift=2, bias=np.array([-1])).ravel()
    array([11])
    """
    stream = (potential << shift) + bias[:, np.newaxis, np.newaxis]
    return stream if previous is None else previous + stream


def token_sum(stream):
    """Sum over all positions; shape (images, channels, 1, 1).

    >>> token_sum(np.array([[[[1, 2], [3, -9]]]])).ravel()
    array([-3])
    """
    return stream.sum(axis=(2, 3), keepdims=True)
