"""The group: columns that share one firing unit, one packer and one stream memory."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .column import Column
from .firing import FiringUnit
from .memory import TAG_WIDTH, Memory
from .packer import SpikePacker
from .records import Drain


__all__ = ["Group"]


class Group(wiring.Component):
    """Computes jobs: its columns add them up, and are drained one after the other.

    A column that has finished a job is drained, highest lane first, one lane per cycle, as soon as
    no other one is; columns that wait take turns.

    Parameters
    ----------
    capacities : Capacities
    index : int
        Number of the group, for captures.

    Members
    -------
    layer : In(capacities.layer)
        Stable while not idle.
    restart : In(1)
        A layer begins.
    job : In(capacities.job)
    job_valid, job_ready : In(shared), Out(shared)
        Of each column; ``shared`` is their number.
    request : Out(1)
        Something waits for the bus.
    slot : In(1)
        The group may use the bus now.
    source_address, spike_read, pixel_read : Out, In, In
        Of each column: port of the spike and the pixel memory, one cycle from address to data.
    weight_read, weight_address, weights : Out, Out, In
        Of each column: port of the weight memory, one enabled cycle from address to data.
    weight_port_taken : In(shared)
        The port serves a write in this cycle.
    entry_write, entry_address, entry_data : In
        Writes of the attention memory, see ``Column``.
    neuron_read, neuron_address, neuron : Out, Out, In
        Port of the neuron memory, one enabled cycle from address to data.
    spike_write, attention_write : Out(1)
        A word is to be stored in the spike memories or the attention memories, only while ``slot``.
    word_address, word : Out
        Where, and the bits of all lanes.
    sum_write, sum_address, sum_data : Out
        Stream values to add to the token sums, only while ``slot``.
    logits : Out(stream.Signature(signed(32)))
    additions : Out(range(shared * lanes + 1))
        Additions that were started in the cycle before.
    using : Out(2)
        Halves of the double buffer that accepted jobs still need.
    idle : Out(1)
        Everything that was accepted is stored.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, capacities, *, index):
        self.capacities = capacities
        self.index = index
        lanes, shared = capacities.lanes, capacities.shared
        super().__init__({
            "layer": In(capacities.layer),
            "restart": In(1),
            "job": In(capacities.job),
            "job_valid": In(shared),
            "job_ready": Out(shared),
            "request": Out(1),
            "slot": In(1),
            "source_address": Out(capacities.source_address).array(shared),
            "spike_read": In(capacities.spike_width).array(shared),
            "pixel_read": In(capacities.pixel_width).array(shared),
            "weight_read": Out(shared),
            "weight_address": Out(capacities.row_address).array(shared),
            "weights": In(lanes * capacities.weight_width).array(shared),
            "weight_port_taken": In(shared),
            "entry_write": In(1),
            "entry_address": In(capacities.attention_address),
            "entry_data": In(lanes * capacities.digit_width),
            "neuron_read": Out(1),
            "neuron_address": Out(capacities.neuron_address),
            "neuron": In(capacities.neuron),
            "spike_write": Out(1),
            "attention_write": Out(1),
            "word_address": Out(capacities.out_address),
            "word": Out(capacities.word_width),
            "sum_write": Out(1),
            "sum_address": Out(capacities.out_address),
            "sum_data": Out(signed(capacities.stream_width)),
            "logits": Out(stream.Signature(signed(32))),
            "additions": Out(range(shared * lanes + 1)),
            "using": Out(2),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        columns = []
        for index in range(self.capacities.shared):
            # All attention memories hold the same rows, so that one log is enough.
            m.submodules[f"column_{index}"] = column = Column(
                self.capacities, log=self.index == index == 0)
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

        advance = Signal()
        drained = self._drain(m, columns, advance)
        self._fire(m, columns, drained, advance)
        return m

    def _drain(self, m, columns, advance):
        """Chooses the column that is drained, and releases its lanes one by one.

        Returns whether a lane is released, its number, its job's result, its sum of the cycle
        before, and whether such a sum is still to come.
        """
        draining, lane = Signal(), Signal(range(self.capacities.lanes))
        chosen = Signal(range(max(2, len(columns))))
        result = Signal(self.capacities.result)
        finish = draining & (lane == 0)

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
        with m.If(draining & advance):
            m.d.sync += [lane.eq(lane - 1), draining.eq(lane != 0)]
        # A column alone is not ready while it is drained, so that it need not be looked at.
        free = Signal()
        m.d.comb += free.eq(~draining | (finish & advance if len(columns) > 1 else 0))
        for index, column in enumerate(columns):
            m.d.comb += [
                column.begin.eq(begin[index] & free),
                column.release.eq(Mux(draining & (chosen == index), C(1) << lane, 0)),
                column.finish.eq(finish & (chosen == index)),
                column.advance.eq(advance),
            ]
            with m.If(column.begin):
                m.d.sync += [draining.eq(1), chosen.eq(index), result.eq(column.result),
                             lane.eq(column.result.last_lane)]

        with m.If(self.restart):
            m.d.sync += chosen.eq(0)

        # A sum is taken in the cycle after its lane was released, or later if the firing unit is
        # held.
        settling, taker = Signal(), Signal.like(chosen)
        with m.If(advance):
            m.d.sync += [settling.eq(draining), taker.eq(chosen)]
        taken = Signal(signed(self.capacities.accumulator_width))
        with m.Switch(taker):
            for index, column in enumerate(columns):
                with m.Case(index):
                    m.d.comb += taken.eq(column.taken)
        return draining, lane, result, taken, settling

    def _fire(self, m, columns, drained, advance):
        """Sends the sums through firing unit and packer."""
        draining, lane, result, taken, settling = drained
        m.submodules.firing = firing = FiringUnit(self.capacities)
        m.submodules.packer = packer = SpikePacker(self.capacities)
        m.submodules.stream = residual = Memory(
            width=self.capacities.stream_width, depth=self.capacities.stream_depth,
            name=f"stream.{self.index}")
        m.d.comb += [
            advance.eq(packer.advance),
            firing.layer.eq(self.layer),
            firing.advance.eq(advance),
            firing.release.eq(draining),
            firing.lane.eq(lane),
            firing.last.eq(lane == 0),
            firing.result.eq(result),
            firing.taken.eq(taken),
            self.neuron_read.eq(advance),
            self.neuron_address.eq(firing.neuron_address),
            firing.neuron.eq(self.neuron),
            residual.read.eq(advance),
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
            self.spike_write.eq(packer.spike_write),
            self.attention_write.eq(packer.attention_write),
            self.word_address.eq(packer.address),
            self.word.eq(packer.word),
        ]

        # A sum waits for the bus in a register, so that whether the firing unit moves does not
        # follow from who has the bus.
        sums, logits, summing = Signal(), Signal(), Signal()
        m.d.sync += [sums.eq(self.layer.drain == Drain.SUMS),
                     logits.eq(self.layer.drain == Drain.LOGITS)]
        with m.If(firing.fired & sums & ~summing):
            m.d.sync += [summing.eq(1), self.sum_data.eq(firing.value),
                         self.sum_address.eq(firing.fired_result.out + firing.fired_lane)]
        with m.Elif(self.slot):
            m.d.sync += summing.eq(0)
        m.d.comb += [
            self.request.eq(packer.request | summing),
            packer.hold.eq(firing.fired & ((sums & summing) | (logits & ~self.logits.ready))),
            self.sum_write.eq(summing & self.slot),
            self.logits.valid.eq(firing.fired & logits),
            self.logits.payload.eq(firing.value),
        ]

        emptying = draining | settling | summing | ~firing.idle | ~packer.idle
        m.d.comb += self.idle.eq(Cat(column.idle for column in columns).all() & ~emptying)
        if self.capacities.external:
            # Of all that is on its way to the memories, the latest job is the last to need a half;
            # the one before it has read its neurons' records.
            half = Mux(emptying, C(1, 2) << result.half, 0)
            for bit in range(2):
                m.d.comb += self.using[bit].eq(
                    Cat(*(column.using[bit] for column in columns), half[bit]).any())
