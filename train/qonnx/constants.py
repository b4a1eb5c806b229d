"""What a file's nodes make of constants: quantised weights, and shapes."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from train.qonnx.unfit import Unfit
from train.quant.grids import fraction_bits


__all__ = ["CONSTANTS", "FLOATS", "Fixed"]


#: Types of ONNX by their numbers: float32 and float64.
FLOATS = 1, 11

#: Widest integers that weights are taken for where no quantiser says their step.
_MOST_BITS = 16


@dataclass(frozen=True)
class Fixed:
    """Numbers that do not depend on the picture.

    Parameters
    ----------
    values : array
        Floats in float64.
    step : float64 array or None
        Of which they are whole multiples; its shape fits theirs.
    """

    values: np.ndarray
    step: np.ndarray | None = None

    def moved(self, move):
        """The same numbers elsewhere: ``move`` makes an array of an array."""
        if self.step is None:
            return Fixed(move(self.values))
        return Fixed(move(self.values), move(np.broadcast_to(self.step, self.values.shape)))

    def integers(self):
        """The numbers as a list, such as the lengths of axes."""
        return [int(value) for value in self.values.ravel().tolist()]

    def number(self):
        """The only number, or ``None`` if there are several different ones."""
        found = set(self.values.ravel().tolist())
        return Fraction(found.pop()) if len(found) == 1 else None

    def steps(self):
        """Step of each entry of the first axis, or one for all; ``None`` if nobody knows.

        Returns
        -------
        tuple of Fraction or None

        Raises
        ------
        Unfit
            If steps differ within an entry.
        """
        if self.step is None:
            return _dyadic(self.values)
        rows = np.broadcast_to(self.step, self.values.shape).reshape(len(self.values), -1)
        if (rows != rows[:, :1]).any():
            raise Unfit(
                "has weights whose scales differ within an output channel",
                "use one scale for each output channel",
            )
        found = [Fraction(step) for step in rows[:, 0].tolist()]
        return tuple(found[:1] if len(set(found)) == 1 else found)


def _dyadic(values):
    """The power of two of which all values are small multiples, if there is one."""
    bits = fraction_bits(torch.from_numpy(np.ascontiguousarray(values)).reshape(1, -1)).item()
    if np.abs(values).max(initial=0) * 2.0**bits < 2 ** (_MOST_BITS - 1):
        return (Fraction(2) ** -bits,)
    return None


def _constant(operation):
    ((name, value),) = operation.attributes.items()
    if name not in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        raise Unfit("holds what is no number", "export numbers alone")
    value = np.asarray(value)
    return Fixed(value.astype(np.float64) if value.dtype.kind == "f" else value)


def _cast(operation, constant):
    """Integers and truth values cut what is behind the point; floats hold the numbers there are."""
    if operation.attributes["to"] in FLOATS:
        return Fixed(constant.values.astype(np.float64), constant.step)
    return Fixed(np.trunc(constant.values).astype(np.int64))


def _axes(operation, axes):
    found = operation.attributes.get("axes") if axes is None else axes.integers()
    return None if found is None else tuple(found)


def _reshape(operation, constant, shape):
    lengths = shape.integers()
    if not operation.attributes.get("allowzero", 0):
        lengths = [length or constant.values.shape[place] for place, length in enumerate(lengths)]
    return constant.moved(lambda array: array.reshape(lengths))


def _flatten(operation, constant):
    axis = operation.attributes.get("axis", 1) % (constant.values.ndim + 1)
    rows = int(np.prod(constant.values.shape[:axis]))
    return constant.moved(lambda array: array.reshape(rows, -1))


def _transpose(operation, constant):
    return constant.moved(lambda array: array.transpose(operation.attributes.get("perm")))


def _squeeze(operation, constant, axes=None):
    return constant.moved(lambda array: array.squeeze(_axes(operation, axes)))


def _unsqueeze(operation, constant, axes=None):
    return constant.moved(lambda array: np.expand_dims(array, _axes(operation, axes)))


def _gather(operation, constant, indices):
    axis = operation.attributes.get("axis", 0)
    return Fixed(constant.values.take(indices.values.astype(np.int64), axis))


def _concat(operation, *constants):
    axis = operation.attributes.get("axis", 0)
    return Fixed(np.concatenate([constant.values for constant in constants], axis))


#: Functions of an operation and its inputs, by kind.
CONSTANTS = {
    "Constant": _constant,
    "Cast": _cast,
    "Concat": _concat,
    "Flatten": _flatten,
    "Gather": _gather,
    "Identity": lambda operation, constant: constant,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
