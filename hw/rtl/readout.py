"""The readout: takes a column's finished sums through firing unit and packer to the bus."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from ..isa.memory_parts import block_rams_scarce
from ..isa.pairs import PAIR
from .column import FETCH, readout_signature
from .firing import FiringUnit
from .lane_address import lane_address
from .memory import TAG_WIDTH, Memory
from .packer import SpikePacker
from .result_counters import ResultCounters
from .signals import signals


__all__ = ["Readout"]


class Readout(wiring.Component):
    """Reads out one column: its firing unit, its packer and its residual memory.

    A job whose sums are finished is read out, highest lanes first, a pair per cycle, as soon as the
    one before is and there is room for the result: two words may be on their way, or the potentials
    of one job. Then nothing ever waits behind the column. Logits, which only column 0 has, leave
    one by one, the odd lane's first, for which a pair takes two cycles. A readout owns the bus
    while it releases sums of a job, and all of them arrive equally late.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the column.

    Members
    -------
    layer : In(config.layer)
        Stable while not idle.
    column : In(readout_signature(config))
    begins, first, offset : In
        A tile, see ``ResultCounters``.
    waits, open : Out(1)
        It was not taken over yet; there are jobs left of the one that was.
    request : Out(1)
        Something waits for the bus.
    slot : In(1)
        The bus may be used now.
    own : Out(1)
        Sums are released: nobody else may begin to.
    neuron_address, neurons : Out, In
        Port of the buffer of neurons, one cycle from address to data.
    spike_write, attention_write : Out(1)
        A word is to be stored in the spike memories or the attention memories, only in the cycle
        after ``slot``.
    word_address, word : Out
        Where, and the bits of all lanes; 0 while none is to be stored.
    sum_write, sum_pair, sum_data : Out
        Stream values of a pair to add to the token sums, the even lane's lowest; 0 while there
        are none.
    logits_room : In(1)
        There is room for the logits of a job.
    logits_valid, logits : Out(1), Out(signed(logit_width))
    idle : Out(1)
        Everything of the tiles that begun is stored.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, config, *, number):
        self.config = config
        self.number = number
        super().__init__({
            "layer": In(config.layer),
            "column": In(readout_signature(config)),
            "begins": In(1),
            "first": In(config.result),
            "offset": In(config.out_address),
            "waits": Out(1),
            "open": Out(1),
            "request": Out(1),
            "slot": In(1),
            "own": Out(1),
            "neuron_address": Out(config.neuron_address),
            "neurons": In(config.neurons),
            "spike_write": Out(1),
            "attention_write": Out(1),
            "word_address": Out(config.out_address),
            "word": Out(config.word_width),
            "sum_write": Out(1),
            "sum_pair": Out(config.out_address),
            "sum_data": Out(PAIR * config.residual_width),
            "logits_room": In(1),
            "logits_valid": Out(1),
            "logits": Out(signed(config.logit_width)),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        # Where the layer's results go, from registers: known long before it matters.
        destination = self.layer.destination
        packs, sums, logits = signals("packs sums logits")
        m.d.sync += [
            packs.eq((destination == Destination.SPIKES) | (destination == Destination.VALUES)),
            sums.eq(destination == Destination.SUMS),
            logits.eq((destination == Destination.LOGITS) & (self.number == 0)),
        ]
        m.submodules.counters = counters = ResultCounters(self.config)
        m.d.comb += [
            counters.layer.eq(self.layer),
            counters.begins.eq(self.begins),
            counters.first.eq(self.first),
            counters.offset.eq(self.offset),
            counters.taken.eq(self.column.begin),
            counters.closes.eq(self.column.closes),
            self.waits.eq(counters.waits),
            self.open.eq(counters.open),
        ]
        room = Signal()
        released = self._release(m, counters.result, room, logits)
        firing, packer = self._fire(m, released)
        follows = self._send(m, firing, packer, sums, logits)
        self._count(m, released, firing, packer, follows, room, packs, sums, logits)
        *_, releasing = released
        m.d.comb += self.idle.eq(
            ~(
                self.begins
                | counters.waits
                | counters.open
                | releasing
                | ~firing.idle
                | follows
                | ~packer.idle
                | self.spike_write
                | self.attention_write
                | self.sum_write
            )
        )
        return m

    def _release(self, m, next_result, room, alone):
        """Begins readouts, and releases lanes pair by pair, or lane by lane where they go alone.

        Returns whether a pair is released, its number, whether its odd lane belongs to the job,
        whether the job ends in this cycle, its result, and whether something is released or sums
        are still to come.
        """
        column = self.column
        reading, settling, empties, whole = signals("reading settling empties whole")
        pair = Signal(self.config.pair)
        # A cycle in which nothing is released, so that both sums of a pair can leave one by one.
        pause, release, advances, last = signals("pause release advances last")
        result = Signal(self.config.result)
        m.d.comb += [
            column.begin.eq(column.ready & ~reading & room),
            release.eq(reading & ~pause),
            advances.eq(reading & (pause | ~alone)),
            last.eq(advances & (pair == 0)),
            column.release.eq(Mux(release, C(1) << pair, 0)),
            # The holding registers will be free when an event comes that leaves now.
            column.empties.eq(empties),
        ]
        begins_at = next_result.last_lane >> 1
        m.d.sync += [
            pause.eq(release & alone),
            settling.eq(reading),
            empties.eq(reading & Mux(alone, Cat(~pause, pair) == FETCH + 1, pair == FETCH + 1)),
        ]
        with m.If(advances):
            m.d.sync += [pair.eq(pair - 1), whole.eq(1), reading.eq(~last)]
        with m.If(column.begin):
            m.d.sync += [
                reading.eq(1),
                result.eq(next_result),
                pair.eq(begins_at),
                whole.eq(next_result.last_lane[0]),
                empties.eq(Mux(alone, Cat(1, begins_at) <= FETCH, begins_at <= FETCH)),
            ]
        return release, pair, whole, last, result, reading | settling

    def _fire(self, m, released):
        """Sends the sums through firing unit and packer."""
        release, pair, whole, _, result, _ = released
        m.submodules.firing = firing = FiringUnit(self.config)
        m.submodules.packer = packer = SpikePacker(self.config)
        m.submodules.residual = residual = Memory(
            width=PAIR * self.config.residual_width,
            depth=self.config.residual_depth,
            scarce=block_rams_scarce(self.config),
            name=f"stream.{self.number}",
        )
        m.d.comb += [
            firing.layer.eq(self.layer),
            firing.release.eq(release),
            firing.pair.eq(pair),
            firing.whole.eq(whole),
            firing.result.eq(result),
            *map(Value.eq, firing.taken, self.column.taken),
            self.neuron_address.eq(firing.neuron_address),
            firing.neurons.eq(self.neurons),
            residual.read.eq(1),
            residual.read_address.eq(firing.stream_read_address),
            Cat(firing.stream).eq(residual.read_data),
            residual.write.eq(firing.stream_write),
            residual.write_address.eq(firing.stream_write_address),
            residual.write_data.eq(Cat(firing.stream_data)),
            residual.tag.eq(self.tag),
            packer.layer.eq(self.layer),
            packer.fired.eq(firing.fired),
            packer.pair.eq(firing.fired_pair),
            packer.result.eq(firing.fired_result),
            *map(Value.eq, packer.value, firing.value),
            *map(Value.eq, packer.count, firing.count),
            *map(Value.eq, packer.code, firing.code),
            packer.slot.eq(self.slot),
        ]
        return firing, packer

    def _send(self, m, firing, packer, sums, logits):
        """Sends words and sums to the bus, and logits outside.

        Returns whether a logit of an even lane leaves.
        """
        # Logits leave alone: that of the odd lane, and in the next cycle that of the even one.
        follows = Signal()
        even = Signal.like(firing.value[0])
        m.d.sync += [follows.eq(firing.fired & logits), even.eq(firing.value[0])]
        sum_write = firing.fired & sums
        m.d.comb += [
            self.logits_valid.eq(follows | (firing.fired & firing.fired_whole & logits)),
            self.logits.eq(Mux(follows, even, firing.value[1])),
        ]
        # What goes to the bus is 0 while it is another's. Clearing comes last, so that it is the
        # registers' reset and takes no logic.
        m.d.sync += [
            self.spike_write.eq(packer.spike_write),
            self.attention_write.eq(packer.attention_write),
            self.word_address.eq(packer.address),
            self.word.eq(packer.word),
            self.sum_write.eq(sum_write),
            self.sum_data.eq(Cat(value[: self.config.residual_width] for value in firing.value)),
            self.sum_pair.eq(
                lane_address(firing.fired_result.out, firing.fired_pair, lanes=self.config.pairs)
            ),
        ]
        with m.If(~packer.spike_write & ~packer.attention_write):
            m.d.sync += [self.word_address.eq(0), self.word.eq(0)]
        with m.If(~sum_write):
            m.d.sync += [self.sum_pair.eq(0), self.sum_data.eq(0)]
        return follows

    def _count(self, m, released, firing, packer, follows, room, packs, sums, logits):
        """Counts the jobs on their way, and knows whether there is room for another one."""
        _, _, _, last, *_ = released
        # Jobs whose readout has begun and whose place is not free again.
        jobs = Signal(range(3))
        ready, begin = self.column.ready, self.column.begin
        done, waits, ends = signals("done waits ends")
        m.d.comb += [
            ends.eq(last & sums),
            done.eq(packer.done | ends | (follows & (firing.fired_pair == 0))),
            room.eq(
                Mux(
                    packs, ~jobs[1], ~jobs.any() & (self.own | ~sums) & (self.logits_room | ~logits)
                )
            ),
            self.request.eq(packer.request | waits),
        ]
        m.d.sync += [
            jobs.eq(jobs + begin - done),
            waits.eq(sums & ready & ~jobs.any() & ~begin & ~self.own),
        ]
        with m.If(self.slot & sums):
            m.d.sync += [self.own.eq(1), waits.eq(0)]
        with m.If(ends):
            m.d.sync += self.own.eq(0)
