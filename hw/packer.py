"""The packer: from fired neurons to the words that memories store."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory as RegisterFile
from amaranth.lib.wiring import In, Out

from .records import Drain


__all__ = ["SpikePacker"]


class SpikePacker(wiring.Component):
    """Collects the neurons of a job and stores them as words of one bit per lane.

    Neurons arrive in descending lane order, lane 0 last. Each is a few bits: a spike code or a
    count. They are shifted into registers side by side, one per bit, which are a word once lane 0
    is in. Potentials, which have several digits, wait in a register file until all of a job are
    there; from there they are shifted in digit by digit.

    A word leaves in a cycle that ``slot`` grants, while the neurons of the next job arrive.

    Parameters
    ----------
    capacities : Capacities

    Members
    -------
    layer : In(capacities.layer)
    fired, lane, last, result, value, count, code : In
        A neuron, as ``FiringUnit`` gives it.
    slot : In(1)
        This column may use the bus now.
    spike_write, attention_write : Out(1)
        A word leaves for the spike or the attention memories.
    address : Out(capacities.out_address)
    word : Out(word_width)
        Bit 0 of all lanes lowest: planes, or bits of the attention memory's entries.
    advance : Out(1)
        The neuron is taken now. Low while the word of an earlier one blocks the way.
    hold : In(1)
        Another taker of the neuron is not ready.
    request : Out(1)
        A word waits for a slot.
    idle : Out(1)
    """

    def __init__(self, capacities):
        self.capacities = capacities
        super().__init__({
            "layer": In(capacities.layer),
            "fired": In(1),
            "lane": In(range(capacities.lanes)),
            "last": In(1),
            "result": In(capacities.result),
            "value": In(signed(capacities.result_width)),
            "count": In(capacities.count_width),
            "code": In(capacities.planes),
            "slot": In(1),
            "spike_write": Out(1),
            "attention_write": Out(1),
            "address": Out(capacities.out_address),
            "word": Out(capacities.word_width),
            "advance": Out(1),
            "hold": In(1),
            "request": Out(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        capacities = self.capacities
        n_lanes, digit_width = capacities.lanes, capacities.digit_width
        width = max(capacities.planes, digit_width)
        layer, drain = self.layer, self.layer.drain
        # Known from registers, long before the first neuron of a layer.
        potential, to_attention, stores = Signal(), Signal(), Signal()
        m.d.sync += [
            potential.eq(drain == Drain.KEY_VALUES),
            to_attention.eq((drain == Drain.KEY_VALUES) | (drain == Drain.VALUES)),
            stores.eq((drain != Drain.SUMS) & (drain != Drain.LOGITS)),
        ]

        # A word leaves from one set of registers while the other is filled; only that of one job
        # waits.
        leaving, replaying = Signal(), Signal()
        taken, ends, shifts, closes = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            self.advance.eq(~self.hold & ~(self.fired & stores
                                           & (replaying | (self.last & leaving)))),
            taken.eq(self.fired & stores & self.advance),
            ends.eq(taken & self.last),
        ]

        # Potentials: collected, then replayed from the lane that came first.
        digit, lane, first_lane = Signal(capacities.digit), Signal.like(self.lane), \
            Signal.like(self.lane)
        begun = Signal()
        m.submodules.values = values = RegisterFile(
            shape=unsigned(capacities.digits * digit_width), depth=n_lanes, init=[])
        write, read = values.write_port(), values.read_port(domain="comb")
        m.d.comb += [
            write.en.eq(taken & potential), write.addr.eq(self.lane), write.data.eq(self.value),
            read.addr.eq(lane),
        ]
        top = Mux(begun, first_lane, self.lane)
        with m.If(taken):
            m.d.sync += [begun.eq(~self.last), first_lane.eq(top)]
        with m.If(ends):
            m.d.sync += [replaying.eq(potential), digit.eq(0), lane.eq(top)]
        with m.If(replaying & shifts):
            m.d.sync += lane.eq(lane - 1)
            with m.If(closes):
                m.d.sync += [lane.eq(first_lane), digit.eq(digit + 1),
                             replaying.eq(digit != layer.out_digits)]

        entry = Signal(width)
        with m.If(replaying):
            m.d.comb += [
                entry.eq(read.data.word_select(digit, digit_width)),
                closes.eq(shifts & (lane == 0)), shifts.eq((lane != 0) | ~leaving),
            ]
        with m.Else():
            m.d.comb += [
                entry.eq(Mux(drain == Drain.VALUES, self.count, self.code)),
                closes.eq(ends & ~potential), shifts.eq(taken & ~potential),
            ]

        leaves = Signal()
        m.d.comb += [
            leaves.eq(leaving & self.slot),
            self.spike_write.eq(leaves & ~to_attention),
            self.attention_write.eq(leaves & to_attention),
            self.request.eq(leaving),
            self.idle.eq(~leaving & ~replaying),
        ]
        filling = [Signal(n_lanes, name=f"filling_{bit}") for bit in range(width)]
        for bit in range(width):
            filled = Cat(entry[bit], filling[bit][:-1])
            with m.If(closes):
                m.d.sync += self.word.word_select(bit, n_lanes).eq(filled)
            with m.If(shifts):
                m.d.sync += filling[bit].eq(filled)
            # Clearing comes last, so that it is the registers' reset and takes no logic.
            with m.If(closes):
                m.d.sync += filling[bit].eq(0)
        with m.If(leaves):
            m.d.sync += [leaving.eq(0), self.address.eq(self.address + layer.out_stride)]
        with m.If(closes):
            m.d.sync += leaving.eq(1)
        with m.If(ends):
            m.d.sync += self.address.eq(self.result.out)

        return m
