"""Pairs of lanes: what a column reads out together."""

__all__ = ["PAIR", "pairs_of"]


#: Lanes that are read out together, and share a word of neurons.
PAIR = 2


def pairs_of(lanes):
    """Pairs that so many lanes make, the last of which may have one lane.

    >>> pairs_of(16), pairs_of(5)
    (8, 3)
    """
    return -(-lanes // PAIR)
