"""The event encoder: from words of spikes to one event per cycle."""

from functools import reduce
from itertools import combinations
from operator import and_, or_

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from ..isa.spike_word import End, word_layout
from .lane_address import lane_address
from .signals import signals


__all__ = ["ENCODING", "NIBBLE", "EventEncoder", "event_layout", "event_stream"]


#: Spikes that the second step looks at.
NIBBLE = 4
#: Cycles from a word to its first event.
ENCODING = 3


def event_layout(config):
    """Layout of an event: the row to fetch and the lanes that add it.

    Lanes in ``skip`` add nothing, and no lane does for an event that is ``empty``. The last event
    of a pass ``ends`` it, the one marked ``last`` the job as well, and ``end`` says what else.
    ``lanes`` is the number of additions that it counts as, where the layer is dense.
    """
    return data.StructLayout({
        "row": config.row_address,
        "skip": config.lanes,
        "empty": 1,
        "ends": 1,
        "last": 1,
        "end": End,
        "lanes": range(config.lanes + 1),
    })


def event_stream(config):
    """Signature of a stream of events."""
    return stream.Signature(event_layout(config))


class EventEncoder(wiring.Component):
    """Sends one event per spike, or one per word where the layer is depthwise.

    A dense word selects one row per spike, added by all lanes: that of the word's first lane, which
    is aligned as `lane_address` wants it, and those behind it. It is found in two steps, so that
    none of them looks at more than a few bits: the nibbles of a word that have spikes move on one
    after the other, and the spikes of a nibble leave one after the other. A depthwise word is the
    mask of the lanes that add its single row. A word without spikes is an event that adds nothing.

    The first event of a word leaves ``ENCODING`` cycles after the word, and words follow each other
    without a gap.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    depthwise : In(1)
    gather : In(1)
        All spikes of a word select its row.
    words : In(stream.Signature(word_layout(config)))
    events : Out(event_stream(config))
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "depthwise": In(1),
            "gather": In(1),
            "words": In(stream.Signature(word_layout(config))),
            "events": Out(event_stream(config)),
        })

    def elaborate(self, platform):
        m = Module()
        n_lanes = self.config.lanes

        # The word, which of its nibbles with spikes have not moved on, and which have several.
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
        advances, moves, leaves = signals("advances moves leaves")
        m.d.comb += [
            advances.eq(~self.events.valid | self.events.ready),
            moves.eq(~found | (advances & ~more)),
            leaves.eq(moves & (self.depthwise | ~later.any())),
            self.words.ready.eq(~occupied | leaves),
        ]
        with m.If(moves):
            m.d.sync += [
                found.eq(occupied),
                nibble.eq(_chosen(~word.silent, chosen)),
                more.eq((several & chosen).any() & ~self.depthwise),
                first_lane.eq(number),
                common.eq(word),
                common.ends.eq(word.ends & (self.depthwise | ~later.any())),
                flags.eq(later),
            ]
        with m.Elif(advances):
            m.d.sync += [nibble.eq(rest), more.eq(_several(nibble, 3))]
        parts = _nibbles(~self.words.p.silent)
        with m.If(self.words.ready):
            m.d.sync += [
                occupied.eq(self.words.valid),
                word.eq(self.words.payload),
                flags.eq(Cat(part.any() for part in parts)),
                several.eq(Cat(_several(part, 2) for part in parts)),
            ]

        lane = Cat(_encoded(spike, exact_log2(NIBBLE)), first_lane)[: bits_for(n_lanes - 1)]
        alike = self.depthwise | self.gather
        event = self.events.p
        with m.If(advances):
            m.d.sync += [
                self.events.valid.eq(found),
                event.row.eq(Mux(alike, common.row, lane_address(common.row, lane, lanes=n_lanes))),
                event.skip.eq(common.silent),
                event.empty.eq(~nibble.any()),
                event.ends.eq(common.ends & ~more),
                event.last.eq(common.ends & ~more & (common.end != End.PASS)),
                event.end.eq(common.end),
                event.lanes.eq(common.lanes),
            ]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(~self.depthwise):
            m.d.sync += event.skip.eq(0)

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
