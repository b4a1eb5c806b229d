"""The state of the columns' buffers: whether the next tile may come, and whether it is there."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["TileBuffers"]


class TileBuffers(wiring.Component):
    """Follows the one tile that comes while the one before computes.

    A tile takes the place of the one before the latter. That is free once all columns have taken
    over the tile behind it: then nobody fetches its weights any more. Its last neurons are still
    read, which is why there are places for more of these. Or it takes the place of the latter
    ``again``, since it is too large for the other one; then it waits until that is computed.

    Members
    -------
    clear : In(1)
        No image is at work, and nothing is there.
    loaded : In(1)
        The next tile has left its source; only while ``room``.
    taken : In(1)
        The next tile is taken; only while ``ready``.
    held : In(1)
        A column has not taken over the latest one. High from the cycle after ``taken`` on.
    open : In(1)
        A column has not begun to read out the last sums of the latest one. High like ``held``.
    again : In(1)
        The next tile takes the place of the latest one.
    room : Out(1)
        The next tile may come.
    ready : Out(1)
        It is there.
    """

    def __init__(self):
        super().__init__({
            "clear": In(1),
            "loaded": In(1),
            "taken": In(1),
            "held": In(1),
            "open": In(1),
            "again": In(1),
            "room": Out(1),
            "ready": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        full = Signal()
        m.d.comb += [
            self.room.eq(~full & ~self.held & ~(self.again & self.open)),
            self.ready.eq(full),
        ]
        with m.If(self.loaded):
            m.d.sync += full.eq(1)
        with m.If(self.taken | self.clear):
            m.d.sync += full.eq(0)
        return m
