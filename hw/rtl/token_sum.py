"""The token sum: a stream summed over all positions, and the neuron in front of the head."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.memory_parts import block_rams_scarce
from ..isa.pairs import PAIR
from ..isa.program_word import PROGRAM_WIDTH
from .choose_add import choose_add, load_add
from .memory import TAG_WIDTH, Memory
from .neuron import encoded
from .signals import signals


__all__ = ["TokenSum"]


class TokenSum(wiring.Component):
    """Adds stream values per channel; then fires each channel and stores the spike words.

    One value is added per cycle, also if it follows one of the same channel. Firing compares one
    threshold per cycle, ``D + 3`` cycles a channel. A sum that has fired is 0 again, so that the
    next stream can be summed.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    clear : In(1)
        Starts setting all sums to zero (``sum_depth`` cycles); no value may come meanwhile.
    add : In(1)
    channel : In(range(sum_depth))
    value : In(signed(stream_width))
    threshold : In(signed(PROGRAM_WIDTH))
    threshold_valid : In(1)
        A threshold, 1st to D-th.
    start : In(1)
        Fires ``words`` words of channels.
    words : In(16)
    out : In(config.out_address)
        Address of the first spike word.
    write : Out(1)
    address : Out(config.spike_address)
    data : Out(spike_width)
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
            "add": In(1),
            "channel": In(range(config.sum_depth)),
            "value": In(signed(config.residual_width)),
            "threshold": In(signed(PROGRAM_WIDTH)),
            "threshold_valid": In(1),
            "start": In(1),
            "words": In(16),
            "out": In(config.out_address),
            "write": Out(1),
            "address": Out(config.spike_address),
            "data": Out(config.spike_width),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.sums = sums = Memory(
            width=config.sum_width,
            depth=config.sum_depth,
            scarce=block_rams_scarce(config),
            name="sums",
        )
        m.d.comb += [sums.read.eq(1), sums.tag.eq(self.tag)]
        idle, channel, read, zeros, writes = self._add(m, sums)
        threshold, rotate = self._circulate(m)

        index = Signal(range(config.sum_depth + config.lanes))
        words = Signal(range(-(-config.sum_depth // config.lanes) + 1))
        lane = Signal(range(config.lanes))
        step = Signal(range(config.max_count + 1))
        reached = Signal(config.max_count)
        next_address = Signal.like(self.address)
        m.d.comb += sums.read_address.eq(self.channel)
        fired = self._encode(m, reached, lane)
        m.d.comb += writes
        with m.FSM() as fsm:
            m.submodules.next_address = load_add(
                load=fsm.ongoing("IDLE"),
                value=self.out[: len(next_address)],
                base=self.address,
                addend=C(1, len(next_address)),
                total=next_address,
            )
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(idle)
                m.d.sync += [
                    index.eq(0),
                    lane.eq(0),
                    step.eq(0),
                    words.eq(self.words),
                    self.address.eq(next_address),
                ]
                with m.If(self.clear):
                    m.d.sync += [channel.eq(0), *zeros]
                    m.next = "CLEAR"
                with m.Elif(self.start):
                    m.next = "READ"
            with m.State("CLEAR"):
                m.d.comb += sums.write.eq(1)
                m.d.sync += [channel.eq(channel + 1), *zeros]
                with m.If(channel == config.sum_depth - 1):
                    m.next = "IDLE"
            for state, following in (("READ", "WAIT"), ("WAIT", "COMPARE")):
                with m.State(state):
                    m.d.comb += sums.read_address.eq(index)
                    m.next = following
            with m.State("COMPARE"):
                m.d.comb += [rotate.eq(1), sums.read_address.eq(index)]
                m.d.sync += [
                    reached.eq(Cat(reached[1:], read >= threshold.as_signed())),
                    step.eq(step + 1),
                ]
                with m.If(step == config.max_count - 1):
                    m.d.sync += [channel.eq(index), *zeros]
                    m.next = "STORE"
            with m.State("STORE"):
                m.d.comb += sums.write.eq(1)
                m.d.sync += [*fired, index.eq(index + 1), lane.eq(lane + 1), step.eq(0)]
                m.next = "READ"
                with m.If(lane == config.lanes - 1):
                    m.d.sync += [lane.eq(0), words.eq(words - 1)]
                    m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.write.eq(1)
                m.d.sync += self.address.eq(next_address)
                m.next = "READ"
                with m.If(words == 0):
                    m.next = "IDLE"
        return m

    def _add(self, m, sums):
        """Adds values: asks, reads, then adds and writes.

        Returns whether none is on its way, the channel whose total is written, the sum that was
        read, statements that make the total 0, since clearing then takes no choice in front of the
        memory, and those that write.

        The memory does not show the last two sums yet. If they are of this channel, the latest is
        taken where it is written, the one before in place of the memory's answer.
        """
        width = signed(self.config.sum_width)
        asked, adding = signals("asked adding")
        asked_channel, channel = signals("asked_channel channel", self.channel.shape())
        written_channel = Signal.like(self.channel)
        asked_value, value = signals("asked_value value", self.value.shape())
        read, total, written, addend = signals("read total written addend", width)
        m.d.comb += addend.eq(value)
        forward = Signal()
        m.d.sync += [
            asked.eq(self.add),
            asked_channel.eq(self.channel),
            asked_value.eq(self.value),
            adding.eq(asked),
            channel.eq(asked_channel),
            value.eq(asked_value),
            read.eq(Mux(asked & (written_channel == asked_channel), written, sums.read_data)),
            forward.eq(adding & (channel == asked_channel)),
        ]
        with m.If(adding):
            m.d.sync += [written.eq(total), written_channel.eq(channel)]
        m.submodules.add = choose_add(
            choose=forward, base=read, other=written, addend=addend, total=total
        )
        zeros = [value.eq(0), written.eq(0), forward.eq(1)]
        writes = [
            sums.write.eq(adding),
            sums.write_address.eq(channel),
            sums.write_data.eq(total),
        ]
        return ~asked & ~adding, channel, read, zeros, writes

    def _circulate(self, m):
        """Thresholds, which circulate so that the ladder needs one comparator.

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

    def _encode(self, m, reached, lane):
        """Statements that shift a lane's spike code into the word."""
        config = self.config
        codes = [Signal(config.lanes, name=f"codes_{plane}") for plane in range(config.planes)]
        count = Signal(config.count_width)
        m.d.comb += count.eq(sum(reached[j] for j in range(config.max_count)))
        even, odd = (encoded(config, count, half) for half in range(PAIR))
        code = Mux(lane[0], odd, even)
        m.d.comb += self.data.eq(Cat(codes))
        return [word.eq(Cat(word[1:], code[plane])) for plane, word in enumerate(codes)]
