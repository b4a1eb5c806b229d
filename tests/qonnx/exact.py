"""Arrays of exact numbers: rationals, and what the square root in a batch norm makes of them.

A batch norm divides by the square root of a rational, so an element is ``(whole + surd * √radicand)
/ denominator`` with integers of any size, one denominator for the array, and a rational radicand of
its own. Nothing is ever rounded but by `Exact.rounded`, which decides by integer square roots.
"""

import math
from fractions import Fraction

import numpy as np


__all__ = ["Exact", "IrrationalError"]


class IrrationalError(ValueError):
    """Numbers with different square roots were to be combined, or a root to be a rational."""


#: Integers below this are added and multiplied as int64.
WORD = 2**62


def largest(values):
    return max((abs(value) for value in values.ravel().tolist()), default=0)


def product(left, right):
    """Matrix product of arrays of integers, in machine words where none can overflow."""
    if largest(left) * largest(right) * left.shape[-1] < WORD:
        return (left.astype(np.int64) @ right.astype(np.int64)).astype(object)
    return np.matmul(left, right)


def objects(values):
    """Array of objects with the elements of another; NumPy's integers become Python's."""
    values = np.asarray(values)
    array = np.empty(values.shape, object)
    array[...] = values.astype(object)
    return array


@lambda function: np.frompyfunc(function, 4, 2)
def halves_of_surd(whole, surd, radicand, denominator):
    """Floor of twice a number, and whether the floor took nothing away."""
    square = (2 * surd) ** 2 * radicand.numerator * radicand.denominator
    root = math.isqrt(square)
    whole_root = root * root == square
    if surd < 0:
        root = -root if whole_root else -root - 1
    halves, rest = divmod(
        2 * whole * radicand.denominator + root, denominator * radicand.denominator
    )
    return halves, whole_root and rest == 0


