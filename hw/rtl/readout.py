"""The readout: takes a column's finished sums through firing unit and packer to the bus."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from ..isa.memory_parts import block_rams_scarce
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

    A job whose sums are finished is read out, highest lane first, one lane per cycle, as soon as
    the one before is and there is room for the result: two words may be on their way, or the
    potentials of one job. Then nothing ever waits behind the column. Sums go over the bus one by
    one; a readout owns it while it releases those of a job, and all sums arrive equally late.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the column, for captures.

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
    neuron_address, neuron : Out, In
        Port of the buffer of neurons, one cycle from address to data.
    spike_write, attention_write : Out(1)
        A word is to be stored in the spike memories or the attention memories, only in the cycle
        after ``slot``.
    word_address, word : Out
        Where, and the bits of all lanes; 0 while none is to be stored.
    sum_write, sum_address, sum_data : Out
        Stream values to add to the token sums; 0 while there is none.
    logits_room : In(1)
        There is room for the logits of a job.
    logits_valid, logits : Out(1), Out(signed(32))
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
            "neuron": In(config.neuron),
            "spike_write": Out(1),
            "attention_write": Out(1),
            "word_address": Out(config.out_address),
            "word": Out(config.word_width),
            "sum_write": Out(1),
            "sum_address": Out(config.out_address),
            "sum_data": Out(signed(config.residual_width)),
            "logits_room": In(1),
            "logits_valid": Out(1),
            "logits": Out(signed(32)),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        # Where the layer's results go, from registers: known long before it matters.
        destination = self.layer.drain
        packs, sums, logits = signals("packs sums logits")
        m.d.sync += [
            packs.eq((destination == Destination.SPIKES) | (destination == Destination.VALUES)),
            sums.eq(destination == Destination.SUMS),
            logits.eq(destination == Destination.LOGITS),
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
        released = self._release(m, counters.result, room)
        firing, packer = self._fire(m, released)
        self._send(m, firing, packer, sums, logits)
        self._count(m, released, firing, packer, room, packs, sums, logits)
        reading, *_, settling = released
        m.d.comb += self.idle.eq(
            ~(
                self.begins
                | counters.waits
                | counters.open
                | reading
                | settling
                | ~firing.idle
                | ~packer.idle
                | self.spike_write
                | self.attention_write
                | self.sum_write
            )
        )
        return m

    def _release(self, m, next_result, room):
        """Begins readouts, and releases lanes one by one.

        Returns whether a lane is released, its number, its job's result, and whether the sum of the
        lane before is still to come.
        """
        column = self.column
        reading, settling, empties = signals("reading settling empties")
        lane = Signal(range(self.config.lanes))
        result = Signal(self.config.result)
        m.d.comb += [
            column.begin.eq(column.ready & ~reading & room),
            column.release.eq(Mux(reading, C(1) << lane, 0)),
            # The holding registers will be free when an event comes that leaves now.
            column.empties.eq(empties),
        ]
        m.d.sync += [empties.eq(reading & (lane == FETCH + 1)), settling.eq(reading)]
        with m.If(reading):
            m.d.sync += [lane.eq(lane - 1), reading.eq(lane != 0)]
        with m.If(column.begin):
            m.d.sync += [
                reading.eq(1),
                result.eq(next_result),
                lane.eq(next_result.last_lane),
                empties.eq(next_result.last_lane <= FETCH),
            ]
        return reading, lane, result, settling

    def _fire(self, m, released):
        """Sends the sums through firing unit and packer."""
        reading, lane, result, _ = released
        m.submodules.firing = firing = FiringUnit(self.config)
        m.submodules.packer = packer = SpikePacker(self.config)
        m.submodules.residual = residual = Memory(
            width=self.config.residual_width,
            depth=self.config.residual_depth,
            scarce=block_rams_scarce(self.config),
            name=f"stream.{self.number}",
        )
        m.d.comb += [
            firing.layer.eq(self.layer),
            firing.release.eq(reading),
            firing.lane.eq(lane),
            firing.last.eq(lane == 0),
            firing.result.eq(result),
            firing.taken.eq(self.column.taken),
            self.neuron_address.eq(firing.neuron_address),
            firing.neuron.eq(self.neuron),
            residual.read.eq(1),
            residual.read_address.eq(firing.stream_read_address),
            firing.stream.eq(residual.read_data),
            residual.write.eq(firing.stream_write),
            residual.write_address.eq(firing.stream_write_address),
            residual.write_data.eq(firing.stream_data),
            residual.tag.eq(self.tag),
            packer.layer.eq(self.layer),
            packer.fired.eq(firing.fired),
            packer.lane.eq(firing.fired_lane),
            packer.last.eq(firing.fired_last),
            packer.result.eq(firing.fired_result),
            packer.value.eq(firing.value),
            packer.count.eq(firing.count),
            packer.code.eq(firing.code),
            packer.slot.eq(self.slot),
        ]
        return firing, packer

    def _send(self, m, firing, packer, sums, logits):
        """Sends words and sums to the bus, and logits outside."""
        sum_write = firing.fired & sums
        m.d.comb += [
            self.logits_valid.eq(firing.fired & logits),
            self.logits.eq(firing.value),
        ]
        # What goes to the bus is 0 while it is another's. Clearing comes last, so that it is the
        # registers' reset and takes no logic.
        m.d.sync += [
            self.spike_write.eq(packer.spike_write),
            self.attention_write.eq(packer.attention_write),
            self.word_address.eq(packer.address),
            self.word.eq(packer.word),
            self.sum_write.eq(sum_write),
            self.sum_data.eq(firing.value),
            self.sum_address.eq(
                lane_address(firing.fired_result.out, firing.fired_lane, lanes=self.config.lanes)
            ),
        ]
        with m.If(~packer.spike_write & ~packer.attention_write):
            m.d.sync += [self.word_address.eq(0), self.word.eq(0)]
        with m.If(~sum_write):
            m.d.sync += [self.sum_address.eq(0), self.sum_data.eq(0)]

    def _count(self, m, released, firing, packer, room, packs, sums, logits):
        """Counts the jobs on their way, and knows whether there is room for another one."""
        reading, lane, *_ = released
        # Jobs whose readout has begun and whose place is not free again.
        jobs = Signal(range(3))
        ready, begin = self.column.ready, self.column.begin
        done, waits, ends = signals("done waits ends")
        m.d.comb += [
            ends.eq(reading & (lane == 0) & sums),
            done.eq(packer.done | ends | (firing.fired & firing.fired_last & logits)),
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
