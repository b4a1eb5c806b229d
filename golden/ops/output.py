"""Epilogue that leaves the network, such as logits."""

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Infos, Tensors
from golden.names import LOGITS, MAX_NAME
from golden.tensor_info import TensorInfo

from .facts import Facts
from .operator import Epilogue, Operator
from .shifted import check_shifted, shifted, shifted_interval


__all__ = ["Output"]


@dataclass(frozen=True, eq=False)
class Output(Epilogue):
    """Output of the network: ``(potential << shift) + bias``, on a map of any size.

    Parameters
    ----------
    bias : int64 array, shape (channels,)
    scale : float
        Times ``scale``, values are those of the float network.
    shift : int
        0 to 32: fraction bits of the bias beyond those of the weights.
    name : str
        Of the tensor.
    """

    KIND, TENSORS = "output", ("bias",)
    FIELDS: ClassVar = {"output": str, "shift": int, "scale": (int, float)}

    bias: NDArray[np.int64]
    scale: float
    shift: int = 0
    name: str = LOGITS

    @property
    def output(self) -> str:
        """Name of the tensor."""
        return self.name

    def outputs(self, layer: Operator, info: TensorInfo, known: Infos) -> dict[str, TensorInfo]:
        if self.bias is None:
            raise ModelError(f"Layer {layer.name}: the bias of an output must be given")
        check_shifted(layer, self, info.channels)
        if not (
            self.name.isprintable() and 1 <= len(self.name) <= MAX_NAME and "." not in self.name
        ):
            raise ModelError(
                f"Layer {layer.name}: an output's name must have 1 to {MAX_NAME} "
                f"printable characters and no full stop, not {self.name!r}"
            )
        # Compared with the largest float, since an integer may be larger.
        if not 0 < self.scale <= sys.float_info.max:
            raise ModelError(
                f"Layer {layer.name}: the scale of an output must be positive and "
                f"finite, not {self.scale!r}"
            )
        return {self.name: TensorInfo("output", info.channels, info.size, info.steps)}

    def store(
        self,
        layer: Operator,
        potentials: NDArray[np.int64],
        tensors: Tensors,
    ) -> dict[str, NDArray[np.int64]]:
        return {self.name: shifted(potentials, self.shift, self.bias)}

    def record(self, layer: Operator, low: np.ndarray, high: np.ndarray, facts: Facts) -> None:
        facts.ranges.outputs[layer.name] = shifted_interval(layer, self, low, high)
