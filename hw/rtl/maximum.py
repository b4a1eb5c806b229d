"""The maximum: the largest count of each lane in the words of a pass."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["Maximum"]


class Maximum(wiring.Component):
    """Keeps the largest counts since a pass began.

    A larger count has a larger spike code, the plane of the largest weight first, also where planes
    weigh the same: of these, a lane fires always the same one first (``golden.planes``). So codes
    are compared as they are.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    taken : In(1)
        The layer takes the largest counts; else words pass as they are. Stable while there are any.
    valid, ends : In(1)
        A word is there, and is the last one of its pass.
    spikes : In(spike_width)
    largest : Out(spike_width)
        Of the words of the pass up to this one, in the same cycle.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "taken": In(1),
            "valid": In(1),
            "ends": In(1),
            "spikes": In(config.spike_width),
            "largest": Out(config.spike_width),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.lanes
        held = Signal.like(self.spikes)
        larger = Signal(lanes)
        for lane in range(lanes):
            # The first plane, which weighs most, is the highest bit of a number.
            new, old = (Cat(reversed(word[lane::lanes])) for word in (self.spikes, held))
            m.d.comb += larger[lane].eq(new > old)
        chosen = larger.replicate(self.config.planes)
        m.d.comb += self.largest.eq((self.spikes & chosen) | (held & ~chosen))
        with m.If(self.valid):
            m.d.sync += held.eq(self.largest)
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(~self.taken | (self.valid & self.ends)):
            m.d.sync += held.eq(0)
        return m
