"""Sums of integers at the speed of floating-point BLAS."""

import numpy as np


__all__ = ["exact_dtype"]


def exact_dtype(bound: int) -> type[np.float32 | np.float64]:
    """Floating-point type in which sums of integers are exact.

    A float adds integers without rounding as long as no partial sum leaves the range in which it
    holds every integer, so the order in which BLAS adds does not matter.

    Parameters
    ----------
    bound : int
        Largest magnitude that any partial sum can have, in any order.

    Raises
    ------
    OverflowError
        If ``bound`` is 2**53 or more.

    Examples
    --------
    >>> exact_dtype(2**24 - 1).__name__, exact_dtype(2**24).__name__
    ('float32', 'float64')
    """
    if bound < 2**24:
        return np.float32
    if bound < 2**53:
        return np.float64
    raise OverflowError(f"A sum of up to {bound} must stay below 2**53 to be exact")
