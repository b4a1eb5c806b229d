"""Sets of tokens: the positions of each step, the steps of each position, or all."""

import numpy as np


__all__ = ["key_value", "query", "tokens_per_set"]


def _tokens(counts, heads, over):
    """Counts as (samples, sets, heads, channels of a head, tokens)."""
    samples, steps, channels = counts.shape[:3]
    split = counts.reshape(samples, steps, heads, channels // heads, -1)
    match over:
        case "space":
            return split
        case "time":
            return np.moveaxis(split, (1, 4), (4, 1))
        case "both":
            every = np.moveaxis(split, 1, 3)
            return every.reshape(samples, 1, heads, channels // heads, -1)


def tokens_per_set(shape, over):
    """Number of values that a sum over a map (samples, steps, channels, height, width) has."""
    _, steps, _, height, width = shape
    return {"space": height * width, "time": steps, "both": steps * height * width}[over]


def key_value(keys, values, heads, over):
    """Memory (samples, sets, heads, dk, dv)."""
    return np.einsum("suhin,suhjn->suhij", _tokens(keys, heads, over), _tokens(values, heads, over))


def query(queries, memory, heads, over):
    """Potentials of a map as large as that of the queries."""
    samples, steps, _, height, width = queries.shape
    found = np.einsum("suhin,suhij->suhjn", _tokens(queries, heads, over), memory)
    channels = heads * found.shape[3]
    match over:
        case "time":
            found = np.moveaxis(found, (4, 1), (1, 4))
        case "both":
            found = np.moveaxis(found.reshape(samples, heads, -1, steps, height * width), 3, 1)
    return found.reshape(samples, steps, channels, height, width)
