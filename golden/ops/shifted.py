"""Shift and bias behind potentials: the rules and the ranges of the epilogues that have them."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Bounds
from golden.interval import require_width
from golden.names import Named


__all__ = ["check_shifted", "shifted", "shifted_interval"]


#: Bits of a bias, and largest shift.
BIAS_BITS, MAX_SHIFT = 47, 32


class Shifting(Protocol):
    """An epilogue that shifts potentials and adds a bias."""

    @property
    def shift(self) -> int: ...

    @property
    def bias(self) -> NDArray[np.int64] | None: ...


def check_shifted(layer: Named, epilogue: Shifting, channels: int) -> None:
    """Raises ModelError unless shift and bias are legal for so many channels."""
    if not 0 <= epilogue.shift <= MAX_SHIFT:
        raise ModelError(
            f"Layer {layer.name}: the shift must be 0 to {MAX_SHIFT}, not {epilogue.shift!r}"
        )
    bias = epilogue.bias
    if bias is None:
        return
    if bias.dtype != np.int64 or bias.shape != (channels,):
        raise ModelError(
            f"Layer {layer.name}: the bias must be int64 of shape {(channels,)}, not "
            f"{bias.dtype} of shape {bias.shape}"
        )
    limit = 2 ** (BIAS_BITS - 1)
    if bias.min() < -limit or bias.max() >= limit:
        raise ModelError(f"Layer {layer.name}: the bias must fit {BIAS_BITS} bits")


def shifted(
    potentials: NDArray[np.int64],
    shift: int,
    bias: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """``(potential << shift) + bias`` of arrays (..., channels, height, width)."""
    moved = potentials << shift
    return moved if bias is None else moved + bias[:, np.newaxis, np.newaxis]


def shifted_interval(layer: Named, epilogue: Shifting, low: np.ndarray, high: np.ndarray) -> Bounds:
    """Interval of ``(potential << shift) + bias``, int64; it must fit `MAX_WIDTH` bits."""
    bias = [0] * len(low) if epilogue.bias is None else epilogue.bias
    # Python integers, since a large shift could leave int64 before it is refused.
    low, high = (
        [
            (int(value) << epilogue.shift) + int(offset)
            for value, offset in zip(bound, bias, strict=True)
        ]
        for bound in (low, high)
    )
    require_width(layer, low, high)
    return np.array(low, np.int64), np.array(high, np.int64)
