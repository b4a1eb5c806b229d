"""Classifier on the sum of the residual stream over its tokens; hardware does not run it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.errors import ModelError
from golden.hints import Infos, Interval, Linear, Tensors, Widths
from golden.tensor_info import TensorInfo

from .facts import Facts
from .operator import look_up, require_epilogue
from .output import Output
from .sum import StreamReader, stream_sum
from .weights import check_weights


__all__ = ["AnalogHead"]


@dataclass(frozen=True, eq=False)
class AnalogHead(StreamReader):
    """Classifier on the sum of a stream over its tokens; the mean's 1/tokens is in ``scale``.

    Tokens are all positions of all steps. Its inputs are stream values and no spikes, so hardware
    does not run it.

    Parameters
    ----------
    name : str
    source : str
        Stream tensor that is read.
    weight : int8 or int16 array, shape (classes, channels)
    weight_bits : int
    epilogue : Output
    """

    KIND, TENSORS, over = "analog_head", ("weight",), "both"
    FIELDS: ClassVar = {"source": str, "weight_bits": int}

    name: str
    source: str
    weight: np.ndarray
    weight_bits: int
    epilogue: Output

    @property
    def channels(self) -> int:
        """Number of classes."""
        return len(self.weight)

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        source = look_up(self, self.source, known, "stream")
        if self.weight.ndim != 2 or self.weight.shape[1] != source.channels or not self.channels:
            raise ModelError(
                f"Layer {self.name}: weights must have shape (classes, "
                f"{source.channels}), not {self.weight.shape}"
            )
        check_weights(self)
        require_epilogue(self, Output)
        return self.epilogue.outputs(self, TensorInfo("counts", self.channels, (1, 1)), known)

    def linear(self, tensors: Tensors) -> Linear:
        weight = self.weight.astype(np.int64)

        def product(values):
            sums = stream_sum(values, self.over)[..., 0, 0]
            return (sums @ weight.T)[..., np.newaxis, np.newaxis]

        return product

    def interval(self, facts: Facts) -> Interval:
        weight = self.weight.astype(object)
        low, high = self.summed(facts)
        ends = weight * low, weight * high
        return np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)

    def products(self, known: Infos) -> tuple[int, int, int]:
        return 1, *self.weight.shape

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        return self.weight_bits
