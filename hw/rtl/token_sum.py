"""The token sum: a stream summed over all positions, and the neuron in front of the head."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.memory_parts import block_rams_scarce
from ..isa.pairs import PAIR
from ..isa.program_word import PROGRAM_WIDTH
from .bus import sums_signature
from .choose_add import load_add
from .memory import TAG_WIDTH, Memory, placed_layout
from .neuron import encoded
from .signals import signals


__all__ = ["TokenSum"]


class TokenSum(wiring.Component):
    """Adds stream values per channel; then fires each channel and stores the spike words.

    The values of a pair of lanes are added per cycle, to the same pair three cycles later at the
    earliest. Firing compares one threshold of a pair per cycle, ``D + 3`` cycles a pair. A sum that
    has fired is 0 again, so that the next stream can be summed.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    clear : In(1)
        Starts setting all sums to zero (``sum_depth`` cycles); no value may come meanwhile.
    add : In(sums_signature(config))
    threshold : In(signed(PROGRAM_WIDTH))
    threshold_valid : In(1)
        A threshold, 1st to D-th.
    start : In(1)
        Fires ``words`` words of channels.
    words : In(16)
    out : In(config.out_address)
        Address of the first spike word.
    spikes : Out(placed_layout(spike_width, spike_depth))
        The word, for the spike memories.
    idle : Out(1)
    tag : In(TAG_WIDTH)
    """

    def __init__(self, config):
        if config.sum_width >= PROGRAM_WIDTH:
            raise ValueError(
                f"Token sums must fit {PROGRAM_WIDTH - 1} bits, not {config.sum_width!r}"
            )
        self.config = config
        super().__init__({
            "clear": In(1),
            "add": In(sums_signature(config)),
            "threshold": In(signed(PROGRAM_WIDTH)),
            "threshold_valid": In(1),
            "start": In(1),
            "words": In(16),
            "out": In(config.out_address),
            "spikes": Out(placed_layout(config.spike_width, config.spike_depth)),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.sums = sums = Memory(
            width=PAIR * config.sum_width,
            depth=config.sum_depth,
            scarce=block_rams_scarce(config),
            name="sums",
        )
        m.d.comb += [sums.reader.read.eq(1), sums.tag.eq(self.tag)]
        idle, written, read, zeros = self._add(m, sums)
        threshold, rotate = self._circulate(m)

        index = Signal.like(self.add.pair)
        words = Signal(range(-(-config.sum_depth // config.pairs) + 1))
        pair = Signal(range(max(2, config.pairs)))
        step = Signal(range(config.max_count + 1))
        reached = [Signal(config.max_count, name=f"reached_{half}") for half in range(PAIR)]
        address = self.spikes.address
        next_address = Signal.like(address)
        m.d.comb += sums.reader.address.eq(self.add.pair)
        fired = self._encode(m, reached)
        with m.FSM() as fsm:
            m.submodules.next_address = load_add(
                load=fsm.ongoing("IDLE"),
                value=self.out[: len(next_address)],
                base=address,
                addend=C(1, len(next_address)),
                total=next_address,
            )
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(idle)
                m.d.sync += [
                    index.eq(0),
                    pair.eq(0),
                    step.eq(0),
                    words.eq(self.words),
                    address.eq(next_address),
                ]
                with m.If(self.clear):
                    m.d.sync += [written.eq(0), *zeros]
                    m.next = "CLEAR"
                with m.Elif(self.start):
                    m.next = "READ"
            with m.State("CLEAR"):
                m.d.comb += sums.write.valid.eq(1)
                m.d.sync += [written.eq(written + 1), *zeros]
                with m.If(written == config.sum_depth - 1):
                    m.next = "IDLE"
            for state, following in (("READ", "WAIT"), ("WAIT", "COMPARE")):
                with m.State(state):
                    m.d.comb += sums.reader.address.eq(index)
                    m.next = following
            with m.State("COMPARE"):
                m.d.comb += [rotate.eq(1), sums.reader.address.eq(index)]
                m.d.sync += step.eq(step + 1)
                m.d.sync += [
                    ones.eq(Cat(ones[1:], total >= threshold.as_signed()))
                    for ones, total in zip(reached, read, strict=True)
                ]
                with m.If(step == config.max_count - 1):
                    m.d.sync += [written.eq(index), *zeros]
                    m.next = "STORE"
            with m.State("STORE"):
                m.d.comb += sums.write.valid.eq(1)
                m.d.sync += [*fired, index.eq(index + 1), pair.eq(pair + 1), step.eq(0)]
                m.next = "READ"
                with m.If(pair == config.pairs - 1):
                    m.d.sync += [pair.eq(0), words.eq(words - 1)]
                    m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.spikes.valid.eq(1)
                m.d.sync += address.eq(next_address)
                m.next = "READ"
                with m.If(words == 0):
                    m.next = "IDLE"
        return m

    def _add(self, m, sums):
        """Adds values: asks, reads, then adds and writes.

        Returns whether none is on its way, the pair whose totals are written, the sums that were
        read, and statements that make the totals 0, since clearing then takes no choice in front of
        the memory.
        """
        asked, adding = signals("asked adding")
        asked_pair, written = signals("asked_pair written", self.add.pair.shape())
        width = self.config.sum_width
        totals, reads, zeros = [], [], []
        for half, new in enumerate(self.add.values):
            asked_value, value = signals(f"asked_value_{half} value_{half}", new.shape())
            read = Signal(signed(width), name=f"read_{half}")
            total = Signal(width, name=f"total_{half}")
            m.d.sync += [
                asked_value.eq(new),
                value.eq(asked_value),
                read.eq(sums.reader.data.word_select(half, width)),
            ]
            m.d.comb += total.eq(read + value)
            totals.append(total)
            reads.append(read)
            zeros += [value.eq(0), read.eq(0)]
        m.d.sync += [
            asked.eq(self.add.valid),
            asked_pair.eq(self.add.pair),
            adding.eq(asked),
            written.eq(asked_pair),
        ]
        m.d.comb += [
            sums.write.valid.eq(adding),
            sums.write.address.eq(written),
            sums.write.data.eq(Cat(totals)),
        ]
        return ~asked & ~adding, written, reads, zeros

    def _circulate(self, m):
        """Thresholds, which circulate so that the ladder needs one comparator for each half.

        Returns the one that is compared, and what goes on to the next.
        """
        width = self.config.sum_width
        ladder = Signal(self.config.max_count * width)
        rotate = Signal()
        with m.If(self.threshold_valid | rotate):
            m.d.sync += ladder.eq(
                Cat(
                    ladder[width:],
                    Mux(self.threshold_valid, self.threshold[:width], ladder[:width]),
                )
            )
        return ladder[:width], rotate

    def _encode(self, m, reached):
        """Statements that shift a pair's spike codes into the word."""
        config = self.config
        codes = []
        for half, ones in enumerate(reached):
            count = Signal(config.count_width, name=f"count_{half}")
            m.d.comb += count.eq(sum(ones[j] for j in range(config.max_count)))
            codes.append(encoded(config, count, half))
        words = [
            Signal(PAIR * config.pairs, name=f"codes_{plane}") for plane in range(config.planes)
        ]
        m.d.comb += self.spikes.data.eq(Cat(word[: config.lanes] for word in words))
        return [
            word.eq(Cat(word[PAIR:], (code[plane] for code in codes)))
            for plane, word in enumerate(words)
        ]
