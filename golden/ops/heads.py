"""Maps of counts, seen as the heads of attention, and the tokens that it sums over."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.names import Named
from golden.tensor_info import TensorInfo

from .frames import framed


__all__ = ["OVER", "by_head", "check_over", "from_head", "sets_of", "tokens_of"]


#: What sums may go over: the positions of a step, the steps of a position, or all of both.
OVER = ("space", "time", "both")


class Summing(Named, Protocol):
    """A layer that sums over tokens."""

    @property
    def over(self) -> str: ...


def check_over(layer: Summing) -> None:
    """Raises ModelError unless a layer's ``over`` is one of `OVER`."""
    if layer.over not in OVER:
        raise ModelError(
            f"Layer {layer.name}: over must be space, time or both, not {layer.over!r}"
        )


def sets_of(info: TensorInfo, over: str) -> int:
    """Number of sets of tokens of a map that are summed each by itself."""
    return {"space": info.steps, "time": info.positions, "both": 1}[over]


def tokens_of(info: TensorInfo, over: str) -> int:
    """Number of tokens of each set."""
    return info.steps * info.positions // sets_of(info, over)


def by_head(values: NDArray[np.int64], heads: int, over: str = "space") -> NDArray[np.int64]:
    """Map as (samples, sets, heads, channels of a head, tokens).

    A set is what is summed together: the positions of a step, the steps of a position, or all.
    Tokens are in the order of steps, and then row-major.
    """
    if values.size and values.min() < 0:
        raise ValueError(f"Counts must not be negative, not {values.min()}")
    return split_heads(values, heads, over)


def split_heads(values: NDArray[np.int64], heads: int, over: str) -> NDArray[np.int64]:
    """The same for values of either sign."""
    values = framed(values)
    samples, steps, channels = values.shape[:3]
    values = values.reshape(samples, steps, heads, channels // heads, -1)
    if over == "time":
        return values.transpose(0, 4, 2, 3, 1)
    if over == "both":
        return values.transpose(0, 2, 3, 1, 4).reshape(samples, 1, heads, channels // heads, -1)
    return values


def from_head(
    values: NDArray[np.int64],
    over: str,
    steps: int,
    size: tuple[int, ...],
) -> NDArray[np.int64]:
    """Map (samples, steps, channels, *size); the inverse of `by_head`."""
    samples, _, heads, width = values.shape[:4]
    if over == "time":
        values = values.transpose(0, 4, 2, 3, 1)
    elif over == "both":
        values = values.reshape(samples, heads, width, steps, -1).transpose(0, 3, 1, 2, 4)
    return np.ascontiguousarray(values).reshape(samples, steps, heads * width, *size)
