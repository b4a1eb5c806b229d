"""The packer: from fired neurons to the words that memories store."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory as RegisterFile
from amaranth.lib.wiring import In, Out

from .records import Drain


__all__ = ["SpikePacker"]


class SpikePacker(wiring.Component):
    """Collects the neurons of a job and stores them as words.

    Neurons arrive in descending lane order, lane 0 last. Spike words (a plane of a position) leave
    in the cycles that ``slot`` grants, one plane each; rows of the attention memory leave at once.
    Keys are collected token-minor: a word holds one channel of ``lanes`` tokens, and leaves with
    the last of them.

    Parameters
    ----------
    capacities : Capacities

    Members
    -------
    layer : In(capacities.layer)
    fired, lane, result, value, count, code : In
        A neuron, as ``FiringUnit`` gives it.
    slot : In(1)
        This column may use the spike bus now.
    spike_write : Out(1)
    spike_address : Out(capacities.spike_address)
    spike_data : Out(lanes)
    row_write : Out(1)
    row_address : Out(capacities.out_address)
    row_data : Out(lanes * entry_width)
    advance : Out(1)
        The neuron is taken now. Low while spike words of an earlier one block the way.
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
            "spike_address": Out(capacities.spike_address),
            "spike_data": Out(capacities.lanes),
            "row_write": Out(1),
            "row_address": Out(capacities.out_address),
            "row_data": Out(capacities.lanes * capacities.entry_width),
            "advance": Out(1),
            "hold": In(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        capacities = self.capacities
        n_lanes, n_planes = capacities.lanes, capacities.planes
        drain = self.layer.drain
        width = max(capacities.entry_width, n_planes)
        codes = data.ArrayLayout(data.ArrayLayout(1, n_planes), n_lanes)

        # A job's neurons shift in from the low end, into zeros.
        entry = Signal(width)
        packed = Signal(width * n_lanes)
        shifted = Signal(width * n_lanes)
        with m.Switch(drain):
            with m.Case(Drain.VALUES):
                m.d.comb += entry.eq(self.count)
            with m.Case(Drain.KEY_VALUES):
                m.d.comb += entry.eq(self.value)
            with m.Default():
                m.d.comb += entry.eq(self.code)
        m.d.comb += shifted.eq(Cat(entry, packed))

        # Keys: one word per channel, in which this token's place is replaced.
        m.submodules.keys = keys = RegisterFile(shape=unsigned(n_lanes * n_planes),
                                                depth=n_lanes, init=[])
        collected, store = keys.read_port(domain="comb"), keys.write_port()
        key_word = Signal(codes)
        m.d.comb += [
            collected.addr.eq(self.lane),
            store.addr.eq(self.lane),
            store.data.eq(key_word),
            store.en.eq(self.fired & self.advance & (drain == Drain.KEYS)),
        ]
        old = data.View(codes, collected.data)
        for token in range(n_lanes):
            with m.If(self.result.slot == token):
                m.d.comb += key_word[token].as_value().eq(self.code)
            with m.Elif(self.result.slot != 0):
                m.d.comb += key_word[token].eq(old[token])

        # The words on their way out: planes of one address after the other.
        leaving = Signal(codes)
        left = Signal(range(n_planes + 1))
        address = Signal(capacities.spike_address)
        complete = Signal()
        with m.Switch(drain):
            with m.Case(Drain.SPIKES):
                m.d.comb += complete.eq(self.fired & (self.lane == 0))
            with m.Case(Drain.KEYS):
                m.d.comb += complete.eq(self.fired & self.result.block_last)

        m.d.comb += [
            self.spike_write.eq((left != 0) & self.slot),
            self.spike_address.eq(address),
            self.spike_data.eq(Cat(leaving[lane][0] for lane in range(n_lanes))),
            self.advance.eq(~self.hold & ~(complete & (left != 0))),
            self.row_write.eq(self.fired & self.advance & (self.lane == 0)
                              & ((drain == Drain.VALUES) | (drain == Drain.KEY_VALUES))),
            self.row_address.eq(self.result.out),
            self.row_data.eq(Cat(shifted.word_select(lane, width)[:capacities.entry_width]
                                 for lane in range(n_lanes))),
            self.idle.eq(left == 0),
        ]
        with m.If(self.spike_write):
            m.d.sync += [left.eq(left - 1), address.eq(address + self.layer.out_plane_stride)]
            for lane in range(n_lanes):
                m.d.sync += leaving[lane].as_value().eq(leaving[lane].as_value() >> 1)
        with m.If(self.fired & self.advance):
            m.d.sync += packed.eq(shifted)
            with m.If(complete):
                m.d.sync += [left.eq(n_planes), address.eq(self.result.out)]
                with m.If(drain == Drain.KEYS):
                    m.d.sync += [leaving.eq(key_word), address.eq(self.result.out + self.lane)]
                with m.Else():
                    m.d.sync += [leaving[lane].as_value().eq(shifted.word_select(lane, width))
                                 for lane in range(n_lanes)]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(self.fired & self.advance & (self.lane == 0)):
            m.d.sync += packed.eq(0)

        return m