class Exact:
    """Exact numbers in an array.

    Parameters
    ----------
    whole : array of int
        What belongs to no root, times the denominator.
    denominator : int
        Positive, the same for all elements.
    surd : array of int, optional
        What the root of the radicand is multiplied with, times the denominator.
    radicand : array of Fraction, optional
        Positive, given with ``surd``.
    """

    def __init__(self, whole, denominator=1, surd=None, radicand=None):
        self.whole = objects(whole)
        self.denominator = denominator
        self.surd = self.radicand = None
        if surd is not None and np.any(surd != 0):
            self.surd = objects(np.broadcast_to(surd, self.whole.shape))
            self.radicand = objects(np.broadcast_to(radicand, self.whole.shape))

    @classmethod
    def of(cls, values):
        """Exactly these numbers: of any type of NumPy, or Fractions."""
        values = np.asarray(values)
        ratios = [value.as_integer_ratio() for value in values.ravel().tolist()]
        common = math.lcm(*(denominator for _, denominator in ratios))
        whole = np.empty(len(ratios), object)
        whole[:] = [top * (common // denominator) for top, denominator in ratios]
        return cls(whole.reshape(values.shape), common)

    @property
    def shape(self):
        return self.whole.shape

    @property
    def rational(self):
        return self.surd is None

    def moved(self, move):
        """The same numbers elsewhere: ``move`` makes an array of an array of any elements."""
        if self.rational:
            return Exact(move(self.whole), self.denominator)
        return Exact(move(self.whole), self.denominator, move(self.surd), move(self.radicand))

    def over(self, denominator):
        """The same numbers with a denominator that is a multiple of theirs."""
        factor = denominator // self.denominator
        surd = None if self.rational else self.surd * factor
        return Exact(self.whole * factor, denominator, surd, self.radicand)

    def __add__(self, other):
        common = math.lcm(self.denominator, other.denominator)
        left, right = self.over(common), other.over(common)
        whole = left.whole + right.whole
        roots = [side for side in (left, right) if not side.rational]
        if len(roots) < 2:
            surd, radicand = (roots[0].surd, roots[0].radicand) if roots else (None, None)
            return Exact(whole, common, surd, radicand)
        both = (left.surd != 0) & (right.surd != 0)
        if np.any(both & (left.radicand != right.radicand)):
            raise IrrationalError("Numbers with different roots are added")
        radicand = np.where(left.surd != 0, left.radicand, right.radicand)
        return Exact(whole, common, left.surd + right.surd, radicand)

    def __neg__(self):
        return self * Exact(-1)

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        if self.rational:
            self, other = other, self  # noqa: PLW0642
        if not other.rational:
            raise IrrationalError("Numbers with roots are multiplied")
        whole = self.whole * other.whole
        denominator = self.denominator * other.denominator
        if self.rational:
            return Exact(whole, denominator)
        radicand = np.broadcast_to(self.radicand, np.shape(whole))
        return Exact(whole, denominator, self.surd * other.whole, radicand)

    def __matmul__(self, other):
        if not (self.rational and other.rational):
            raise IrrationalError("Numbers with roots are multiplied")
        return Exact(product(self.whole, other.whole), self.denominator * other.denominator)

    def inverse(self):
        return Exact.of(np.vectorize(lambda value: 1 / value, otypes=[object])(self.fractions()))

    def total(self, axis):
        """Sum along an axis, which goes."""
        slices = [
            self.moved(lambda array, i=i: array.take(i, axis)) for i in range(self.shape[axis])
        ]
        return sum(slices[1:], slices[0])

    def where(self, condition, other):
        """These numbers where the condition holds, and the others elsewhere."""
        taken = Exact(np.where(condition, 1, 0))
        return self * taken + other * Exact(np.where(condition, 0, 1))

    def halves(self):
        """Floor of twice each number, and whether that is twice the number: the key to rounding."""
        if self.rational:
            doubled = 2 * self.whole
            return objects(doubled // self.denominator), doubled % self.denominator == 0
        halves, exact = halves_of_surd(self.whole, self.surd, self.radicand, self.denominator)
        return objects(halves), np.asarray(exact, bool)

    def negative(self):
        """Which numbers are below zero."""
        return np.asarray(self.halves()[0] < 0, bool)

    def rounded(self, mode):
        """Integers near the numbers, by one of QONNX's rules, in capitals.

        ``UP`` and ``DOWN`` are away from zero and towards it, also where they only break ties.
        """
        halves, exact = self.halves()
        floor = objects(halves // 2)
        odd = np.asarray(halves % 2 == 1, bool)
        integral = exact & ~odd
        ceiling = floor + ~integral
        away = np.where(halves < 0, floor, ceiling)
        towards = np.where(halves < 0, ceiling, floor)
        nearest = np.where(odd, ceiling, floor)
        tie = exact & odd
        match mode:
            case "ROUND" | "HALF_EVEN":
                return objects(np.where(tie & (floor % 2 == 0), floor, nearest))
            case "CEIL":
                return objects(ceiling)
            case "FLOOR":
                return floor
            case "UP":
                return objects(away)
            case "DOWN":
                return objects(towards)
            case "HALF_UP":
                return objects(np.where(tie, away, nearest))
            case "HALF_DOWN":
                return objects(np.where(tie, towards, nearest))
        raise ValueError(f"Rounding must be one of QONNX's seven rules, not {mode!r}")

    def fractions(self):
        """The numbers as an array of Fractions, if they are rational."""
        if not self.rational:
            raise IrrationalError("A number with a root is no Fraction")
        return np.frompyfunc(Fraction, 2, 1)(self.whole, self.denominator)

    def integers(self, step=1):
        """The numbers as multiples of a step, in int64; each must be one."""
        scaled = self * Exact.of(Fraction(1) / Fraction(step))
        halves, exact = scaled.halves()
        if not np.all(exact & (halves % 2 == 0)):
            raise ValueError(f"Every number must be a multiple of {step}")
        return np.asarray(halves // 2, np.int64)

    def floats(self):
        """The numbers in float64, for the eye; the rational ones are the nearest."""
        near = np.asarray(self.whole / self.denominator, np.float64)
        if self.rational:
            return near
        roots = np.sqrt(self.radicand.astype(np.float64))
        return near + np.asarray(self.surd / self.denominator, np.float64) * roots
