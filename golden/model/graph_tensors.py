"""Tensors of a model file, and their names in its graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from golden.errors import ModelError
from golden.fields import take


__all__ = ["Tensors", "tensor", "tensors_of"]


class Tensors:
    """Arrays of the file by name; an array that is met again keeps its name."""

    def __init__(self) -> None:
        self.arrays, self._names, self._kept = {}, {}, []

    def name(self, name: str, array: np.ndarray | None) -> str | None:
        """Name of an array: the given one, unless it has one; None for no array."""
        if array is None:
            return None
        if id(array) not in self._names:
            self._names[id(array)] = name
            # Kept alive, so that no other array gets the same identity.
            self._kept.append(array)
            self.arrays[name] = np.ascontiguousarray(array)
        return self._names[id(array)]

    def named(self, layer_name: str, part: Any) -> dict[str, str | None]:
        """Names of all arrays of a layer or epilogue, by field."""
        return {
            noun: self.name(f"{layer_name}.{noun}", getattr(part, noun)) for noun in part.TENSORS
        }


def tensors_of(
    entry: Any, cls: type, where: str, tensors: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray | None]:
    """Tensors that the entry of a layer or epilogue names, by field; a bias may be null.

    Raises
    ------
    ModelError
        If a field or a tensor is missing.
    """
    types = {noun: (str, type(None)) if noun == "bias" else str for noun in cls.TENSORS}
    return {
        noun: None if name is None else tensor(tensors, name, where)
        for noun, name in take(entry, where, types).items()
    }


def tensor(tensors: Mapping[str, np.ndarray], name: str, where: str) -> np.ndarray:
    """Tensor of the file; raises ModelError if there is none of that name."""
    if name not in tensors:
        raise ModelError(f"{where}: the tensor {name} must be in the file")
    return tensors[name]
