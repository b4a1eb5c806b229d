"""Convolution of counts or pixels with integer weights, exact and at the speed of BLAS."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from golden.axis import Axis
from golden.exact import exact_dtype


__all__ = ["convolve"]


def convolve(
    counts: NDArray[np.integer],
    weight: NDArray[np.integer],
    axes: tuple[Axis, Axis] | None = None,
    groups: int = 1,
) -> NDArray[np.int64]:
    """Potentials of a convolution with zero padding.

    Parameters
    ----------
    counts : integer array, shape (..., in_channels, height, width)
        Spike counts or pixels; never negative.
    weight : integer array, shape (out_channels, in_channels // groups, kernel, kernel)
        The sizes of the kernel are those of the axes.
    axes : (Axis, Axis), optional
        Of height and width; plain ones without padding if not given.
    groups : int
        Equal parts of the channels; outputs of a part see its inputs only.

    Returns
    -------
    int64 array, shape (..., out_channels, out_height, out_width)

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
    axes = axes or tuple(map(Axis, weight.shape[2:]))
    dtype = exact_dtype(_largest_sum(counts, weight))
    leading, size = counts.shape[:-3], counts.shape[-2:]
    stretched = counts.reshape(-1, *counts.shape[-3:]).astype(dtype)
    for number, axis in enumerate(axes):
        stretched = axis.stretch(stretched, 2 + number)
    # The layout that both forms below read: one window per tap, out of the stretched map.
    windows = sliding_window_view(stretched, [axis.span for axis in axes], axis=(2, 3))
    steps = [1 if axis.transposed else axis.stride for axis in axes]
    dilations = [axis.dilation if axis.kernel > 1 else 1 for axis in axes]
    windows = windows[:, :, :: steps[0], :: steps[1], :: dilations[0], :: dilations[1]]
    windows = windows[:, :, : axes[0].length(size[0]), : axes[1].length(size[1])]
    form = _depthwise if 1 < groups == len(weight) == windows.shape[1] else _dense
    potential = form(windows, weight.astype(dtype), groups).astype(np.int64)
    return potential.reshape(*leading, *potential.shape[1:])


def _largest_sum(counts, weight):
    """Bound on every partial sum: the larger of the positive and the negative side."""
    per_channel = weight.reshape(len(weight), -1).astype(np.int64)
    above = np.maximum(per_channel, 0).sum(axis=1).max(initial=0)
    below = -np.minimum(per_channel, 0).sum(axis=1).min(initial=0)
    return int(counts.max(initial=0)) * int(max(above, below))


def _dense(windows, weight, groups):
    maps, _, height, width = windows.shape[:4]
    columns = windows.transpose(0, 1, 4, 5, 2, 3)
    if groups == 1:
        potential = weight.reshape(len(weight), -1) @ columns.reshape(maps, -1, height * width)
    else:
        potential = weight.reshape(groups, len(weight) // groups, -1) @ columns.reshape(
            maps, groups, -1, height * width
        )
    return potential.reshape(maps, len(weight), height, width)


def _depthwise(windows, weight, groups):
    potential = np.zeros(windows.shape[:4], weight.dtype)
    for row, column in np.ndindex(*weight.shape[2:]):
        potential += windows[..., row, column] * weight[:, 0, row, column, None, None]
    return potential
