"""Second pass of spike-driven attention ``q (k^T v)`` without softmax: queries."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.exact import exact_dtype
from golden.hints import Infos, Interval, Linear, Tensors, Weigh, Widths
from golden.tensor_info import TensorInfo

from .facts import Facts
from .fire import Fire
from .frames import framed, like
from .heads import by_head, check_over, from_head, sets_of, split_heads, tokens_of
from .operator import Operator, look_up, require_epilogue, require_heads
from .output import Output
from .write import Write


__all__ = ["Query", "query"]


@dataclass(frozen=True, eq=False)
class Query(Operator):
    """Second pass of attention: potentials ``q (k^T v)``; all scales are in the thresholds.

    Parameters
    ----------
    name, queries : str
    memory : str
        A memory, or the counts that were fired from one. Its keys and values may have other tokens
        than the queries, if there are as many sets of them.
    heads : int
    epilogue : Fire or Write or Output
    over : str
        As for the memory.
    """

    KIND = "query"
    FIELDS: ClassVar = {"queries": str, "memory": str, "heads": int, "over": str}

    name: str
    queries: str
    memory: str
    heads: int
    epilogue: Fire | Write | Output
    over: str = "space"

    @property
    def reads(self) -> list[str]:
        return [self.queries, self.memory, *(self.epilogue.reads if self.epilogue else ())]

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        check_over(self)
        memory = look_up(self, self.memory, known, "memory")
        heads, dk, dv = memory.shape
        require_heads(self, self.heads == heads, f"{self.memory} has {heads}")
        queries = look_up(self, self.queries, known, "counts")
        if queries.channels != heads * dk:
            raise ModelError(
                f"Layer {self.name}: queries must have {heads} heads of {dk} "
                f"channels, not {queries.channels} channels"
            )
        if self.over != memory.over or sets_of(queries, self.over) != memory.steps:
            raise ModelError(
                f"Layer {self.name}: queries must be over {memory.over} in "
                f"{memory.steps} sets like {self.memory}, not over {self.over} in "
                f"{sets_of(queries, self.over)}"
            )
        require_epilogue(self, Fire, Write, Output)
        info = TensorInfo("counts", heads * dv, queries.size, queries.steps)
        return self.epilogue.outputs(self, info, known)

    def linear(self, tensors: Tensors) -> Linear:
        return lambda queries: query(queries, tensors[self.memory], self.over)

    def interval(self, facts: Facts) -> Interval:
        memory, queries = facts.known[self.memory], facts.known[self.queries]
        largest = (
            memory.levels
            if memory.levels is not None
            else int(facts.ranges.memory[self.memory][1].max())
        )
        _, dk, dv = memory.shape
        high = np.full(memory.channels * dv, dk * queries.levels * largest)
        return np.zeros_like(high), high

    def events(self, tensors: Tensors, weigh: Weigh) -> NDArray[np.int64]:
        """Spikes of queries gate rows of the memory."""
        queries = weigh(tensors[self.queries], self.queries)
        return queries.reshape(len(queries), -1).sum(axis=1) * tensors[self.memory].shape[-1]

    def products(self, known: Infos) -> tuple[int, int, int]:
        """Rows are tokens, the heads of each one after the other; ``k^T v`` is formed first."""
        heads, dk, dv = known[self.memory].shape
        queries = known[self.queries]
        tokens = sets_of(queries, self.over) * tokens_of(queries, self.over)
        return heads * tokens, dv, dk

    def operands(self, tensors: Tensors, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        queries = by_head(tensors[self.queries], self.heads, self.over)[0]
        token, head = divmod(row, self.heads)
        number, token = divmod(token, queries.shape[3])
        memory = framed(tensors[self.memory])[0, number, head].T
        return np.broadcast_to(queries[number, head, :, token], memory.shape), memory

    def by_row(self, potentials: NDArray[np.int64]) -> NDArray[np.int64]:
        heads = split_heads(potentials[:1], self.heads, self.over)[0]
        return heads.transpose(0, 3, 1, 2).reshape(-1, heads.shape[2])

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        levels = known[self.memory].levels
        return bits[self.memory]["memory"] if levels is None else levels.bit_length()


def query(
    queries: NDArray[np.int64],
    memory: NDArray[np.int64],
    over: str = "space",
) -> NDArray[np.int64]:
    """Potentials ``q (k^T v)`` of every token.

    Parameters
    ----------
    queries : int64 array, shape (samples, steps, heads * dk, height, width)
        Spike counts. Arrays of one step may lack the axis of steps, and so does the result then.
    memory : int64 array, shape (samples, sets, heads, dk, dv)
        What `key_value` returned.
    over : str
        As for `KeyValue`.

    Returns
    -------
    int64 array, shape (samples, steps, heads * dv, height, width)

    Examples
    --------
    >>> query(np.array([[[[1, 0]]]]), np.array([[[[11, 2]]]])).tolist()
    [[[[11, 0]], [[2, 0]]]]
    """
    memory, steps = framed(memory), framed(queries).shape[1]
    tokens = by_head(queries, memory.shape[2], over)
    # Entries are sums of products of counts and so never negative: a column bounds its prefix.
    bound = int(queries.max(initial=0)) * int(memory.sum(axis=-2).max(initial=0))
    dtype = exact_dtype(bound)
    potential = memory.astype(dtype).swapaxes(-2, -1) @ tokens.astype(dtype)
    result = from_head(potential.astype(np.int64), over, steps, queries.shape[-2:])
    return like(result, queries)
