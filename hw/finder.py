"""The spike finder: from words of spikes to one event per cycle."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .walker import word_layout


__all__ = ["NIBBLE", "Finder", "event_layout"]


#: Spikes that the second step looks at.
NIBBLE = 4


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

    A dense word selects one row per spike, added by all lanes. It is found in two steps, so that
    none of them looks at more than a few bits: the nibbles of a word that have spikes move on one
    after the other, and the spikes of a nibble leave one after the other. A depthwise word is the
    mask of the lanes that add its single row.

    The first event of a word leaves three cycles after the word, and words follow each other
    without a gap. Nothing moves while ``hold`` is high.

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

        # The word, and which of its nibbles with spikes have not moved on.
        word, occupied = Signal(word_layout(self.capacities)), Signal()
        n_nibbles = -(-n_lanes // NIBBLE)
        flags, later = Signal(n_nibbles), Signal(n_nibbles)
        m.d.comb += later.eq(flags & (flags - 1))
        chosen = flags & ~later
        number = Signal(range(max(2, n_nibbles)))
        spikes = Signal(NIBBLE)
        m.d.comb += [
            number.eq(_encoded(chosen, len(number))),
            spikes.eq(reduce(or_, (nibble & chosen[index].replicate(NIBBLE)
                                   for index, nibble in enumerate(_nibbles(word.spikes))))),
        ]

        # The nibble, and what its events have in common.
        nibble, found = Signal(NIBBLE), Signal()
        common = Signal(word_layout(self.capacities))
        first_lane = Signal.like(number)
        rest = Signal(NIBBLE)
        m.d.comb += rest.eq(nibble & (nibble - 1))
        moves, leaves = Signal(), Signal()
        m.d.comb += [
            moves.eq(~self.hold & (self.depthwise | ~found | ~rest.any())),
            leaves.eq(moves & (self.depthwise | ~later.any())),
            self.words.ready.eq(~self.hold & (~occupied | leaves)),
        ]
        with m.If(moves):
            m.d.sync += [
                found.eq(occupied), nibble.eq(spikes), first_lane.eq(number), common.eq(word),
                common.last.eq(word.last & (self.depthwise | ~later.any())),
                flags.eq(later), word.double.eq(0),
            ]
        with m.Elif(~self.hold):
            m.d.sync += [nibble.eq(rest), common.double.eq(0)]
        with m.If(self.words.ready):
            m.d.sync += [
                occupied.eq(self.words.valid), word.eq(self.words.payload),
                flags.eq(Cat(part.any() for part in _nibbles(self.words.p.spikes))),
            ]

        lane = Cat(_encoded(nibble & ~rest, exact_log2(NIBBLE)), first_lane)
        population = Signal(range(n_lanes + 1))
        m.d.comb += population.eq(sum(common.spikes[lane] for lane in range(n_lanes)))
        spiking = nibble.any()
        with m.If(~self.hold):
            m.d.sync += [
                self.valid.eq(found),
                self.event.row.eq(common.row + Mux(self.depthwise, 0, lane)),
                self.event.mask.eq(Mux(self.depthwise, common.spikes, spiking.replicate(n_lanes))),
                self.event.double.eq(common.double),
                self.event.last.eq(common.last & (self.depthwise | ~rest.any())),
                self.event.additions.eq(Mux(self.depthwise, population,
                                            Mux(spiking, common.lanes, 0))),
            ]

        return m


def _nibbles(spikes):
    """A word's spikes, a few at a time."""
    return [spikes[start:start + NIBBLE] for start in range(0, len(spikes), NIBBLE)]


def _encoded(one_hot, width):
    """Number of the bit that is set, 0 if there is none."""
    return Cat(Cat(one_hot[index] for index in range(len(one_hot)) if index >> bit & 1).any()
               for bit in range(width))
