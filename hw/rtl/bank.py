"""The bank: what one of a column's planes of spikes selects, one row per cycle."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import WEIGHT_TILES
from ..isa.memory_parts import block_rams_scarce
from ..isa.spike_word import word_layout
from .event_encoder import EventEncoder, event_stream
from .memory import TAG_WIDTH, Memory
from .signals import signals
from .word_queue import WordQueue
from .word_reader import READ_CYCLES


__all__ = ["Bank", "ROW_CYCLES", "UNDER_WAY"]


#: Words that still come to a queue that says it is full: it is asked a cycle later, as one of all
#: columns, and what is on its way to it then comes.
UNDER_WAY = READ_CYCLES + 3

#: Cycles from an event to its row.
ROW_CYCLES = 3


class Bank(wiring.Component):
    """A queue of words, an event encoder, and the rows that its events fetch.

    An event that is taken asks both row memories, a register takes what they answer, since a block
    RAM is late, then one that holds the row or nothing. Nothing waits on this way.

    Parameters
    ----------
    config : CoreConfig
    name : str
        Log of the writes of the attention memory in simulations that capture; empty for none.

    Members
    -------
    layer : In(config.layer)
        Stable while there is anything in the bank.
    write, word : In(1), In(word_layout(config))
    full : Out(1)
        No step must come, ``UNDER_WAY`` words later at the latest.
    events : Out(event_stream(config))
    weight_read, weight_address, weights : Out, Out, In
        Port of the buffer of weights: one enabled cycle from an address to what stands there in
        every tile.
    entry_write, entry_address, entry_data : In
        Write port of the attention memory: bit 0 of all lanes' digits lowest.
    row : Out(lanes * row_width)
        What the event that was taken ``ROW_CYCLES`` before adds; 0 if none was.
    additions : Out(range(lanes + 1))
        Additions of the event that was taken two cycles before.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, config, *, name=""):
        self.config = config
        self.name = name
        lanes = config.lanes
        super().__init__({
            "layer": In(config.layer),
            "write": In(1),
            "word": In(word_layout(config)),
            "full": Out(1),
            "events": Out(event_stream(config)),
            "weight_read": Out(1),
            "weight_address": Out(config.tile_address),
            "weights": In(config.weight_word).array(WEIGHT_TILES),
            "entry_write": In(1),
            "entry_address": In(config.attention_address),
            "entry_data": In(lanes * config.digit_width),
            "row": Out(lanes * config.row_width),
            "additions": Out(range(lanes + 1)),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = WordQueue(shape=word_layout(self.config), room=UNDER_WAY)
        m.submodules.encoder = encoder = EventEncoder(self.config)
        wiring.connect(m, queue.words, encoder.words)
        wiring.connect(m, encoder.events, wiring.flipped(self.events))
        m.d.comb += [
            queue.write.eq(self.write),
            queue.data.eq(self.word),
            self.full.eq(queue.full),
            encoder.depthwise.eq(self.layer.depthwise),
            encoder.gather.eq(self.layer.gather),
        ]
        taken = self.events.valid & self.events.ready
        self._fetch(m, taken)
        self._count(m, taken)
        return m

    def _fetch(self, m, taken):
        """Fetches the rows of events."""
        lanes, digit_width = self.config.lanes, self.config.digit_width
        weight_width, row_width = self.config.weight_width, self.config.row_width
        event = self.events.p
        m.submodules.attention = attention = Memory(
            width=lanes * digit_width,
            depth=self.config.attention_depth,
            scarce=block_rams_scarce(self.config),
            name=self.name,
        )
        m.d.comb += [
            self.weight_read.eq(taken & ~self.layer.attention_rows),
            self.weight_address.eq(event.row),
            attention.write.eq(self.entry_write),
            attention.write_address.eq(self.entry_address),
            attention.write_data.eq(self.entry_data),
            attention.read.eq(self.events.valid),
            attention.read_address.eq(event.row),
            attention.tag.eq(self.tag),
        ]
        asked, fetched = (Signal(lanes, init=-1, name=name) for name in ("asked", "fetched"))
        weights = [
            Signal(self.config.weight_word, name=f"weights_{tile}") for tile in range(WEIGHT_TILES)
        ]
        # The tile of an event stands above the address in it.
        tile_bit = self.config.tile_address.width
        asked_tile = Signal(range(WEIGHT_TILES))
        digits = Signal(lanes * digit_width)
        m.d.sync += [
            asked.eq(event.skip),
            fetched.eq(asked),
            asked_tile.eq(event.row[tile_bit:]),
            *(register.eq(self.weights[tile]) for tile, register in enumerate(weights)),
            digits.eq(attention.read_data),
        ]
        # Setting and clearing come last, so that they are the registers' set and reset and take no
        # logic. The row needs no reset besides: a cycle after one, every lane skips.
        with m.If(~taken):
            m.d.sync += asked.eq(-1)
        for tile, register in enumerate(weights):
            with m.If(self.layer.attention_rows | (asked_tile != tile)):
                m.d.sync += register.eq(0)
        with m.If(~self.layer.attention_rows):
            m.d.sync += digits.eq(0)
        row = Signal.like(self.row, reset_less=True)
        m.d.comb += self.row.eq(row)
        for lane in range(lanes):
            element = row.word_select(lane, row_width)
            weight = reduce(
                or_, (register.word_select(lane, weight_width) for register in weights)
            ).as_signed()
            m.d.sync += element.eq(weight | Cat(digits[lane::lanes], C(0, 1)).as_signed())
            with m.If(fetched[lane]):
                m.d.sync += element.eq(0)

    def _count(self, m, taken):
        """Counts the additions of events."""
        event = self.events.p
        counted = Signal()
        population, counts = signals("population counts", self.additions.shape())
        m.d.sync += [
            counted.eq(taken),
            population.eq(sum(~skip for skip in event.skip)),
            counts.eq(event.lanes),
            self.additions.eq(Mux(self.layer.depthwise, population, counts)),
        ]
        with m.If(~counted):
            m.d.sync += self.additions.eq(0)
