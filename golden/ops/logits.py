"""Epilogue of the head: logits."""

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.errors import ModelError
from golden.names import LOGITS

from .operator import Epilogue
from .shifted import check_shifted, shifted_interval


__all__ = ["Logits"]


@dataclass(frozen=True, eq=False)
class Logits(Epilogue):
    """Drain of the head: ``logits = (potential << shift) + bias``.

    Parameters
    ----------
    bias : int64 array, shape (classes,)
    scale : float
        ``logits * scale`` are the float logits.
    shift : int
        0 to 32: fraction bits of the bias beyond those of the weights.
    """

    KIND, TENSORS, DEFAULTS = "logits", ("bias",), {"shift": 0}
    FIELDS: ClassVar = {"scale": (int, float), "shift": int}

    bias: np.ndarray
    scale: float
    shift: int = 0

    def outputs(self, layer, shape, known, model):
        if shape != (model.classes, 1, 1):
            raise ModelError(f"Layer {layer.name}: logits must have shape "
                             f"{(model.classes, 1, 1)}, not {shape}")
        return {LOGITS: (model.classes,)}

    def check_values(self, layer, max_count):
        check_shifted(layer, self, layer.channels)
        # Compared with the largest float, since an integer may be larger.
        if not 0 < self.scale <= sys.float_info.max:
            raise ModelError(f"Layer {layer.name}: the scale of the logits must be positive and "
                             f"finite, not {self.scale!r}")

    def store(self, layer, potentials, tensors):
        return {LOGITS: (potentials.reshape(potentials.shape[:2]) << self.shift) + self.bias}

    def record(self, layer, low, high, ranges):
        ranges.outputs[layer.name] = shifted_interval(layer, self, low, high)
