"""QONNX's rounding rules: what they make of numbers, and of the neurons that they are."""

from fractions import Fraction
from math import ceil, floor, trunc

import numpy as np

from train.graph import Ties


__all__ = ["ROUNDINGS", "TIES", "rounded"]


def _away(number):
    return ceil(number) if number > 0 else floor(number)


def _half_away(number):
    half = floor(abs(number) + Fraction(1, 2))
    return half if number > 0 else -half


def _half_towards(number):
    half = ceil(abs(number) - Fraction(1, 2))
    return half if number > 0 else -half


#: Rules by name, in capitals. A file may write them in any case.
ROUNDINGS = {
    "ROUND": round,
    "HALF_EVEN": round,
    "CEIL": ceil,
    "FLOOR": floor,
    "UP": _away,
    "DOWN": trunc,
    "HALF_UP": _half_away,
    "HALF_DOWN": _half_towards,
}

#: The same of numbers from 0, as neurons have them.
TIES = {
    "ROUND": Ties.HALF_EVEN,
    "HALF_EVEN": Ties.HALF_EVEN,
    "CEIL": Ties.CEIL,
    "FLOOR": Ties.FLOOR,
    "UP": Ties.CEIL,
    "DOWN": Ties.FLOOR,
    "HALF_UP": Ties.HALF_UP,
    "HALF_DOWN": Ties.HALF_DOWN,
}

#: Widest integers of which a quotient of float32 numbers decides: it lies 2**-41 of itself or more
#: beside a tie, or on it, and float64 sees that.
_DECIDED_BITS = 16


def rounded(values, scale, mode, bits):
    """Numbers over a scale, rounded to integers.

    Parameters
    ----------
    values, scale : float64 array
        Numbers of float32; the scale's shape fits that of the values.
    mode : str
        Of `ROUNDINGS`.
    bits : int
        Beyond which integers are clipped.

    Returns
    -------
    array of int, as objects

    Examples
    --------
    >>> rounded(np.array([0.5, 0.75, -0.25]), np.array(0.5), "HALF_UP", 8).tolist()
    [1, 2, -1]
    """
    rule = np.frompyfunc(ROUNDINGS[mode], 1, 1)
    if bits <= _DECIDED_BITS:
        with np.errstate(over="ignore"):
            # Whatever lies beyond the range is clipped, and does so a little beyond it, too.
            quotients = np.clip(values / scale, -(2.0**bits), 2.0**bits)
        return np.asarray(rule(quotients), object)
    exact = np.frompyfunc(Fraction, 1, 1)
    return np.asarray(rule(exact(values) / exact(scale)), object)
