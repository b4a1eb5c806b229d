"""The column: walker, finder and lanes, working on one output position at a time."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from .finder import Finder
from .memory import TAG_WIDTH, Memory
from .shadows import Lanes
from .signals import signals
from .walker import UNDER_WAY, Walker, word_layout


__all__ = ["Column", "FETCH", "WORDS"]


#: Words that the walker may be ahead of the finder.
WORDS = 16

#: Cycles from an event's address to its addition.
FETCH = 3


class Column(wiring.Component):
    """Computes the sums of jobs: reads spikes, and adds the rows they select.

    Walking, finding, fetching and adding overlap, also between jobs. Zero spikes cost no event.
    From a word of spikes to the accumulator it takes 7 cycles; an event per cycle follows. Finished
    sums wait in the lanes' shadows until they are drained; those of the next job are added
    meanwhile.

    Parameters
    ----------
    config : CoreConfig
    log : bool
        Whether writes of the attention memory are captured.

    Members
    -------
    layer : In(config.layer)
        Stable while jobs are at work.
    job : In(stream.Signature(config.job))
    source_address, spike_read, pixel_read : Out, In, In
        Port of the spike and of the pixel memory, one cycle from address to data.
    weight_read, weight_address, weights : Out, Out, In
        Port of the weight memory, one enabled cycle from address to data.
    weight_port_taken : In(1)
        The port serves a write in this cycle.
    entry_write, entry_address, entry_data : In
        Write port of the attention memory: bit 0 of all lanes' digits lowest.
    ready : Out(1)
        The shadows hold the sums of a job that is not being drained, or will in the next cycle.
    result : Out(config.result)
        Of that job, or the next one that will be ready.
    begin : In(1)
        Its drain begins; only while ``ready``.
    release : In(lanes)
        One-hot: lane whose sum follows as ``taken`` in the next cycle.
    empties : In(1)
        ``FETCH`` cycles from now the last lane of the job is released, or has been.
    taken : Out(signed(accumulator_width))
    additions : Out(range(lanes + 1))
        Additions that were started two cycles before.
    using : Out(2)
        Halves of the double buffer that jobs need whose drain has not begun.
    idle : Out(1)
        The drain of everything that was accepted has begun.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, config, *, log=False):
        self.config = config
        self.log = log
        lanes = config.lanes
        super().__init__({
            "layer": In(config.layer),
            "job": In(stream.Signature(config.job)),
            "source_address": Out(config.source_address),
            "spike_read": In(config.spike_width),
            "pixel_read": In(config.pixel_width),
            "weight_read": Out(1),
            "weight_address": Out(config.row_address),
            "weights": In(lanes * config.weight_width),
            "weight_port_taken": In(1),
            "entry_write": In(1),
            "entry_address": In(config.attention_address),
            "entry_data": In(lanes * config.digit_width),
            "ready": Out(1),
            "result": Out(config.result),
            "begin": In(1),
            "release": In(lanes),
            "empties": In(1),
            "taken": Out(signed(config.accumulator_width)),
            "additions": Out(range(lanes + 1)),
            "using": Out(2),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        lanes, digit_width = self.config.lanes, self.config.digit_width
        weight_width, row_width = self.config.weight_width, self.config.row_width

        m.submodules.walker = walker = Walker(self.config)
        m.submodules.finder = finder = Finder(self.config)
        m.submodules.lanes = adders = Lanes(
            lanes=lanes, entry_width=row_width, width=self.config.accumulator_width
        )

        m.submodules.words = words = SyncFIFO(width=word_layout(self.config).size, depth=WORDS)

        # A job waits in reserve, so that whether one is taken is known from a register. It starts
        # when its result has a place to wait: behind that of the job that is drained next.
        reserved = Signal()
        reserve = Signal(self.config.job)
        starts = walker.job.valid & walker.job.ready
        next_to_drain, behind, moves = signals("next_to_drain behind moves")
        following = Signal(self.config.result)
        m.d.comb += moves.eq(behind & (~next_to_drain | self.begin))
        with m.If(starts):
            m.d.sync += [behind.eq(1), following.eq(reserve.result)]
        with m.Elif(moves):
            m.d.sync += behind.eq(0)
        with m.If(moves):
            m.d.sync += [next_to_drain.eq(1), self.result.eq(following)]
        with m.Elif(self.begin):
            m.d.sync += next_to_drain.eq(0)
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [reserved.eq(1), reserve.eq(self.job.payload)]
        with m.Elif(starts):
            m.d.sync += reserved.eq(0)
        m.d.comb += [
            self.job.ready.eq(~reserved),
            walker.layer.eq(self.layer),
            walker.job.payload.eq(reserve),
            walker.job.valid.eq(reserved & ~behind),
            self.source_address.eq(walker.address),
            walker.spikes.eq(self.spike_read),
            walker.pixel.eq(self.pixel_read),
            words.w_en.eq(walker.valid),
            words.w_data.eq(walker.word),
            finder.depthwise.eq(self.layer.depthwise),
            finder.words.payload.eq(words.r_data),
            finder.words.valid.eq(words.r_rdy),
            words.r_en.eq(finder.words.ready),
        ]

        # Whether there is space is known a cycle late, when one more word may have been written.
        m.d.sync += walker.space.eq(words.w_level < WORDS - UNDER_WAY - 1)

        # Fetch: an address to both row memories, a register for what they answer, since a block
        # memory is late, then one that holds the row or nothing. Nothing waits on this way: what
        # would find the port taken, or close a job before the shadows are free, does not leave the
        # finder.
        occupied = Signal()
        event = finder.event
        m.d.comb += [
            finder.hold.eq((event.last & occupied) | self.weight_port_taken),
            self.weight_read.eq(finder.valid & ~self.weight_port_taken),
            self.weight_address.eq(event.row),
        ]
        m.submodules.attention = attention = Memory(
            width=lanes * digit_width,
            depth=self.config.attention_depth,
            name="attention" if self.log else "",
        )
        m.d.comb += [
            attention.write.eq(self.entry_write),
            attention.write_address.eq(self.entry_address),
            attention.write_data.eq(self.entry_data),
            attention.read.eq(finder.valid),
            attention.read_address.eq(event.row),
            attention.tag.eq(self.tag),
        ]
        asked, fetched = signals("asked fetched", event.shape())
        asking, fetching = signals("asking fetching")
        weights = Signal.like(self.weights)
        digits = Signal(lanes * digit_width)
        m.d.sync += [
            asking.eq(finder.valid & ~finder.hold),
            asked.eq(event),
            asked.last.eq(event.last & ~finder.hold),
            weights.eq(self.weights),
            digits.eq(attention.read_data),
            fetching.eq(asking),
            fetched.eq(asked),
            adders.valid.eq(fetching),
            adders.last.eq(fetched.last),
            adders.double.eq(fetched.double),
        ]
        # An entry is a weight or a digit, which has fewer bits, or the double of it, or nothing.
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(self.layer.attention_rows):
            m.d.sync += weights.eq(0)
        with m.Else():
            m.d.sync += digits.eq(0)
        for lane in range(lanes):
            entry = adders.row.word_select(lane, row_width)
            weight = weights.word_select(lane, weight_width).as_signed()
            value = Signal(signed(row_width), name=f"value_{lane}")
            m.d.comb += value.eq(weight | Cat(digits[lane::lanes], C(0, 1)).as_signed())
            if self.config.two_bit_serial:
                value = Mux(fetched.twice[lane], value << 1, value)
            m.d.sync += entry.eq(value)
            with m.If(~fetched.mask[lane]):
                m.d.sync += entry.eq(0)
        counted = Signal()
        population = Signal(range(lanes + 1))
        m.d.sync += [
            counted.eq(finder.valid & ~finder.hold),
            population.eq(sum(event.mask[lane] for lane in range(lanes))),
            self.additions.eq(Mux(self.layer.depthwise, population, asked.lanes)),
        ]
        with m.If(~counted):
            m.d.sync += self.additions.eq(0)

        # The shadows are occupied from when the event that fills them leaves, until the next one
        # may leave, so that the last sum is taken in the cycle in which they may change again.
        with m.If(self.empties):
            m.d.sync += occupied.eq(0)
        with m.Elif(event.last & ~finder.hold):
            m.d.sync += occupied.eq(1)
        waiting = Signal()
        m.d.sync += waiting.eq(self.ready & ~self.begin)
        m.d.comb += [
            self.ready.eq(waiting | adders.last),
            adders.release.eq(self.release),
            self.taken.eq(adders.taken),
            self.idle.eq(~(reserved | behind | next_to_drain)),
        ]
        if self.config.external:
            jobs = ((next_to_drain, self.result), (behind, following), (reserved, reserve.result))
            m.d.comb += self.using.eq(
                reduce(or_, (Mux(there, C(1, 2) << result.half, 0) for there, result in jobs))
            )
        return m
