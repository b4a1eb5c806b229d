"""The double buffer of tiles: one half computes while the other one is filled."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .signals import signals


__all__ = ["TileBuffers"]


class TileBuffers(wiring.Component):
    """Says which half of the weight and neuron memories may be filled, and which may be used.

    Tiles go to the halves in turn, in the order in which they are computed. A half is free again
    when its tile was taken and no column needs it any more.

    Members
    -------
    clear : In(1)
        An image begins: both halves are free, and the first tile goes to half 0.
    loaded : In(1)
        A tile is complete; only while ``room``.
    room : Out(1)
        The half of the next tile to be loaded is free.
    taken : In(1)
        The next tile is taken; only while ``ready``.
    ready : Out(1)
        The next tile to be computed is there.
    half : Out(1)
        The half it lies in.
    using : In(2)
        Halves that jobs on their way still need.
    """

    def __init__(self):
        super().__init__({
            "clear": In(1),
            "loaded": In(1),
            "room": Out(1),
            "taken": In(1),
            "ready": Out(1),
            "half": Out(1),
            "using": In(2),
        })

    def elaborate(self, platform):
        m = Module()
        full, spent = signals("full spent", 2)
        filling = Signal()
        m.d.comb += [
            self.room.eq(~full.bit_select(filling, 1)),
            self.ready.eq((full & ~spent).bit_select(self.half, 1)),
        ]
        for half in range(2):
            with m.If(full[half] & spent[half] & ~self.using[half]):
                m.d.sync += [full[half].eq(0), spent[half].eq(0)]
            with m.If(self.loaded & (filling == half)):
                m.d.sync += full[half].eq(1)
            with m.If(self.taken & (self.half == half)):
                m.d.sync += spent[half].eq(1)
        with m.If(self.loaded):
            m.d.sync += filling.eq(~filling)
        with m.If(self.taken):
            m.d.sync += self.half.eq(~self.half)
        with m.If(self.clear):
            m.d.sync += [full.eq(0), spent.eq(0), filling.eq(0), self.half.eq(0)]
        return m
