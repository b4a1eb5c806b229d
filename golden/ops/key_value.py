"""First pass of spike-driven attention ``q (k^T v)`` without softmax: keys and values."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.exact import exact_dtype
from golden.hints import Infos, Interval, Linear, Tensors, Weigh, Widths
from golden.names import memory_name
from golden.tensor_info import TensorInfo

from .facts import Facts
from .fire import Fire
from .frames import like
from .heads import by_head, check_over, sets_of, tokens_of
from .operator import Operator, look_up, require_epilogue, require_heads


__all__ = ["KeyValue", "key_value"]


@dataclass(frozen=True, eq=False)
class KeyValue(Operator):
    """First pass of attention: the memory ``NAME = k^T v`` of every set of tokens and head.

    ``NAME`` itself is the tensor's name (``block3.0.attn.kv``), shape (samples, sets, heads, dk,
    dv); with an epilogue that fires, its counts ``NAME.counts`` take its place. Channel
    ``head * dk + i`` of ``keys`` and ``head * dv + i`` of ``values``; tokens row-major.

    Parameters
    ----------
    name, keys, values : str
    heads : int
    over : str
        What a set of tokens is: the positions of a step (``space``), the steps of a position
        (``time``), or all (``both``).
    epilogue : Fire or None
        Its thresholds have a row for each head, or one.
    """

    KIND, NOUN = "key_value", "memory"
    FIELDS: ClassVar = {"keys": str, "values": str, "heads": int, "over": str}

    name: str
    keys: str
    values: str
    heads: int
    over: str = "space"
    epilogue: Fire | None = None

    @property
    def reads(self) -> list[str]:
        return [self.keys, self.values]

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        if not self.name.endswith(".kv"):
            raise ModelError(f"Layer {self.name}: a memory's name must end in .kv")
        check_over(self)
        keys = look_up(self, self.keys, known, "counts")
        values = look_up(self, self.values, known, "counts")
        if keys.size != values.size:
            raise ModelError(
                f"Layer {self.name}: keys and values must have the same tokens, "
                f"not {keys.size} and {values.size}"
            )
        if keys.steps != values.steps:
            raise ModelError(
                f"Layer {self.name}: keys and values must have the same steps, not "
                f"{keys.steps} and {values.steps}"
            )
        for info, noun in ((keys, "keys"), (values, "values")):
            require_heads(
                self,
                self.heads >= 1 and info.channels % self.heads == 0,
                f"{info.channels} channels of {noun}",
            )
        info = TensorInfo(
            "memory",
            self.heads,
            (keys.channels // self.heads, values.channels // self.heads),
            sets_of(keys, self.over),
            over=self.over,
        )
        if self.epilogue is None:
            return {memory_name(self): info}
        require_epilogue(self, Fire)
        return self.epilogue.outputs(self, info, known)

    def linear(self, tensors: Tensors) -> Linear:
        return lambda keys: key_value(keys, tensors[self.values], self.heads, self.over)

    def interval(self, facts: Facts) -> Interval:
        keys, values = facts.known[self.keys], facts.known[self.values]
        high = np.full(self.heads, tokens_of(keys, self.over) * keys.levels * values.levels)
        return np.zeros_like(high), high

    def record(self, low: np.ndarray, high: np.ndarray, facts: Facts) -> None:
        facts.ranges.memory[self.name] = low, high
        if self.epilogue is not None:
            self.epilogue.record(self, low, high, facts)

    def events(self, tensors: Tensors, weigh: Weigh) -> NDArray[np.int64]:
        """Spikes of keys gate rows of values."""
        keys = weigh(tensors[self.keys], self.keys)
        dv = tensors[self.values].shape[-3] // self.heads
        return keys.reshape(len(keys), -1).sum(axis=1) * dv

    def products(self, known: Infos) -> tuple[int, int, int]:
        """Rows are channels of the keys, set after set."""
        keys, values = known[self.keys], known[self.values]
        return (
            sets_of(keys, self.over) * keys.channels,
            values.channels // self.heads,
            tokens_of(keys, self.over),
        )

    def operands(self, tensors: Tensors, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        keys, values = (
            by_head(tensors[name], self.heads, self.over)[0] for name in (self.keys, self.values)
        )
        number, channel = divmod(row, self.heads * keys.shape[2])
        head, key = divmod(channel, keys.shape[2])
        values = values[number, head]
        return np.broadcast_to(keys[number, head, key], values.shape), values

    def by_row(self, potentials: NDArray[np.int64]) -> NDArray[np.int64]:
        return potentials[0].reshape(-1, potentials.shape[-1])

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        return known[self.values].levels.bit_length()


def key_value(
    keys: NDArray[np.int64],
    values: NDArray[np.int64],
    heads: int,
    over: str = "space",
) -> NDArray[np.int64]:
    """Memory ``k^T v`` of every set of tokens and head, summed over tokens.

    No N x N matrix is formed: integer sums are associative, so ``(q k^T) v = q (k^T v)`` exactly.

    Parameters
    ----------
    keys : int64 array, shape (samples, steps, heads * dk, height, width)
        Spike counts; channel ``head * dk + i``. A token is a position, row-major. Arrays of one
        step may lack the axis of steps, and so does the result then.
    values : int64 array, shape (samples, steps, heads * dv, height, width)
    heads : int
    over : str
        As for `KeyValue`.

    Returns
    -------
    int64 array, shape (samples, sets, heads, dk, dv)

    References
    ----------
    Yao et al., TPAMI 47(4), 2025, doi:10.1109/TPAMI.2025.3530246 (attention without softmax).

    Examples
    --------
    >>> keys, values = np.array([[[[1, 2]]]]), np.array([[[[3, 4]], [[0, 1]]]])
    >>> key_value(keys, values, heads=1).tolist()
    [[[[11, 2]]]]
    """
    given, keys, values = keys, by_head(keys, heads, over), by_head(values, heads, over)
    bound = int(keys.max(initial=0)) * int(values.max(initial=0)) * keys.shape[-1]
    dtype = exact_dtype(bound)
    memory = keys.astype(dtype) @ values.astype(dtype).swapaxes(-2, -1)
    return like(memory.astype(np.int64), given)
