"""Layouts: which channel each lane of a spike word holds, word by word, -1 where none."""

import numpy as np


__all__ = ["by_head", "contiguous", "in_class_order"]


def contiguous(channels, lanes):
    """Channels in order, ``lanes`` to a word.

    Parameters
    ----------
    channels, lanes : int

    Returns
    -------
    int array, shape (words, lanes)

    Examples
    --------
    >>> contiguous(3, 2).tolist()
    [[0, 1], [2, -1]]
    """
    words = -(-channels // lanes)
    numbers = np.arange(words * lanes).reshape(words, lanes)
    return np.where(numbers < channels, numbers, -1)


def by_head(channels, heads, lanes):
    """Channels in order, every head beginning a new word.

    >>> by_head(6, 2, 2).tolist()
    [[0, 1], [2, -1], [3, 4], [5, -1]]
    """
    of_one = contiguous(channels // heads, lanes)
    return np.concatenate([
        np.where(of_one < 0, -1, of_one + head * channels // heads) for head in range(heads)
    ])


def in_class_order(classes, lanes):
    """Classes in the order in which logits leave, since a word's neurons leave highest lane first.

    >>> in_class_order(3, 2).tolist()
    [[1, 0], [2, -1]]
    """
    return np.array([np.roll(row[::-1], -(row < 0).sum()) for row in contiguous(classes, lanes)])
