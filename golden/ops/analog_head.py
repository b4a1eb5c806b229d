"""Classifier on the sum of the residual stream over its tokens; hardware does not run it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.errors import ModelError

from .logits import Logits
from .operator import look_up, require_epilogue
from .token_sum import StreamReader, token_sum
from .weights import check_weights


__all__ = ["AnalogHead"]


@dataclass(frozen=True, eq=False)
class AnalogHead(StreamReader):
    """Classifier on the sum of a stream over its tokens; the mean's 1/tokens is in ``scale``.

    Its inputs are stream values and no spikes, so hardware does not run it.

    Parameters
    ----------
    name : str
    source : str
        Stream tensor that is read.
    weight : int8 array, shape (classes, channels)
    weight_bits : int
    drain : Logits
    """

    KIND, TENSORS = "analog_head", ("weight",)
    FIELDS: ClassVar = {"source": str, "weight_bits": int}

    name: str
    source: str
    weight: np.ndarray
    weight_bits: int
    drain: Logits

    @property
    def channels(self):
        """Number of classes."""
        return len(self.weight)

    def outputs(self, known, model):
        channels, _, _ = look_up(self, self.source, known, "stream")
        if self.weight.shape != (model.classes, channels):
            raise ModelError(f"Layer {self.name}: weights must have shape "
                             f"{(model.classes, channels)}, not {self.weight.shape}")
        require_epilogue(self, Logits)
        return self.drain.outputs(self, (model.classes, 1, 1), known, model)

    def check_values(self, max_count):
        check_weights(self)
        super().check_values(max_count)

    def linear(self, tensors):
        weight = self.weight.astype(np.int64).T
        return lambda values: token_sum(values)[:, :, 0, 0] @ weight

    def interval(self, facts):
        weight = self.weight.astype(object)
        low, high = self.summed(facts)
        ends = weight * low, weight * high
        return np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)

    def products(self, known):
        return 1, *self.weight.shape

    def operand_bits(self, model, bits):
        return self.weight_bits
