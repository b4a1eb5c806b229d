"""The bank: what one of a column's planes of spikes selects, one row per cycle."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import WEIGHT_TILES
from ..isa.spike_word import word_layout
from .attention_memory import digits_port
from .event_encoder import EventEncoder, event_stream
from .signals import signals
from .weight_tiles import weights_port
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

    An event asks all memories that hold rows. A register for each takes what they answer, or
    nothing, since a block RAM is late. Then two hold the row: each that of a tile, or of a memory
    of attention. Whoever adds takes the OR of both. Nothing waits on this way.

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
    weights : Out(weights_port(config))
    digits : Out(digits_port(config))
        In cores that have attention.
    row : Out(lanes * row_width).array(WEIGHT_TILES)
        The OR of these is what the event that was taken ``ROW_CYCLES`` before adds; 0 if none was.
    additions : Out(range(lanes + 1)).array(2)
        The OR of these is the number of additions of the event that was taken two cycles before.
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
            "weights": Out(weights_port(config)),
            **({"digits": Out(digits_port(config))} if config.attention else {}),
            "row": Out(lanes * config.row_width).array(WEIGHT_TILES),
            "additions": Out(range(lanes + 1)).array(2),
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
        adds = Signal()
        m.d.comb += adds.eq(self.events.valid & self.events.ready & ~self.events.p.empty)
        self._fetch(m, adds)
        self._count(m, adds)
        return m

    def _fetch(self, m, adds):
        """Fetches the rows of events."""
        config = self.config
        weights = self._weights(m, adds)
        digits = self._digits(m, adds) if config.attention else [()] * len(weights)
        # The OR of a weight and a digit takes no logic: a bit of the digit sets the register that
        # takes the weight's. Such a register also starts set, or it takes a multiplexer.
        for part, (row, weight, digit) in enumerate(zip(self.row, weights, digits, strict=True)):
            held = Signal.like(row, name=f"held_{part}", init=-1, reset_less=True)
            m.d.comb += row.eq(held)
            for lane in range(config.lanes):
                element = held.word_select(lane, config.row_width)
                m.d.sync += element.eq(weight.word_select(lane, config.weight_width).as_signed())
                for bit, value in enumerate(digit[lane :: config.lanes]):
                    with m.If(value):
                        m.d.sync += element[bit].eq(1)

    def _weights(self, m, adds):
        """Weights of each tile, of which one has those of an event; 0 where a lane adds none.

        Setting and clearing come last here, so that they are the registers' set and reset and take
        no logic. Rows need no reset besides: a cycle after one, every lane skips.
        """
        config, port, event = self.config, self.weights, self.events.p
        m.d.comb += [port.read.eq(self.events.valid), port.address.eq(event.row)]
        # The number of the tile stands above the address in it.
        number = event.row[config.tile_address.width :]
        weights = []
        for tile, word in enumerate(port.data):
            skipped = Signal(config.lanes, init=-1, name=f"skipped_{tile}")
            weight = Signal.like(word, name=f"weights_{tile}", reset_less=True)
            weights.append(weight)
            m.d.sync += [skipped.eq(event.skip), weight.eq(word)]
            with m.If(~adds | self.layer.attention_rows | (number != tile)):
                m.d.sync += skipped.eq(-1)
            for lane in range(config.lanes):
                with m.If(skipped[lane]):
                    m.d.sync += weight.word_select(lane, config.weight_width).eq(0)
        return weights

    def _digits(self, m, adds):
        """Values and key-values, of which one has those of an event: where tokens are gathered, the
        values. Lanes skip nothing of them.
        """
        layer, port = self.layer, self.digits
        m.d.comb += [port.read.eq(self.events.valid), port.address.eq(self.events.p.row)]
        digits = []
        for part, (word, gather) in enumerate(zip(port.data, (1, 0), strict=True)):
            unused = Signal(init=1, name=f"unused_{part}")
            digit = Signal.like(word, name=f"digits_{part}", reset_less=True)
            digits.append(digit)
            m.d.sync += [
                unused.eq(~adds | ~layer.attention_rows | (layer.gather != gather)),
                digit.eq(word),
            ]
            with m.If(unused):
                m.d.sync += digit.eq(0)
        return digits

    def _count(self, m, adds):
        """Counts the additions of events."""
        event, depthwise = self.events.p, self.layer.depthwise
        population, dense = signals("population dense", self.additions[0].shape())
        m.d.sync += [
            population.eq(sum(~skip for skip in event.skip)),
            dense.eq(event.lanes),
        ]
        for count, unused in ((population, ~depthwise), (dense, depthwise)):
            with m.If(~adds | unused):
                m.d.sync += count.eq(0)
        m.d.sync += [self.additions[0].eq(population), self.additions[1].eq(dense)]
