"""The spike finder: from words of spikes to one event per cycle."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .walker import word_layout


__all__ = ["Finder", "event_layout"]


def event_layout(capacities):
    """Layout of an event: the row to fetch and the lanes that add it.

    An event marked ``double`` doubles the sums before it adds. One without lanes adds nothing.
    """
    return data.StructLayout({
        "row": capacities.row_address,
        "mask": capacities.lanes,
        "double": 1,
        "last": 1,
        "additions": range(capacities.lanes + 1),
    })


class Finder(wiring.Component):
    """Sends one event per set bit of a word, or one per word where the layer is depthwise.

    A dense word selects one row per spike, added by all lanes. A depthwise word is the mask of the
    lanes that add its single row. The first event of a word leaves two cycles after the word, and
    words follow each other without a gap. Nothing moves while ``hold`` is high.

    Parameters
    ----------
    capacities : Capacities

    Members
    -------
    depthwise : In(1)
    words : In(stream.Signature(word_layout(capacities)))
    hold : In(1)
    event : Out(event_layout(capacities))
    valid : Out(1)
    """

    def __init__(self, capacities):
        self.capacities = capacities
        super().__init__({
            "depthwise": In(1),
            "words": In(stream.Signature(word_layout(capacities))),
            "hold": In(1),
            "event": Out(event_layout(capacities)),
            "valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        n_lanes = self.capacities.lanes

        word = Signal(word_layout(self.capacities))
        occupied = Signal()

        rest = Signal(n_lanes)
        one = Signal(n_lanes)
        lowest = Signal(range(n_lanes))
        m.d.comb += [
            rest.eq(word.spikes & (word.spikes - 1)),
            one.eq(word.spikes & ~rest),
            lowest.eq(Cat(Cat(one[lane] for lane in range(n_lanes) if lane >> bit & 1).any()
                          for bit in range(len(lowest)))),
        ]
        done = self.depthwise | ~rest.any()
        population = Signal(range(n_lanes + 1))
        m.d.comb += population.eq(sum(word.spikes[lane] for lane in range(n_lanes)))
        spiking = word.spikes.any()
        with m.If(~self.hold):
            m.d.sync += [
                self.valid.eq(occupied),
                self.event.row.eq(Mux(self.depthwise, word.row, word.row + lowest)),
                self.event.mask.eq(Mux(self.depthwise, word.spikes, spiking.replicate(n_lanes))),
                self.event.double.eq(word.double),
                self.event.last.eq(done & word.last),
                self.event.additions.eq(Mux(self.depthwise, population,
                                            Mux(spiking, word.lanes, 0))),
            ]

        m.d.comb += self.words.ready.eq(~self.hold & (~occupied | done))
        with m.If(self.words.ready):
            m.d.sync += [occupied.eq(self.words.valid), word.eq(self.words.payload)]
        with m.Elif(~self.hold):
            m.d.sync += [word.spikes.eq(rest), word.double.eq(0)]

        return m
