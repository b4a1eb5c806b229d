"""Numbers times a fraction, as a network writes them."""

__all__ = ["times"]


def times(values, fraction):
    """Values times a fraction: by one division where the network divides, and exact where it is 1.

    Parameters
    ----------
    values : tensor
    fraction : Fraction
    """
    if fraction.numerator == 1:
        return values / fraction.denominator
    return values * float(fraction)
