"""The packer: from fired neurons to the words that memories store."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory as RegisterFile
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from .records import Drain


__all__ = ["SpikePacker"]


class SpikePacker(wiring.Component):
    """Collects the neurons of a job and stores them as words of one bit per lane.

    Neurons arrive in descending lane order, lane 0 last. Each is a few bits: a spike code, a count,
    or a digit of a potential. They are written into small register files side by side, one per
    lane, and read across them, bit by bit. Of a potential one digit is written per cycle.

    Words leave in the cycles that ``slot`` grants, while the neurons of the next job arrive.

    Parameters
    ----------
    capacities : Capacities

    Members
    -------
    layer : In(capacities.layer)
    fired, lane, result, value, count, code : In
        A neuron, as ``FiringUnit`` gives it.
    slot : In(1)
        This column may use the bus now.
    spike_write, attention_write : Out(1)
        A word leaves for the spike or the attention memories.
    address : Out(capacities.out_address)
    bit : Out(capacities.digit_bit)
        Bit of the entries of the attention memory that the word holds.
    word : Out(lanes)
    advance : Out(1)
        The neuron is taken now. Low while words of an earlier one block the way.
    hold : In(1)
        Another taker of the neuron is not ready.
    idle : Out(1)
    """

    def __init__(self, capacities):
        self.capacities = capacities
        super().__init__({
            "layer": In(capacities.layer),
            "fired": In(1),
            "lane": In(range(capacities.lanes)),
            "result": In(capacities.result),
            "value": In(signed(capacities.result_width)),
            "count": In(capacities.count_width),
            "code": In(capacities.planes),
            "slot": In(1),
            "spike_write": Out(1),
            "attention_write": Out(1),
            "address": Out(capacities.out_address),
            "bit": Out(capacities.digit_bit),
            "word": Out(capacities.lanes),
            "advance": Out(1),
            "hold": In(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        capacities = self.capacities
        n_lanes, digit_width = capacities.lanes, capacities.digit_width
        width = max(capacities.planes, digit_width)
        layer, drain = self.layer, self.layer.drain
        potential = drain == Drain.KEY_VALUES
        to_attention = potential | (drain == Drain.VALUES)

        # The job that arrives and the one that leaves take turns in the lower and the upper half of
        # the register files.
        digit = Signal(capacities.digit)
        half = Signal()
        leaving = Signal()
        reading = Signal(len(digit) + 1)
        last_digit, complete, blocked, stored = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            last_digit.eq(~potential | (digit == layer.out_digits)),
            complete.eq(last_digit & (self.lane == 0)),
            # Only the words of one job wait.
            blocked.eq(leaving & complete),
            self.advance.eq(~self.hold & (~self.fired | (last_digit & ~blocked))),
            stored.eq(self.fired & (drain != Drain.SUMS) & (drain != Drain.LOGITS)
                      & ~self.hold & ~blocked),
        ]

        entry = Signal(width)
        with m.If(potential):
            m.d.comb += entry.eq(self.value.as_unsigned().word_select(digit, digit_width))
        with m.Elif(drain == Drain.VALUES):
            m.d.comb += entry.eq(self.count)
        with m.Else():
            m.d.comb += entry.eq(self.code)

        present, mask = Signal(n_lanes), Signal(n_lanes)
        plane = Signal(bits_for(width - 1))
        for index in range(n_lanes):
            here = stored & (self.lane == index)
            m.submodules[f"file_{index}"] = file = RegisterFile(
                shape=unsigned(width), depth=1 << len(reading), init=[])
            write, read = file.write_port(), file.read_port(domain="comb")
            m.d.comb += [
                write.addr.eq(Cat(digit, half)), write.data.eq(entry), write.en.eq(here),
                read.addr.eq(reading),
                self.word[index].eq(mask[index] & read.data.bit_select(plane, 1)),
            ]
            with m.If(here):
                m.d.sync += present[index].eq(1)
            with m.If(stored & complete):
                m.d.sync += mask[index].eq(present[index] | (index == 0))

        last_plane = plane == Mux(to_attention, digit_width - 1, capacities.planes - 1)
        leaves = Signal()
        m.d.comb += [
            leaves.eq(leaving & self.slot),
            self.spike_write.eq(leaves & ~to_attention),
            self.attention_write.eq(leaves & to_attention),
            self.bit.eq(plane),
            self.idle.eq(~leaving),
        ]
        with m.If(leaves):
            m.d.sync += plane.eq(plane + 1)
            with m.If(~to_attention | last_plane):
                m.d.sync += self.address.eq(self.address + layer.out_stride)
            with m.If(last_plane):
                m.d.sync += [plane.eq(0), leaving.eq(0)]
                with m.If(potential & (reading[:len(digit)] != layer.out_digits)):
                    m.d.sync += [leaving.eq(1), reading.eq(reading + 1)]
        with m.If(stored):
            m.d.sync += digit.eq(Mux(last_digit, 0, digit + 1))
            with m.If(complete):
                m.d.sync += [
                    leaving.eq(1), half.eq(~half),
                    reading.eq(Cat(C(0, len(digit)), half)), self.address.eq(self.result.out),
                ]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(stored & complete):
            m.d.sync += present.eq(0)

        return m
