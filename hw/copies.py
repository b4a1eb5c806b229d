"""Copies: layers that no model has, which store counts once more where another layer needs them."""

import numpy as np

from golden import Conv, Fire, Neuron, Rounding


__all__ = ["copy_of"]


def copy_of(tensor, channels, max_count, *, name):
    """A layer whose counts are those that it reads.

    Each potential is one count, and the j-th spike fires from j on.

    Parameters
    ----------
    tensor : str
        Counts to be copied.
    channels : int
        Of these counts.
    max_count : int
        D.
    name : str
        Of the layer.

    Returns
    -------
    Conv
    """
    weight = np.eye(channels, dtype=np.int8)[:, :, np.newaxis, np.newaxis]
    ladder = np.arange(1, max_count + 1)[np.newaxis]
    return Conv(name, tensor, weight, 2, 1, 0, 1, Fire(Neuron(ladder, Rounding.HALF_UP)))
