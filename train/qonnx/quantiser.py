"""Quantisers of a file: scale, range and rounding."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from train.graph import Firing
from train.qonnx.constants import Constant
from train.qonnx.rounding import ROUNDINGS, TIES, rounded
from train.qonnx.unfit import Unfit


__all__ = ["Quantiser"]


#: Most bits of a quantiser, such as that of a bias.
_MOST_BITS = 32

#: Largest count of a neuron.
_MOST_LEVELS = 255


@dataclass(frozen=True)
class Quantiser:
    """``scale * (clip(round(x / scale + zero)) - zero)``.

    Parameters
    ----------
    scale : float64 array
        Its shape fits that of what is quantised.
    zero : int
    bits : int
    signed, narrow : bool
    mode : str
        Of `train.qonnx.rounding.ROUNDINGS`.
    """

    scale: np.ndarray
    zero: int
    bits: int
    signed: bool
    narrow: bool
    mode: str

    @classmethod
    def of(cls, operation, scale, zero, bits):
        """Quantiser of a ``Quant`` or ``IntQuant``, whose inputs beside the first are constants.

        Raises
        ------
        Unfit
        """
        if not all(isinstance(one, Constant) for one in (scale, zero, bits)):
            raise Unfit(
                "has a scale, zero point or width that is computed from the picture",
                "export a network whose quantisers are frozen",
            )
        if not scale.values.size or (scale.values <= 0).any():
            raise Unfit("has a scale that is not above 0", "use scales above 0")
        signed = bool(operation.attributes.get("signed", 1))
        width, zero = bits.number(), zero.number()
        if width is None or width.denominator != 1 or not 1 + signed <= width <= _MOST_BITS:
            raise Unfit(
                "has no width of whole bits, or a signed one of 1",
                f"use {1 + signed} to {_MOST_BITS} bits, the same for all channels",
            )
        if zero is None or zero.denominator != 1:
            raise Unfit("has zero points that differ, or are no integers", "use zero point 0")
        mode = str(operation.attributes.get("rounding_mode", "ROUND")).upper()
        if mode not in ROUNDINGS:
            raise Unfit(f"rounds by {mode!r}", f"round by one of {', '.join(ROUNDINGS)}")
        narrow = bool(operation.attributes.get("narrow", 0))
        return cls(scale.values, int(zero), int(width), signed, narrow, mode)

    @property
    def least(self):
        """Smallest integer."""
        return -(2 ** (self.bits - 1)) + self.narrow if self.signed else 0

    @property
    def most(self):
        """Largest integer."""
        return 2 ** (self.bits - 1) - 1 if self.signed else 2**self.bits - 1 - self.narrow

    @property
    def step(self):
        """The one scale; raises `Unfit` if there are several."""
        number = Constant(self.scale).number()
        if number is None:
            raise Unfit(
                "has a scale for each channel", "use one scale for all channels of an activation"
            )
        return number

    def constant(self, constant):
        """Quantised weights or biases, and their step."""
        if self.zero:
            raise Unfit(f"quantises weights with zero point {self.zero}", "quantise weights with 0")
        scale = self.scale
        if scale.ndim > constant.values.ndim:
            scale = scale.reshape(scale.shape[scale.ndim - constant.values.ndim :])
        if np.broadcast_shapes(scale.shape, constant.values.shape) != constant.values.shape:
            raise Unfit("has a scale whose shape is not that of weights", "export it again")
        whole = rounded(constant.values, scale, self.mode, self.bits)
        whole = whole.clip(self.least, self.most).astype(np.float64)
        return Constant(whole * scale, scale)

    def number(self, number):
        """Integer that a Fraction becomes, the zero point taken away."""
        whole = ROUNDINGS[self.mode](number / self.step + self.zero)
        return min(max(whole, self.least), self.most) - self.zero

    def firing(self, nonnegative):
        """The neuron that it is.

        Parameters
        ----------
        nonnegative : bool
            Whether nothing below 0 is quantised.

        Raises
        ------
        Unfit
            If it is none.
        """
        if self.zero:
            raise Unfit(
                f"has zero point {self.zero}, and no spike must stand for 0",
                "quantise activations with zero point 0",
            )
        if self.signed and not nonnegative:
            raise Unfit(
                "hands on signed numbers, and spikes are none or some",
                "quantise behind a ReLU, or by an unsigned quantiser",
            )
        if not 1 <= self.most <= _MOST_LEVELS:
            raise Unfit(
                f"counts to {self.most}", "use 8 bits or fewer (4 or fewer run in hardware)"
            )
        step = self.step
        return Firing(self.most, TIES[self.mode], 1 / step, Fraction(step))
