"""Counts that are gated by the counts of a mask, position by position."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Infos, Interval, Linear, Tensors, Weigh, Widths
from golden.tensor_info import TensorInfo

from .facts import Facts
from .fire import Fire
from .operator import Operator, look_up, require_epilogue, require_heads
from .output import Output
from .write import Write


__all__ = ["Mask", "masked"]


@dataclass(frozen=True, eq=False)
class Mask(Operator):
    """Potentials ``g[head(c), n] v[c, n]`` of a gate with one channel per head (SDSA-2).

    Parameters
    ----------
    name, gate, values : str
        Counts of the same size and steps.
    heads : int
        Channels of the gate; head h gates as many channels of values as every other, in order.
    epilogue : Fire or Write or Output
    """

    KIND = "mask"
    FIELDS: ClassVar = {"gate": str, "values": str, "heads": int}

    name: str
    gate: str
    values: str
    heads: int
    epilogue: Fire | Write | Output

    @property
    def reads(self) -> list[str]:
        return [self.gate, self.values, *(self.epilogue.reads if self.epilogue else ())]

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        gate = look_up(self, self.gate, known, "counts")
        values = look_up(self, self.values, known, "counts")
        require_heads(
            self,
            self.heads >= 1 and values.channels % self.heads == 0,
            f"{values.channels} channels of values",
        )
        require_heads(self, gate.channels == self.heads, f"the gate has {gate.channels} channels")
        if (gate.size, gate.steps) != (values.size, values.steps):
            raise ModelError(
                f"Layer {self.name}: gate and values must have the same size and "
                f"steps, not {gate.size} in {gate.steps} and {values.size} in "
                f"{values.steps}"
            )
        require_epilogue(self, Fire, Write, Output)
        info = TensorInfo("counts", values.channels, values.size, values.steps)
        return self.epilogue.outputs(self, info, known)

    def linear(self, tensors: Tensors) -> Linear:
        return lambda gate: masked(gate, tensors[self.values])

    def interval(self, facts: Facts) -> Interval:
        gate, values = facts.known[self.gate], facts.known[self.values]
        high = np.full(values.channels, gate.levels * values.levels)
        return np.zeros_like(high), high

    def events(self, tensors: Tensors, weigh: Weigh) -> NDArray[np.int64]:
        """A spike of the gate adds the values of its head."""
        gate = weigh(tensors[self.gate], self.gate)
        width = tensors[self.values].shape[-3] // self.heads
        return gate.reshape(len(gate), -1).sum(axis=1) * width

    def products(self, known: Infos) -> tuple[int, int, int]:
        """Rows are counts of the gate, in the order of its array."""
        gate, values = known[self.gate], known[self.values]
        return gate.values, values.channels // self.heads, 1

    def operands(self, tensors: Tensors, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        gate = tensors[self.gate][0]
        place = np.unravel_index(row, gate.shape)
        values = tensors[self.values][0]
        width = values.shape[-3] // self.heads
        values = values[
            (*place[:-3], slice(place[-3] * width, (place[-3] + 1) * width), *place[-2:])
        ]
        return np.full((width, 1), gate[place]), values[:, np.newaxis]

    def by_row(self, potentials: NDArray[np.int64]) -> NDArray[np.int64]:
        values = potentials[0]
        *steps, channels, height, width = values.shape
        values = values.reshape(*steps, self.heads, channels // self.heads, height, width)
        return np.moveaxis(values, -3, -1).reshape(-1, channels // self.heads)

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        return known[self.values].levels.bit_length()


def masked(gate: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """``gate[head(c), n] * values[c, n]`` of arrays (..., channels, height, width).

    >>> masked(np.array([[[[2]]]]), np.array([[[[1]], [[3]]]])).ravel()
    array([2, 6])
    """
    return gate.repeat(values.shape[-3] // gate.shape[-3], axis=-3) * values
