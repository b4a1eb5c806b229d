"""The column: word reader, queue, event encoder and lanes, one output position after another."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.memory_parts import block_rams_scarce
from ..isa.spike_word import closes_layout, word_layout
from .address_generator import step_layout
from .finder import Finder
from .memory import TAG_WIDTH, Memory
from .shadows import Lanes
from .signals import signals
from .word_queue import WordQueue
from .word_reader import READ_CYCLES, WordReader


__all__ = ["Column", "FETCH", "UNDER_WAY", "readout_signature"]


#: Words that still come to a queue that says it is full: it is asked a cycle later, as one of all
#: columns, and what is on its way to it then comes.
UNDER_WAY = READ_CYCLES + 3

#: Cycles from an event's address to its addition.
FETCH = 3


def readout_signature(config):
    """How finished sums are read out, seen from the column.

    ``ready`` says that the holding registers have the sums of a job that is not being read out, or
    will in the next cycle; what it ``closes`` stays until its readout begins. ``begin`` only
    while ``ready``. ``release`` is one-hot, the lane whose sum follows as ``taken`` a cycle later.
    ``empties``: ``FETCH`` cycles from now the last lane of the job is released, or has been.
    """
    return wiring.Signature({
        "ready": Out(1),
        "closes": Out(closes_layout()),
        "begin": In(1),
        "release": In(config.lanes),
        "empties": In(1),
        "taken": Out(signed(config.accumulator_width)),
    })


class Column(wiring.Component):
    """Computes the sums of jobs: reads spikes, and adds the rows they select.

    Reading, finding, fetching and adding overlap, also between jobs. Zero spikes cost no event.
    Finished sums wait in the lanes' holding registers until they are read out; those of the next
    job are added meanwhile.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the column; writes of the attention memory of column 0 are captured.

    Members
    -------
    layer : In(config.layer)
        Stable while jobs are at work.
    step : In(step_layout(config))
    base : In(config.source_address)
        What the column adds to the addresses of all steps.
    full : Out(1)
        No step must come, ``UNDER_WAY`` words later at the latest.
    source_address, spike_read, pixel_read : Out, In, In
        Port of the spike and of the pixel memory, one cycle from address to data.
    weight_read, weight_address, weights : Out, Out, In
        Port of the weight memory, one enabled cycle from address to data.
    weight_port_taken : In(1)
        The port serves a write in this cycle.
    entry_write, entry_address, entry_data : In
        Write port of the attention memory: bit 0 of all lanes' digits lowest.
    readout : Out(readout_signature(config))
    additions : Out(range(lanes + 1))
        Additions that were started two cycles before.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, config, *, number):
        self.config = config
        self.number = number
        lanes = config.lanes
        super().__init__({
            "layer": In(config.layer),
            "step": In(step_layout(config)),
            "base": In(config.source_address),
            "full": Out(1),
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
            "readout": Out(readout_signature(config)),
            "additions": Out(range(lanes + 1)),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        lanes, digit_width = self.config.lanes, self.config.digit_width
        weight_width, row_width = self.config.weight_width, self.config.row_width

        m.submodules.reader = reader = WordReader(self.config, number=self.number)
        m.submodules.queue = queue = WordQueue(shape=word_layout(self.config), room=UNDER_WAY)
        m.submodules.finder = finder = Finder(self.config)
        m.submodules.lanes = adders = Lanes(
            lanes=lanes, entry_width=row_width, width=self.config.accumulator_width
        )

        wiring.connect(m, queue.words, finder.words)
        m.d.comb += [
            reader.layer.eq(self.layer),
            reader.step.eq(self.step),
            reader.base.eq(self.base),
            self.source_address.eq(reader.address),
            reader.spikes.eq(self.spike_read),
            reader.pixel.eq(self.pixel_read),
            queue.write.eq(reader.valid),
            queue.data.eq(reader.word),
            self.full.eq(queue.full),
            finder.depthwise.eq(self.layer.depthwise),
            finder.gather.eq(self.layer.gather),
        ]

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
            scarce=block_rams_scarce(self.config),
            name="" if self.number else "attention",
        )
        m.d.comb += [
            attention.write.eq(self.entry_write),
            attention.write_address.eq(self.entry_address),
            attention.write_data.eq(self.entry_data),
            attention.read.eq(finder.valid),
            attention.read_address.eq(event.row),
            attention.tag.eq(self.tag),
        ]
        asked, fetched = (
            Signal(event.shape(), init={"skip": -1}, name=name) for name in ("asked", "fetched")
        )
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
        # Clearing comes last, so that it is the registers' reset and takes no logic. The row needs
        # no reset besides: a cycle after one, every lane skips.
        row = Signal(lanes * row_width, reset_less=True)
        m.d.comb += adders.row.eq(row)
        with m.If(self.layer.attention_rows):
            m.d.sync += weights.eq(0)
        with m.Else():
            m.d.sync += digits.eq(0)
        for lane in range(lanes):
            entry = row.word_select(lane, row_width)
            weight = weights.word_select(lane, weight_width).as_signed()
            value = Signal(signed(row_width), name=f"value_{lane}")
            m.d.comb += value.eq(weight | Cat(digits[lane::lanes], C(0, 1)).as_signed())
            if self.config.two_bit_serial:
                value = Mux(fetched.twice[lane], value << 1, value)
            m.d.sync += entry.eq(value)
            with m.If(fetched.skip[lane]):
                m.d.sync += entry.eq(0)
        counted = Signal()
        population = Signal(range(lanes + 1))
        m.d.sync += [
            counted.eq(finder.valid & ~finder.hold),
            population.eq(sum(~event.skip[lane] for lane in range(lanes))),
            self.additions.eq(Mux(self.layer.depthwise, population, asked.lanes)),
        ]
        with m.If(~counted):
            m.d.sync += self.additions.eq(0)

        # The holding registers are occupied from when the event that fills them leaves, until the
        # next one may leave, so that the last sum is taken in the cycle in which they may change
        # again.
        readout = self.readout
        with m.If(readout.empties):
            m.d.sync += occupied.eq(0)
        with m.Elif(event.last & ~finder.hold):
            m.d.sync += [occupied.eq(1), readout.closes.eq(event.closes)]
        waiting = Signal()
        m.d.sync += waiting.eq(readout.ready & ~readout.begin)
        m.d.comb += [
            readout.ready.eq(waiting | adders.last),
            adders.release.eq(readout.release),
            readout.taken.eq(adders.taken),
        ]
        return m
