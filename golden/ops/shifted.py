"""Shift and bias behind potentials: the rules and the ranges of the epilogues that have them."""

import numpy as np

from golden.errors import ModelError
from golden.interval import require_width


__all__ = ["check_shifted", "shifted", "shifted_interval"]


#: Bits of a bias, and largest shift.
BIAS_BITS, MAX_SHIFT = 47, 32


def check_shifted(layer, epilogue, channels):
    """Raises ModelError unless shift and bias are legal for so many channels."""
    if not 0 <= epilogue.shift <= MAX_SHIFT:
        raise ModelError(f"Layer {layer.name}: the shift must be 0 to {MAX_SHIFT}, not "
                         f"{epilogue.shift!r}")
    bias = epilogue.bias
    if bias is None:
        return
    if bias.dtype != np.int64 or bias.shape != (channels,):
        raise ModelError(f"Layer {layer.name}: the bias must be int64 of shape {(channels,)}, not "
                         f"{bias.dtype} of shape {bias.shape}")
    limit = 2**(BIAS_BITS - 1)
    if bias.min() < -limit or bias.max() >= limit:
        raise ModelError(f"Layer {layer.name}: the bias must fit {BIAS_BITS} bits")


def shifted(potentials, shift, bias):
    """``(potential << shift) + bias`` of arrays (..., channels, height, width)."""
    moved = potentials << shift
    return moved if bias is None else moved + bias[:, np.newaxis, np.newaxis]


def shifted_interval(layer, epilogue, low, high):
    """Interval of ``(potential << shift) + bias``, int64; it must fit `MAX_WIDTH` bits."""
    bias = [0] * len(low) if epilogue.bias is None else epilogue.bias
    # Python integers, since a large shift could leave int64 before it is refused.
    low, high = ([(int(value) << epilogue.shift) + int(offset)
                  for value, offset in zip(bound, bias, strict=True)]
                 for bound in (low, high))
    require_width(layer, low, high)
    return np.array(low, np.int64), np.array(high, np.int64)
