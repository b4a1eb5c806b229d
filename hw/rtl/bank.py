"""The bank: what one of a column's planes of spikes selects, one row per cycle."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import WEIGHT_TILES
from ..isa.memory_parts import ATTENTION_PARTS
from ..isa.spike_word import word_layout
from .event_encoder import EventEncoder, event_stream
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

    An event asks all memories that hold rows, a register for each takes what they answer, since a
    block RAM is late, then one that holds the row or nothing. Nothing waits on this way.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
        Stable while there is anything in the bank.
    write, word : In(1), In(word_layout(config))
    full : Out(1)
        No step must come, ``UNDER_WAY`` words later at the latest.
    events : Out(event_stream(config))
    read : Out(1)
    weight_address, weights : Out(config.tile_address), In(weight_word).array(WEIGHT_TILES)
        Port of the buffer of weights: one cycle with ``read`` from an address to what stands there
        in every tile.
    digit_address, digits : Out(config.attention_address), In(digit_word).array(2)
        The same of values and key-values; bit 0 of all lanes' digits lowest.
    row : Out(lanes * row_width)
        What the event that was taken ``ROW_CYCLES`` before adds; 0 if none was.
    additions : Out(range(lanes + 1))
        Additions of the event that was taken two cycles before.
    """

    def __init__(self, config):
        self.config = config
        lanes = config.lanes
        super().__init__({
            "layer": In(config.layer),
            "write": In(1),
            "word": In(word_layout(config)),
            "full": Out(1),
            "events": Out(event_stream(config)),
            "read": Out(1),
            "weight_address": Out(config.tile_address),
            "weights": In(config.weight_word).array(WEIGHT_TILES),
            "digit_address": Out(config.attention_address),
            "digits": In(config.digit_word).array(len(ATTENTION_PARTS)),
            "row": Out(lanes * config.row_width),
            "additions": Out(range(lanes + 1)),
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
        config, layer = self.config, self.layer
        lanes, row_width = config.lanes, config.row_width
        event = self.events.p
        m.d.comb += [
            self.read.eq(self.events.valid),
            self.weight_address.eq(event.row),
            self.digit_address.eq(event.row),
        ]
        asked, fetched = (Signal(lanes, init=-1, name=name) for name in ("asked", "fetched"))
        weights = [
            Signal(config.weight_word, name=f"weights_{tile}") for tile in range(WEIGHT_TILES)
        ]
        digits = [Signal(config.digit_word, name=f"digits_{part}") for part in ATTENTION_PARTS]
        # The number of the tile stands above the address in it.
        tile_address = config.tile_address.width
        number = Signal.like(event.row[tile_address:])
        m.d.sync += [
            asked.eq(event.skip),
            fetched.eq(asked),
            number.eq(event.row[tile_address:]),
            *map(Value.eq, weights, self.weights),
            *map(Value.eq, digits, self.digits),
        ]
        # Setting and clearing come last, so that they are the registers' set and reset and take no
        # logic. The row needs no reset besides: a cycle after one, every lane skips.
        with m.If(~taken):
            m.d.sync += asked.eq(-1)
        for tile, register in enumerate(weights):
            with m.If(layer.attention_rows | (number != tile)):
                m.d.sync += register.eq(0)
        # Where tokens are gathered, values are added.
        for register, unused in zip(digits, (~layer.gather, layer.gather), strict=True):
            with m.If(~layer.attention_rows | unused):
                m.d.sync += register.eq(0)
        row = Signal.like(self.row, reset_less=True)
        m.d.comb += self.row.eq(row)
        for lane in range(lanes):
            element = row.word_select(lane, row_width)
            weight = _any(each.word_select(lane, config.weight_width) for each in weights)
            digit = _any(Cat(each[lane::lanes]) for each in digits)
            m.d.sync += element.eq(weight.as_signed() | Cat(digit, C(0, 1)).as_signed())
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


def _any(words):
    """OR of words, all but one of which are 0."""
    return reduce(or_, words)
