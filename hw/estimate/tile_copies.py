"""Copies of tiles in the cycle model: when each tile is in the buffers of the columns."""

from ..rtl.tile_store import SENDING


__all__ = ["TileCopies"]


class TileCopies:
    """Copies a tile while the one before computes: a word of weights and one of neurons per cycle.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan):
        self._at_once, self._pairs = plan.required.rows_at_once, plan.required.pairs
        self._fills = iter(plan.fills)
        self._fill = next(self._fills)
        #: Cycles from the first in which an image may be received until its first tile is there.
        self.first = 1 + self._length()
        #: Cycle in which the next tile is there. The layers begin behind that of the first one.
        self.there = 0

    @property
    def again(self):
        """Whether the next tile takes the place of the latest one."""
        return self._fill.again

    def follow(self, over):
        """Copies the next tile from the cycle on in which all columns have taken over the latest.

        If it takes the place of the latter, they have read that, too.
        """
        self.there = over + self._length()

    def _length(self):
        """Cycles that copying the next tile takes, until it is known to be there."""
        words = self._fill.in_words(self._at_once).rows
        self._fill = next(self._fills, self._fill)
        return SENDING + max(words, self._pairs)
