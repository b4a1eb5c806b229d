"""Spike-driven attention ``q (k^T v)`` without softmax, keys and values first."""

import numpy as np

from golden.conv import exact_dtype


__all__ = ["key_value", "query"]


def key_value(keys, values, heads):
    """Memory ``k^T v`` of every head, summed over tokens.

    No N x N matrix is formed: integer sums are associative, so ``(q k^T) v = q (k^T v)`` exactly.

    Parameters
    ----------
    keys : int64 array, shape (images, heads * dk, height, width)
        Spike counts; channel ``head * dk + i``. A token is a position, row-major.
    values : int64 array, shape (images, heads * dv, height, width)
    heads : int

    Returns
    -------
    int64 array, shape (images, heads, dk, dv)

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (attention without softmax).

    Examples
    --------
    >>> keys, values = np.array([[[[1, 2]]]]), np.array([[[[3, 4]], [[0, 1]]]])
    >>> key_value(keys, values, heads=1).tolist()
    [[[[11, 2]]]]
    """
    keys, values = _by_head(keys, heads), _by_head(values, heads)
    bound = int(keys.max(initial=0)) * int(values.max(initial=0)) * keys.shape[-1]
    dtype = exact_dtype(bound)
    return (keys.astype(dtype) @ values.astype(dtype).swapaxes(2, 3)).astype(np.int64)


def query(queries, memory):
    """Potentials ``q (k^T v)`` of every token.

    Parameters
    ----------
    queries : int64 array, shape (images, heads * dk, height, width)
        Spike counts.
    memory : int64 array, shape (images, heads, dk, dv)
        What `key_value` returned.

    Returns
    -------
    int64 array, shape (images, heads * dv, height, width)

    Examples
    --------
    >>> query(np.array([[[[1, 0]]]]), np.array([[[[11, 2]]]])).tolist()
    [[[[11, 0]], [[2, 0]]]]
    """
    images, heads, _, dv = memory.shape
    height, width = queries.shape[2:]
    tokens = _by_head(queries, heads)
    # Entries are sums of products of counts and so never negative: a column bounds its prefix.
    bound = int(queries.max(initial=0)) * int(memory.sum(axis=2).max(initial=0))
    dtype = exact_dtype(bound)
    potential = memory.astype(dtype).swapaxes(2, 3) @ tokens.astype(dtype)
    return potential.astype(np.int64).reshape(images, heads * dv, height, width)


def _by_head(counts, heads):
    """View of a map as (images, heads, channels of a head, tokens)."""
    if counts.size and counts.min() < 0:
        raise ValueError(f"Counts must not be negative, not {counts.min()}")
    return counts.reshape(len(counts), heads, counts.shape[1] // heads, -1)
