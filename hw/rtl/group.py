"""The group: columns that share one firing unit, one packer and one stream memory."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from .column import FETCH, Column
from .firing import FiringUnit
from .memory import TAG_WIDTH, Memory
from .packer import SpikePacker
from .signals import signals


__all__ = ["Group"]


class Group(wiring.Component):
    """Computes jobs: its columns add them up, and are drained one after the other.

    A column that has finished a job is drained, highest lane first, one lane per cycle, as soon as
    no other one is and there is room for the result: two words may be on their way, or the
    potentials of one job. Then nothing ever waits behind the columns. Those that are ready take
    turns. Sums go over the bus one by one; a group owns it while it releases those of a job,
    and every group's sums arrive equally late.

    Parameters
    ----------
    config : CoreConfig
    index : int
        Number of the group, for captures.

    Members
    -------
    layer : In(config.layer)
        Stable while not idle.
    restart : In(1)
        A layer begins.
    job : In(config.job)
    job_valid, job_ready : In(shared), Out(shared)
        Of each column; ``shared`` is their number.
    request : Out(1)
        Something waits for the bus.
    slot : In(1)
        The group may use the bus now.
    own : Out(1)
        The group releases sums: nobody else may begin to.
    source_address, spike_read, pixel_read : Out, In, In
        Of each column: port of the spike and the pixel memory, one cycle from address to data.
    weight_read, weight_address, weights : Out, Out, In
        Of each column: port of the weight memory, one enabled cycle from address to data.
    weight_port_taken : In(shared)
        The port serves a write in this cycle.
    entry_write, entry_address, entry_data : In
        Writes of the attention memory, see ``Column``.
    neuron_address, neuron : Out, In
        Port of the neuron memory, one cycle from address to data.
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
    additions : Out(range(shared * lanes + 1))
        Additions that were started two cycles before.
    using : Out(2)
        Halves of the double buffer that accepted jobs still need.
    idle : Out(1)
        Everything that was accepted is stored.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, config, *, index):
        self.config = config
        self.index = index
        lanes, shared = config.lanes, config.columns_per_group
        super().__init__({
            "layer": In(config.layer),
            "restart": In(1),
            "job": In(config.job),
            "job_valid": In(shared),
            "job_ready": Out(shared),
            "request": Out(1),
            "slot": In(1),
            "own": Out(1),
            "source_address": Out(config.source_address).array(shared),
            "spike_read": In(config.spike_width).array(shared),
            "pixel_read": In(config.pixel_width).array(shared),
            "weight_read": Out(shared),
            "weight_address": Out(config.row_address).array(shared),
            "weights": In(lanes * config.weight_width).array(shared),
            "weight_port_taken": In(shared),
            "entry_write": In(1),
            "entry_address": In(config.attention_address),
            "entry_data": In(lanes * config.digit_width),
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
            "additions": Out(range(shared * lanes + 1)),
            "using": Out(2),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        columns = []
        for index in range(self.config.columns_per_group):
            # All attention memories hold the same rows, so that one log is enough.
            m.submodules[f"column_{index}"] = column = Column(
                self.config, log=self.index == index == 0
            )
            columns.append(column)
            m.d.comb += [
                column.layer.eq(self.layer),
                column.job.payload.eq(self.job),
                column.job.valid.eq(self.job_valid[index]),
                self.job_ready[index].eq(column.job.ready),
                self.source_address[index].eq(column.source_address),
                column.spike_read.eq(self.spike_read[index]),
                column.pixel_read.eq(self.pixel_read[index]),
                self.weight_read[index].eq(column.weight_read),
                self.weight_address[index].eq(column.weight_address),
                column.weights.eq(self.weights[index]),
                column.weight_port_taken.eq(self.weight_port_taken[index]),
                column.entry_write.eq(self.entry_write),
                column.entry_address.eq(self.entry_address),
                column.entry_data.eq(self.entry_data),
                column.tag.eq(self.tag),
            ]
        m.d.comb += self.additions.eq(sum(column.additions for column in columns))

        room = Signal()
        # Where the layer's results go, from registers: known long before it matters.
        drain = self.layer.drain
        packs, sums, logits = signals("packs sums logits")
        m.d.sync += [
            packs.eq((drain == Destination.SPIKES) | (drain == Destination.VALUES)),
            sums.eq(drain == Destination.SUMS),
            logits.eq(drain == Destination.LOGITS),
        ]
        drained = self._drain(m, columns, room)
        firing, packer = self._fire(m, drained)
        self._send(m, firing, packer, sums, logits)
        self._count(m, columns, drained, firing, packer, room, packs, sums, logits)
        self._idle(m, columns, drained, firing, packer)
        return m

    def _drain(self, m, columns, room):
        """Chooses the column that is drained, and releases its lanes one by one.

        Returns whether a lane is released, its number, its job's result, the sum of the lane
        before, and whether such a sum is still to come.
        """
        draining = Signal()
        lane = Signal(range(self.config.lanes))
        chosen = Signal(range(max(2, len(columns))))
        result = Signal(self.config.result)
        # The shadows that are drained will be free when an event comes that leaves now.
        empties = Signal()
        m.d.sync += empties.eq(draining & (lane == FETCH + 1))

        # The column behind the chosen one comes first.
        ready = Cat(column.ready for column in columns)
        begin = Signal(len(columns))
        with m.Switch(chosen):
            for index in range(len(columns)):
                with m.Case(index):
                    earlier = 0
                    for offset in range(1, len(columns) + 1):
                        number = (index + offset) % len(columns)
                        m.d.comb += begin[number].eq(ready[number] & ~earlier)
                        earlier = earlier | ready[number]
        with m.If(draining):
            m.d.sync += [lane.eq(lane - 1), draining.eq(lane != 0)]
        for index, column in enumerate(columns):
            m.d.comb += [
                column.begin.eq(begin[index] & ~draining & room),
                column.release.eq(Mux(draining & (chosen == index), C(1) << lane, 0)),
                column.empties.eq(empties & (chosen == index)),
            ]
            with m.If(column.begin):
                m.d.sync += [
                    draining.eq(1),
                    chosen.eq(index),
                    result.eq(column.result),
                    lane.eq(column.result.last_lane),
                    empties.eq(column.result.last_lane <= FETCH),
                ]

        with m.If(self.restart):
            m.d.sync += chosen.eq(0)

        # A sum is taken in the cycle after its lane was released.
        settling = Signal()
        taker = Signal.like(chosen)
        m.d.sync += [settling.eq(draining), taker.eq(chosen)]
        taken = Signal(signed(self.config.accumulator_width))
        with m.Switch(taker):
            for index, column in enumerate(columns):
                with m.Case(index):
                    m.d.comb += taken.eq(column.taken)
        return draining, lane, result, taken, settling

    def _fire(self, m, drained):
        """Sends the sums through firing unit and packer."""
        draining, lane, result, taken, _ = drained
        m.submodules.firing = firing = FiringUnit(self.config)
        m.submodules.packer = packer = SpikePacker(self.config)
        m.submodules.stream = residual = Memory(
            width=self.config.residual_width,
            depth=self.config.residual_depth,
            name=f"stream.{self.index}",
        )
        m.d.comb += [
            firing.layer.eq(self.layer),
            firing.release.eq(draining),
            firing.lane.eq(lane),
            firing.last.eq(lane == 0),
            firing.result.eq(result),
            firing.taken.eq(taken),
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
            self.sum_address.eq(firing.fired_result.out + firing.fired_lane),
        ]
        with m.If(~packer.spike_write & ~packer.attention_write):
            m.d.sync += [self.word_address.eq(0), self.word.eq(0)]
        with m.If(~sum_write):
            m.d.sync += [self.sum_address.eq(0), self.sum_data.eq(0)]

    def _count(self, m, columns, drained, firing, packer, room, packs, sums, logits):
        """Counts the jobs on their way, and knows whether there is room for another one."""
        draining, lane, *_ = drained
        # Jobs whose drain has begun and whose place is not free again.
        jobs = Signal(range(3))
        begins = Cat(column.begin for column in columns).any()
        done, waits = signals("done waits")
        released = draining & (lane == 0) & sums
        m.d.comb += [
            done.eq(packer.done | released | (firing.fired & firing.fired_last & logits)),
            room.eq(
                Mux(
                    packs, ~jobs[1], ~jobs.any() & (self.own | ~sums) & (self.logits_room | ~logits)
                )
            ),
            self.request.eq(packer.request | waits),
        ]
        m.d.sync += [
            jobs.eq(jobs + begins - done),
            waits.eq(
                sums
                & Cat(column.ready for column in columns).any()
                & ~jobs.any()
                & ~begins
                & ~self.own
            ),
        ]
        with m.If(self.slot & sums):
            m.d.sync += [self.own.eq(1), waits.eq(0)]
        with m.If(released):
            m.d.sync += self.own.eq(0)

    def _idle(self, m, columns, drained, firing, packer):
        """Knows whether everything is stored, and until when halves of the buffer are needed."""
        draining, _, result, _, settling = drained
        emptying = (
            draining
            | settling
            | ~firing.idle
            | ~packer.idle
            | self.spike_write
            | self.attention_write
            | self.sum_write
        )
        m.d.comb += self.idle.eq(Cat(column.idle for column in columns).all() & ~emptying)
        if self.config.external:
            # Of all that is on its way to the memories, the latest job is the last to need a half;
            # the one before it has read its neurons' records.
            half = Mux(emptying, C(1, 2) << result.half, 0)
            for bit in range(2):
                m.d.comb += self.using[bit].eq(
                    Cat(*(column.using[bit] for column in columns), half[bit]).any()
                )
