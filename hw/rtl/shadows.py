"""The lanes of a column and the drain that takes their finished sums one by one."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .choose_add import mix
from .lane import Lane
from .signals import signals


__all__ = ["Lanes"]


class Lanes(wiring.Component):
    """``lanes`` adders side by side, fed by one row, drained one sum per cycle.

    A sum is read without a multiplexer: clearing one shadow changes the XOR of all shadows by
    exactly that shadow's value, and clearing costs nothing, since registers have a reset.

    Parameters
    ----------
    lanes, entry_width, width : int

    Members
    -------
    valid, double, last : In(1)
        As in ``Lane``.
    row : In(lanes * entry_width)
        An entry per lane.
    release : In(lanes)
        One-hot: the shadow to take.
    taken : Out(signed(width))
        Sum of the lane released in the cycle before.
    """

    def __init__(self, *, lanes, entry_width, width):
        self.lanes = lanes
        self.entry_width = entry_width
        self.width = width
        super().__init__({
            "valid": In(1),
            "double": In(1),
            "last": In(1),
            "row": In(lanes * entry_width),
            "release": In(lanes),
            "taken": Out(signed(width)),
        })

    def elaborate(self, platform):
        m = Module()

        sums = []
        for index in range(self.lanes):
            m.submodules[f"lane_{index}"] = lane = Lane(
                entry_width=self.entry_width, width=self.width
            )
            m.d.comb += [
                lane.valid.eq(self.valid),
                lane.double.eq(self.double),
                lane.last.eq(self.last),
                lane.entry.eq(self.row.word_select(index, self.entry_width)),
                lane.release.eq(self.release[index]),
            ]
            sums.append(lane.shadow)

        mixed, before = signals("mixed before", self.width)
        m.submodules.mix = mix(sums, mixed)
        m.d.sync += before.eq(mixed)
        m.d.comb += self.taken.eq((before ^ mixed).as_signed())

        return m
