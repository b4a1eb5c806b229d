"""Depthwise convolution of small maps as one matrix per channel, which trains faster on a CPU."""

from functools import cache

import torch


__all__ = ["SMALL_MAP", "depthwise"]


#: Positions up to which a matrix (positions squared per channel) pays.
SMALL_MAP = 64


def depthwise(inputs, weight):
    """Depthwise convolution with stride 1 that keeps the size of the maps.

    Parameters
    ----------
    inputs : tensor, shape (images, channels, height, width)
    weight : tensor, shape (channels, 1, kernel, kernel)
        ``kernel`` is odd.

    Returns
    -------
    tensor of the shape of ``inputs``
        What ``conv2d`` with zero padding gives, apart from the order of additions.
    """
    _, channels, height, width = inputs.shape
    # One more tap of weight zero serves all pairs of positions that lie too far apart.
    taps = torch.cat([weight.flatten(1), weight.new_zeros(channels, 1)], 1)
    matrices = taps[:, _tap_index(height, width, weight.shape[2])]
    return torch.einsum("cpq,ncq->ncp", matrices, inputs.flatten(2)).view_as(inputs)


@cache
def _tap_index(height, width, kernel):
    """Tap between each output and each input position, shape (positions, positions)."""
    rows, columns = (
        torch.arange(size)[None] - torch.arange(size)[:, None] + kernel // 2
        for size in (height, width)
    )
    rows, columns = rows[:, None, :, None], columns[None, :, None, :]
    inside = (rows >= 0) & (rows < kernel) & (columns >= 0) & (columns < kernel)
    index = torch.where(inside, rows * kernel + columns, kernel * kernel)
    return index.reshape(height * width, height * width)
