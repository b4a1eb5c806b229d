"""Attention of spikes without softmax, in the two forms that hardware computes by additions."""

import math

from train.nn.leaf import leaf


__all__ = ["attention", "masked_sum", "split_heads"]


def split_heads(spikes, heads):
    """Shape (images, heads, channels per head, tokens): heads contiguous, tokens row-major."""
    return spikes.flatten(2).unflatten(1, (heads, -1))


@leaf
def attention(queries, keys, values, *, heads, scale=(1, 1)):
    """Potential ``scale q (k^T v)``, from spikes of maps.

    Parameters
    ----------
    queries, keys : tensor, shape (images, channels, height, width)
        Spikes; heads are contiguous channels.
    values : tensor, shape (images, value channels, height, width)
    heads : int
        Divides both numbers of channels.
    scale : (number, number)
        Numerator, and square of the denominator: ``(2, dk)`` is ``2 / sqrt(dk)``.

    Returns
    -------
    tensor, shape (images, value channels, height, width)

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (spike-driven self-attention).
    """
    maps = queries.shape[2:]
    queries, keys, values = (split_heads(x, heads) for x in (queries, keys, values))
    numerator, square_denominator = scale
    factor = numerator / math.sqrt(square_denominator)
    memory = values @ keys.transpose(-1, -2) * factor
    potential = memory @ queries
    return potential.flatten(1, 2).unflatten(2, maps)


@leaf
def masked_sum(gate, values, *, heads):
    """Values where the gate of their head fires, and 0 elsewhere.

    Parameters
    ----------
    gate : tensor, shape (images, heads, height, width)
        Spikes, 0 or 1 times what a spike stands for.
    values : tensor, shape (images, channels, height, width)
        Spikes; the channels of a head are contiguous.
    heads : int

    Returns
    -------
    tensor, shape (images, channels, height, width)

    References
    ----------
    Yao et al., arXiv:2404.03663 (Meta-SpikeFormer, SDSA-2).
    """
    return gate.repeat_interleave(values.shape[1] // heads, 1) * values
