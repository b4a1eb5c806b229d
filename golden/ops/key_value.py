"""First pass of spike-driven attention ``q (k^T v)`` without softmax: keys and values."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.errors import ModelError
from golden.exact import exact_dtype
from golden.names import kv_name
from golden.spike import SpikeCode, plane_count

from .heads import by_head
from .operator import Operator, look_up, require_heads


__all__ = ["KeyValue", "key_value"]


@dataclass(frozen=True, eq=False)
class KeyValue(Operator):
    """First pass of attention: the memory ``NAME = k^T v`` of every head.

    ``NAME`` itself is the tensor's name (``block3.0.attn.kv``), shape (images, heads, dk, dv).
    Channel ``head * dk + i`` of ``keys`` and ``head * dv + i`` of ``values``; tokens row-major.
    """

    KIND, NOUN, drain = "key_value", "kv", None
    FIELDS: ClassVar = {"keys": str, "values": str, "heads": int}

    name: str
    keys: str
    values: str
    heads: int

    @property
    def reads(self):
        return [self.keys, self.values]

    def outputs(self, known, model):
        if not self.name.endswith(".kv"):
            raise ModelError(f"Layer {self.name}: a memory's name must end in .kv")
        keys = look_up(self, self.keys, known, "counts")
        values = look_up(self, self.values, known, "counts")
        if keys[1:] != values[1:]:
            raise ModelError(f"Layer {self.name}: keys and values must have the same tokens, "
                             f"not {keys[1:]} and {values[1:]}")
        for channels, noun in ((keys[0], "keys"), (values[0], "values")):
            require_heads(self, self.heads >= 1 and channels % self.heads == 0,
                          f"{channels} channels of {noun}")
        return {kv_name(self): (self.heads, keys[0] // self.heads, values[0] // self.heads)}

    def linear(self, tensors):
        return lambda keys: key_value(keys, tensors[self.values], self.heads)

    def interval(self, facts):
        _, *map_size = facts.known[self.keys]
        high = np.full(self.heads, int(np.prod(map_size)) * facts.model.max_count**2)
        return np.zeros_like(high), high

    def events(self, tensors, weigh):
        """Spikes of keys gate rows of values."""
        keys = weigh(tensors[self.keys], self.keys)
        return keys.sum(axis=(1, 2, 3)) * tensors[self.name].shape[3]

    def products(self, known):
        """Rows are channels of the keys."""
        heads, dk, dv = known[self.name]
        return heads * dk, dv, int(np.prod(known[self.keys][1:]))

    def operands(self, tensors, row):
        keys = tensors[self.keys][0].reshape(tensors[self.keys].shape[1], -1)
        head = row // (len(keys) // self.heads)
        values = tensors[self.values][0].reshape(self.heads, -1, keys.shape[1])[head]
        return np.broadcast_to(keys[row], values.shape), values

    def by_row(self, potentials):
        return potentials[0].reshape(-1, potentials.shape[3])

    def operand_bits(self, model, bits):
        return plane_count(SpikeCode.BIT_SERIAL, model.max_count)


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
    keys, values = by_head(keys, heads), by_head(values, heads)
    bound = int(keys.max(initial=0)) * int(values.max(initial=0)) * keys.shape[-1]
    dtype = exact_dtype(bound)
    return (keys.astype(dtype) @ values.astype(dtype).swapaxes(2, 3)).astype(np.int64)
