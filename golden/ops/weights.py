"""The rule of integer weights."""

from typing import Protocol

import numpy as np

from golden.errors import ModelError
from golden.names import Named


__all__ = ["check_weights"]


class Weighted(Named, Protocol):
    """A layer that has weights."""

    @property
    def weight(self) -> np.ndarray: ...

    @property
    def weight_bits(self) -> int: ...


def check_weights(layer: Weighted) -> None:
    """Raises ModelError unless a layer's weights are stored in, and fit, their width."""
    if type(layer.weight_bits) is not int or not 2 <= layer.weight_bits <= 16:
        raise ModelError(
            f"Layer {layer.name}: weight width must be 2 to 16 bits, not {layer.weight_bits!r}"
        )
    dtype = np.dtype(np.int8 if layer.weight_bits <= 8 else np.int16)
    if layer.weight.dtype != dtype:
        raise ModelError(f"Layer {layer.name}: weights must be {dtype}, not {layer.weight.dtype}")
    limit = 2 ** (layer.weight_bits - 1) - 1
    wrong = layer.weight[np.abs(layer.weight.astype(np.int64)) > limit]
    if wrong.size:
        raise ModelError(
            f"Layer {layer.name}: weights of {layer.weight_bits} bits must be "
            f"-{limit} to {limit}, not {wrong[0]}"
        )
