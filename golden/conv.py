"""Convolution of counts or pixels with integer weights, exact and at the speed of BLAS."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


__all__ = ["convolve", "exact_dtype", "output_size", "tap_cover"]


def exact_dtype(bound):
    """Floating-point type in which sums of integers are exact.

    A float adds integers without rounding as long as no partial sum leaves the range in which it
    holds every integer, so the order in which BLAS adds does not matter.

    Parameters
    ----------
    bound : int
        Largest magnitude that any partial sum can have, in any order.

    Raises
    ------
    OverflowError
        If ``bound`` is 2**53 or more.

    Examples
    --------
    >>> exact_dtype(2**24 - 1).__name__, exact_dtype(2**24).__name__
    ('float32', 'float64')
    """
    if bound < 2**24:
        return np.float32
    if bound < 2**53:
        return np.float64
    raise OverflowError(f"A sum of up to {bound} must stay below 2**53 to be exact")


def output_size(size, kernel, stride, padding):
    """Number of output positions along one axis."""
    return (size + 2 * padding - kernel) // stride + 1


def tap_cover(size, kernel, stride, padding):
    """Number of output positions that each input position reaches along one axis.

    >>> tap_cover(4, 3, 2, 1).tolist()
    [1, 2, 1, 1]
    """
    positions = np.arange(output_size(size, kernel, stride, padding))[:, np.newaxis]
    # The stride to the next position may be any integer where there is none.
    begins = positions * stride if len(positions) > 1 else positions
    reached = begins + np.arange(kernel) - padding
    inside = reached[(reached >= 0) & (reached < size)]
    return np.bincount(inside, minlength=size)


def convolve(counts, weight, *, stride=1, padding=0, depthwise=False):
    """Potentials of a convolution with zero padding.

    Parameters
    ----------
    counts : integer array, shape (images, in_channels, height, width)
        Spike counts or pixels; never negative.
    weight : integer array, shape (out_channels, in_channels, kernel, kernel)
        The second axis has length 1 if ``depthwise``.
    stride, padding : int
    depthwise : bool
        Whether output channel c sees input channel c only.

    Returns
    -------
    int64 array, shape (images, out_channels, out_height, out_width)

    Raises
    ------
    ValueError
        If a count is negative.
    OverflowError
        If a sum could leave the integers that a float64 holds.

    Examples
    --------
    >>> convolve(np.array([[[[1, 2, 3]]]]), np.array([[[[1, 1, -1]]]])).tolist()
    [[[[0]]]]
    """
    if counts.size and counts.min() < 0:
        raise ValueError(f"Counts must not be negative, not {counts.min()}")
    dtype = exact_dtype(_largest_sum(counts, weight))
    if padding:
        border = (padding, padding)
        counts = np.pad(counts, ((0, 0), (0, 0), border, border))
    # The layout that both forms below read: one window per tap, out of the padded map.
    height, width = weight.shape[2:]
    windows = sliding_window_view(counts.astype(dtype), (height, width), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    form = _depthwise if depthwise else _dense
    return form(windows, weight.astype(dtype)).astype(np.int64)


def _largest_sum(counts, weight):
    """Bound on every partial sum: the larger of the positive and the negative side."""
    per_channel = weight.reshape(len(weight), -1).astype(np.int64)
    above = np.maximum(per_channel, 0).sum(axis=1).max(initial=0)
    below = -np.minimum(per_channel, 0).sum(axis=1).min(initial=0)
    return int(counts.max(initial=0)) * int(max(above, below))


def _dense(windows, weight):
    images, _, height, width = windows.shape[:4]
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(images, -1, height * width)
    potential = weight.reshape(len(weight), -1) @ columns
    return potential.reshape(images, len(weight), height, width)


def _depthwise(windows, weight):
    potential = np.zeros(windows.shape[:4], weight.dtype)
    for row, column in np.ndindex(*weight.shape[2:]):
        potential += windows[..., row, column] * weight[:, 0, row, column, None, None]
    return potential
