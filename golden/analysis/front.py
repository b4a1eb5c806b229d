"""The front of some things that cost in two ways: those that no other one beats."""

from collections.abc import Callable, Iterable
from typing import TypeVar


__all__ = ["front"]

Thing = TypeVar("Thing")


def front(things: Iterable[Thing], costs: Callable[[Thing], tuple[float, float]]) -> list[Thing]:
    """Those that no other one equals or beats in both costs.

    Parameters
    ----------
    things : iterable
    costs : function
        Two numbers of a thing, the smaller the better. Of things that cost the same, the first one
        counts.

    Returns
    -------
    list
        In the order of the first cost.

    Examples
    --------
    >>> front([(3, 1), (1, 4), (2, 4), (2, 2), (2, 2)], costs=lambda pair: pair)
    [(1, 4), (2, 2), (3, 1)]
    """
    best: list[Thing] = []
    for thing in sorted(things, key=costs):
        if not best or costs(thing)[1] < costs(best[-1])[1]:
            best.append(thing)
    return best
