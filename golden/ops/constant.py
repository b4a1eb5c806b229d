"""Weights that are their own potentials: query embeddings and position codes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Infos, Interval, Linear, Tensors, Widths
from golden.tensor_info import TensorInfo

from .facts import Facts
from .fire import Fire
from .operator import Operator, look_up, require_epilogue
from .output import Output
from .weights import check_weights
from .write import Write


__all__ = ["Constant"]


@dataclass(frozen=True, eq=False)
class Constant(Operator):
    """Potentials ``weight[c, position]`` that are the same for every sample.

    They have one step; where they are added to a stream, every step of it gets them.

    Parameters
    ----------
    name : str
    weight : int8 or int16 array, shape (channels, height, width)
    weight_bits : int
        2 to 8 for int8, 9 to 16 for int16.
    epilogue : Fire or Write or Output
    """

    KIND, TENSORS, SPIKING = "constant", ("weight",), False
    FIELDS: ClassVar = {"weight_bits": int}

    name: str
    weight: np.ndarray
    weight_bits: int
    epilogue: Fire | Write | Output

    @property
    def reads(self) -> list[str]:
        return [*(self.epilogue.reads if self.epilogue else ())]

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        if self.weight.ndim != 3 or min(self.weight.shape) < 1:
            raise ModelError(
                f"Layer {self.name}: weights must have shape (channels, height, "
                f"width), not {self.weight.shape}"
            )
        check_weights(self)
        require_epilogue(self, Fire, Write, Output)
        steps = max(
            [look_up(self, name, known, "stream").steps for name in self.epilogue.reads], default=1
        )
        channels, *size = self.weight.shape
        return self.epilogue.outputs(
            self, TensorInfo("counts", channels, tuple(size), steps), known
        )

    def operand(self, tensors: Tensors) -> NDArray[np.int64]:
        """Any tensor, for the number of samples alone."""
        return next(iter(tensors.values()))

    def linear(self, tensors: Tensors) -> Linear:
        weight = self.weight.astype(np.int64)
        stream = next((tensors[name] for name in self.reads), None)

        def repeated(samples):
            shape = (len(samples), 1, *weight.shape) if stream is None else stream.shape
            return np.broadcast_to(weight, shape)

        return repeated

    def interval(self, facts: Facts) -> Interval:
        weight = self.weight.reshape(len(self.weight), -1).astype(np.int64)
        return weight.min(axis=1), weight.max(axis=1)

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        return self.weight_bits
