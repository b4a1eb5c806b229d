"""Names that are given once each."""

__all__ = ["Unique"]


class Unique:
    """Gives every name to the first who asks, and to others with a number behind it.

    Parameters
    ----------
    mark : str
        Stands in front of the number.
    taken : iterable of str
        Names that are given already.

    Examples
    --------
    >>> unique = Unique("#")
    >>> unique("conv"), unique("conv"), unique("conv"), "conv" in unique
    ('conv', 'conv#2', 'conv#3', True)
    """

    def __init__(self, mark, taken=()):
        self._mark = mark
        self._taken = set(taken)

    def __call__(self, name):
        """The name, or with a number behind it."""
        found, number = name, 1
        while found in self._taken:
            number += 1
            found = f"{name}{self._mark}{number}"
        self._taken.add(found)
        return found

    def __contains__(self, name):
        return name in self._taken
