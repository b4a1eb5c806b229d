"""Neurons that are spelled out: what clamps, roundings and multiplications do together.

A network may write ``clamp(x, 0, 4).round() / 4`` where another has a neuron as a module. A chain
of such steps is one neuron if it rounds once, starts at 0 and ends somewhere.
"""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

from train.graph.firing import Firing, Ties


__all__ = ["Chain", "ChainError"]


class ChainError(ValueError):
    """Steps that are no neuron: reason and remedy, as parts of a sentence."""

    def __init__(self, reason, remedy):
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


_USE = "put addend.nn.SpikeNeuron in its place"

#: Rounding functions by their names, and where each puts the j-th spike less ``j - 1/2``.
_ROUNDINGS = {
    ("round", Fraction(0)): Ties.HALF_EVEN,
    ("floor", Fraction(1, 2)): Ties.HALF_UP,
    ("floor", Fraction(0)): Ties.FLOOR,
    ("ceil", Fraction(-1, 2)): Ties.HALF_DOWN,
    ("ceil", Fraction(0)): Ties.CEIL,
}


@dataclass(frozen=True)
class Chain:
    """Elementwise steps behind a value: ``unit * round(clamp(gain * x + shift))``.

    Parameters
    ----------
    gain, shift : Fraction
        In front of the rounding.
    low, high : Fraction or infinite float
        Limits, in the scale of what is rounded.
    rounding : str or None
        ``round``, ``floor`` or ``ceil``.
    unit : Fraction
        Behind the rounding.
    names : tuple of str
        Of the steps, for errors.

    Examples
    --------
    >>> firing = Chain().clamp(0, 4).round("round").times(Fraction(1, 4)).firing()
    >>> firing.levels, firing.ties.name, firing.unit
    (4, 'HALF_EVEN', Fraction(1, 4))
    """

    gain: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)
    low: Fraction | float = -math.inf
    high: Fraction | float = math.inf
    rounding: str | None = None
    unit: Fraction = Fraction(1)
    names: tuple[str, ...] = field(default=(), compare=False)

    def named(self, name):
        """The chain after a step of this name."""
        return replace(self, names=(*self.names, name))

    def times(self, factor):
        """Multiplied by a number above 0."""
        if factor <= 0:
            raise ChainError(f"multiplies by {float(factor):g}", "multiply by a number above 0")
        if self.rounding:
            return replace(self, unit=self.unit * factor)
        return replace(
            self,
            gain=self.gain * factor,
            shift=self.shift * factor,
            low=self.low * factor,
            high=self.high * factor,
        )

    def plus(self, number):
        """With a number added."""
        if self.rounding and number:
            raise ChainError(f"adds {float(number):g} to counts", "leave counts at 0, 1, ... D")
        if self.rounding:
            return self
        return replace(
            self, shift=self.shift + number, low=self.low + number, high=self.high + number
        )

    def clamp(self, low=None, high=None):
        """Within limits, of which either may be missing."""
        low = -math.inf if low is None else low / self.unit
        high = math.inf if high is None else high / self.unit
        low, high = max(self.low, low), min(self.high, high)
        if self.rounding and any(math.isfinite(limit) and limit % 1 for limit in (low, high)):
            raise ChainError("clamps counts between two of them", "clamp at a count")
        return replace(self, low=low, high=high)

    def round(self, rounding):
        """Rounded by one of torch's functions."""
        if self.rounding:
            if self.unit.denominator == 1:
                return self
            raise ChainError("rounds twice", _USE)
        lowest, highest = (
            limit if math.isinf(limit) else _rounded(limit, rounding)
            for limit in (self.low, self.high)
        )
        return replace(self, rounding=rounding, low=lowest, high=highest)

    @property
    def only_scales(self):
        """Whether nothing but a multiplication is there."""
        return (self.shift, self.low, self.high, self.rounding) == (0, -math.inf, math.inf, None)

    def firing(self):
        """The neuron that the steps are.

        Returns
        -------
        Firing

        Raises
        ------
        ChainError
            If they are none.
        """
        if self.rounding is None and self.shift and self.low == -math.inf == -self.high:
            raise ChainError(
                f"adds {float(self.shift):g} to real numbers", "give it to a convolution's bias"
            )
        if self.rounding is None:
            raise ChainError("hands on real numbers, not counts", _USE)
        if self.low < 0:
            raise ChainError(
                "hands on signed numbers, and spikes are none or some",
                "clamp at 0 or put addend.nn.SpikeNeuron in its place",
            )
        if math.isinf(self.high):
            raise ChainError("has no largest count", f"clamp above, or {_USE}")
        levels = math.floor(self.high)
        if self.low > 0 or not 1 <= levels <= 255:
            raise ChainError(
                f"counts from {math.ceil(self.low)} to {levels}", "count from 0 to at most 255"
            )
        ties = _ROUNDINGS.get((self.rounding, self.shift))
        if ties is None:
            raise ChainError(
                f"adds {float(self.shift):g} in front of {self.rounding}",
                "round half up, half to even, up or down",
            )
        return Firing(levels, ties, self.gain, self.unit)


def _rounded(value, rounding):
    """A limit after a rounding: limits that are no counts lie between two of them."""
    functions = {"round": round, "floor": math.floor, "ceil": math.ceil}
    return Fraction(functions[rounding](value))
