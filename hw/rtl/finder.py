"""The spike finder: from words of spikes to one event per cycle."""

from functools import reduce
from itertools import combinations
from operator import and_, or_

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..isa.spike_word import closes_layout, word_layout
from .signals import signals


__all__ = ["NIBBLE", "Finder", "event_layout"]


#: Spikes that the second step looks at.
NIBBLE = 4


def event_layout(config):
    """Layout of an event: the row to fetch and the lanes that add it.

    An event marked ``double`` doubles the sums before it adds. Lanes in ``skip`` add nothing. In
    the graded code, the lanes in ``twice`` add the double of their entry. ``lanes`` is the number
    of additions that it counts as, where the layer is dense.
    """
    return data.StructLayout({
        "row": config.row_address,
        "skip": config.lanes,
        **({"twice": config.lanes} if config.two_bit_serial else {}),
        "double": 1,
        "last": 1,
        "closes": closes_layout(),
        "lanes": range(config.lanes + 1),
    })


class Finder(wiring.Component):
    """Sends one event per addition of a spike, or one per word where the layer is depthwise.

    A dense word selects one row per spike, added by all lanes. It is found in two steps, so that
    none of them looks at more than a few bits: the nibbles of a word that have spikes move on one
    after the other, and the spikes of a nibble leave one after the other. A depthwise word is the
    mask of the lanes that add its single row. In the graded code a spike may leave twice, and so
    may a depthwise word: the second time for the lanes that add again.

    The first event of a word leaves three cycles after the word, and words follow each other
    without a gap. Nothing moves while ``hold`` is high.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    depthwise : In(1)
    gather : In(1)
        All spikes of a word select its row.
    words : In(stream.Signature(word_layout(config)))
    hold : In(1)
    event : Out(event_layout(config))
    valid : Out(1)
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "depthwise": In(1),
            "gather": In(1),
            "words": In(stream.Signature(word_layout(config))),
            "hold": In(1),
            "event": Out(event_layout(config), init={"skip": -1}),
            "valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        n_lanes, graded = self.config.lanes, self.config.two_bit_serial

        # The word, which of its nibbles with spikes have not moved on, and which send more events
        # than one.
        layout = word_layout(self.config)
        word = Signal(layout)
        occupied = Signal()
        n_nibbles = -(-n_lanes // NIBBLE)
        flags, later, several = signals("flags later several", n_nibbles)
        m.d.comb += later.eq(flags & (flags - 1))
        chosen = flags & ~later
        number = Signal(range(max(2, n_nibbles)))
        m.d.comb += number.eq(_encoded(chosen, len(number)))

        # The nibble, what its events have in common, and whether more than one of them is left,
        # which is known from a register since everything waits for it.
        nibble = Signal(NIBBLE)
        found, more = signals("found more")
        common = Signal(layout)
        first_lane = Signal.like(number)
        rest = Signal(NIBBLE)
        m.d.comb += rest.eq(nibble & (nibble - 1))
        spike = nibble & ~rest
        # In the graded code: spikes of the nibble that add their entry itself, and that leave once
        # more; and whether the depthwise word does so now.
        once, again = signals("once again", NIBBLE)
        second = Signal()
        moves, leaves = signals("moves leaves")
        m.d.comb += [
            moves.eq(~self.hold & (~found | ~more)),
            leaves.eq(moves & (self.depthwise | ~later.any())),
            self.words.ready.eq(~self.hold & (~occupied | leaves)),
        ]
        with m.If(moves):
            m.d.sync += [
                found.eq(occupied),
                nibble.eq(_chosen(word.spikes, chosen)),
                more.eq((several & chosen).any()),
                first_lane.eq(number),
                common.eq(word),
                common.last.eq(word.last & (self.depthwise | ~later.any())),
                flags.eq(later),
                word.double.eq(0),
            ]
            if graded:
                m.d.sync += [
                    once.eq(_chosen(word.once, chosen)),
                    again.eq(_chosen(word.again, chosen)),
                    second.eq(0),
                ]
            with m.If(self.depthwise):
                m.d.sync += more.eq(word.again.any() if graded else 0)
        with m.Elif(~self.hold):
            m.d.sync += [
                nibble.eq(rest | (spike & again)),
                once.eq(once & ~spike),
                again.eq(again & ~spike),
                # Spikes that leave twice are among those that leave.
                more.eq(
                    (_several(nibble, 3) | (_several(nibble, 2) & again.any())) & ~self.depthwise
                ),
                second.eq(1),
                common.double.eq(0),
            ]
        parts = _nibbles(self.words.p.spikes)
        repeated = _nibbles(self.words.p.again) if graded else [C(0)] * n_nibbles
        with m.If(self.words.ready):
            m.d.sync += [
                occupied.eq(self.words.valid),
                word.eq(self.words.payload),
                flags.eq(Cat(part.any() for part in parts)),
                several.eq(
                    Cat(
                        _several(part, 2) | twice.any()
                        for part, twice in zip(parts, repeated, strict=True)
                    )
                ),
            ]

        lane = Cat(_encoded(spike, exact_log2(NIBBLE)), first_lane)
        spiking = nibble.any()
        mask = common.spikes
        if graded:
            mask = Mux(second, common.again, common.spikes)
            with m.If(~self.hold):
                m.d.sync += self.event.twice.eq(
                    Mux(
                        self.depthwise,
                        second.replicate(n_lanes) | ~common.once,
                        (spike & ~once).any().replicate(n_lanes),
                    )
                )
        with m.If(~self.hold):
            m.d.sync += [
                self.valid.eq(found),
                self.event.row.eq(common.row + Mux(self.depthwise | self.gather, 0, lane)),
                self.event.skip.eq(~mask & self.depthwise.replicate(n_lanes)),
                self.event.double.eq(common.double),
                self.event.last.eq(found & common.last & ~more),
                self.event.closes.eq(common.closes),
                self.event.lanes.eq(Mux(spiking, common.lanes, 0)),
            ]
            # Setting comes last, so that it is the registers' reset, whose value is the same, and
            # takes no logic.
            with m.If(~self.depthwise & ~spiking):
                m.d.sync += self.event.skip.eq(-1)

        return m


def _several(spikes, number):
    """Whether at least so many spikes are set."""
    return reduce(or_, (reduce(and_, some) for some in combinations(spikes, number)), C(0))


def _chosen(spikes, chosen):
    """The nibble of a word that is given one-hot."""
    return reduce(
        or_,
        (nibble & chosen[index].replicate(NIBBLE) for index, nibble in enumerate(_nibbles(spikes))),
    )


def _nibbles(spikes):
    """A word's spikes, a few at a time."""
    return [spikes[start : start + NIBBLE] for start in range(0, len(spikes), NIBBLE)]


def _encoded(one_hot, width):
    """Number of the bit that is set, 0 if there is none."""
    return Cat(
        Cat(one_hot[index] for index in range(len(one_hot)) if index >> bit & 1).any()
        for bit in range(width)
    )
