"""Second pass of spike-driven attention ``q (k^T v)`` without softmax: queries."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.errors import ModelError
from golden.exact import exact_dtype

from .fire import Fire
from .heads import by_head
from .operator import Operator, look_up, require_epilogue, require_heads


__all__ = ["Query", "query"]


@dataclass(frozen=True, eq=False)
class Query(Operator):
    """Second pass of attention: potentials ``q (k^T v)``; all scales are in the thresholds."""

    KIND = "query"
    FIELDS: ClassVar = {"queries": str, "key_values": str, "heads": int}

    name: str
    queries: str
    key_values: str
    heads: int
    drain: Fire

    @property
    def reads(self):
        return [self.queries, self.key_values]

    def outputs(self, known, model):
        heads, dk, dv = look_up(self, self.key_values, known, "kv")
        require_heads(self, heads == self.heads, f"{self.key_values} has {heads}")
        channels, height, width = look_up(self, self.queries, known, "counts")
        if channels != heads * dk:
            raise ModelError(f"Layer {self.name}: queries must have {heads} heads of {dk} "
                             f"channels, not {channels} channels")
        require_epilogue(self, Fire)
        return self.drain.outputs(self, (heads * dv, height, width), known, model)

    def linear(self, tensors):
        return lambda queries: query(queries, tensors[self.key_values])

    def interval(self, facts):
        heads, dk, dv = facts.known[self.key_values]
        memory = int(facts.ranges.kv[self.key_values][1].max())
        high = np.full(heads * dv, dk * facts.model.max_count * memory)
        return np.zeros_like(high), high

    def events(self, tensors, weigh):
        """Spikes of queries gate rows of the memory."""
        queries = weigh(tensors[self.queries], self.queries)
        return queries.sum(axis=(1, 2, 3)) * tensors[self.key_values].shape[3]

    def products(self, known):
        """Rows are tokens, the heads of each one after the other; ``k^T v`` is formed first."""
        heads, dk, dv = known[self.key_values]
        return heads * int(np.prod(known[self.queries][1:])), dv, dk

    def operands(self, tensors, row):
        token, head = divmod(row, self.heads)
        memory = tensors[self.key_values][0, head].T
        queries = tensors[self.queries][0].reshape(self.heads, memory.shape[1], -1)
        return np.broadcast_to(queries[head, :, token], memory.shape), memory

    def by_row(self, potentials):
        heads = potentials[0].reshape(self.heads, -1, np.prod(potentials.shape[2:]))
        return heads.transpose(2, 0, 1).reshape(-1, heads.shape[1])

    def operand_bits(self, model, bits):
        return bits[self.key_values]["kv"]


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
    tokens = by_head(queries, heads)
    # Entries are sums of products of counts and so never negative: a column bounds its prefix.
    bound = int(queries.max(initial=0)) * int(memory.sum(axis=2).max(initial=0))
    dtype = exact_dtype(bound)
    potential = memory.astype(dtype).swapaxes(2, 3) @ tokens.astype(dtype)
    return potential.astype(np.int64).reshape(images, heads * dv, height, width)
