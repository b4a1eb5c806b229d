"""Copies of tiles in the cycle model: when each tile is in the buffers of the columns."""

from ..rtl.tile_store import SENDING


__all__ = ["TileCopies"]


class TileCopies:
    """Copies a tile while the one before computes: a weight vector and a neuron per cycle.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan):
        self._lanes = plan.required.lanes
        self._fills = iter(plan.fills)
        #: Cycles from the first in which an image may be received until its first tile is there.
        self.first = 1 + self._length()
        #: Cycle in which the next tile is there. The layers begin behind that of the first one.
        self.there = 0

    def follow(self, over):
        """Copies the next tile from the cycle on in which all columns have taken over the latest.

        That is the last one of the image if there is no further.
        """
        self.there = over + self._length()

    def _length(self):
        """Cycles that copying the next tile takes, until it is known to be there."""
        fill = next(self._fills, None)
        return SENDING + max(fill.rows, self._lanes) if fill else 0
