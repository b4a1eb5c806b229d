"""The packer: from fired neurons to the words that memories store."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory as RegisterFile
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from .choose_add import load_add
from .signals import signals


__all__ = ["SpikePacker"]


class SpikePacker(wiring.Component):
    """Collects the neurons of a job and stores them as words of one bit per lane.

    Neurons arrive in descending lane order, lane 0 last. Each is a few bits: a spike code or a
    count. They are shifted into registers side by side, one per bit, which are a word once lane 0
    is in. Potentials, which have several digits, wait in a register file until all of a job are
    there; from there they are shifted in digit by digit.

    A word leaves in a cycle that ``slot`` grants, while the neurons of the next job arrive.
    Neurons are never refused: the group begins a job only if there is a place for it. Between the
    last neuron of a job and the first of the next there is a cycle.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    fired, lane, last, result, value, count, code : In
        A neuron, as ``FiringUnit`` gives it.
    slot : In(1)
        This group may use the bus now.
    spike_write, attention_write : Out(1)
        A word leaves for the spike or the attention memories.
    address : Out(config.out_address)
    word : Out(word_width)
        Bit 0 of all lanes lowest: planes, or bits of the attention memory's entries.
    done : Out(1)
        The place of a job is free: its word leaves, or the last digit of its potentials is a word.
    request : Out(1)
        A word waits for a slot.
    idle : Out(1)
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "fired": In(1),
            "lane": In(range(config.lanes)),
            "last": In(1),
            "result": In(config.result),
            "value": In(signed(config.result_width)),
            "count": In(config.count_width),
            "code": In(config.planes),
            "slot": In(1),
            "spike_write": Out(1),
            "attention_write": Out(1),
            "address": Out(config.out_address),
            "word": Out(config.word_width),
            "done": Out(1),
            "request": Out(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        n_lanes, digit_width = config.lanes, config.digit_width
        width = max(config.planes, digit_width)
        layer, drain = self.layer, self.layer.drain
        # Known from registers, long before the first neuron of a layer.
        potential, to_attention, stores = signals("potential to_attention stores")
        m.d.sync += [
            potential.eq(drain == Destination.KEY_VALUES),
            to_attention.eq((drain == Destination.KEY_VALUES) | (drain == Destination.VALUES)),
            stores.eq((drain != Destination.SUMS) & (drain != Destination.LOGITS)),
        ]

        # A word leaves from one set of registers while the other is filled, which waits, complete,
        # for that of the job before.
        complete, leaving, replaying = signals("complete leaving replaying")
        leaves, moves = signals("leaves moves")
        taken, shifts, ends = signals("taken shifts ends")
        m.d.comb += [
            leaves.eq(leaving & self.slot),
            moves.eq(complete & (~leaving | leaves)),
            taken.eq(self.fired & stores),
            ends.eq(taken & self.last),
        ]

        # Potentials: collected, then replayed from the lane that came first.
        digit = Signal(config.digit)
        lane, first_lane = signals("lane first_lane", self.lane.shape())
        m.submodules.values = values = RegisterFile(
            shape=unsigned(config.digits * digit_width), depth=n_lanes, init=[]
        )
        write, read = values.write_port(), values.read_port(domain="comb")
        m.d.comb += [
            write.en.eq(taken & potential),
            write.addr.eq(self.lane),
            write.data.eq(self.value),
            read.addr.eq(lane),
        ]
        closes = Signal()
        next_lane = Signal.like(lane)
        m.submodules.next_lane = load_add(
            load=ends | closes,
            value=Mux(ends, self.result.last_lane, first_lane),
            base=lane,
            addend=C(-1, len(lane)),
            total=next_lane,
        )
        with m.If(ends | shifts):
            m.d.sync += lane.eq(next_lane)
        with m.If(ends):
            m.d.sync += [
                replaying.eq(potential),
                digit.eq(0),
                first_lane.eq(self.result.last_lane),
            ]
        with m.If(replaying & closes):
            m.d.sync += [digit.eq(digit + 1), replaying.eq(digit != layer.out_digits)]

        entry = Signal(width)
        with m.If(potential):
            m.d.comb += [
                entry.eq(
                    Array(
                        read.data.word_select(index, digit_width) for index in range(config.digits)
                    )[digit]
                ),
                shifts.eq(replaying & ~complete),
                closes.eq(shifts & (lane == 0)),
                self.done.eq(moves & ~replaying),
            ]
        with m.Else():
            m.d.comb += [
                entry.eq(Mux(drain == Destination.VALUES, self.count, self.code)),
                shifts.eq(taken),
                closes.eq(ends),
                self.done.eq(leaves),
            ]

        m.d.comb += [
            self.spike_write.eq(leaves & ~to_attention),
            self.attention_write.eq(leaves & to_attention),
            self.request.eq(leaving),
            self.idle.eq(~leaving & ~replaying & ~complete),
        ]
        for bit in range(width):
            filling = Signal(n_lanes, name=f"filling_{bit}")
            with m.If(shifts):
                m.d.sync += filling.eq(Cat(entry[bit], filling[:-1]))
            # Clearing comes last, so that it is the registers' reset and takes no logic.
            with m.If(moves):
                m.d.sync += [self.word.word_select(bit, n_lanes).eq(filling), filling.eq(0)]
        address, next_address = signals("address next_address", self.address.shape())
        stride = Signal.like(address)
        m.d.comb += stride.eq(layer.out_stride)
        m.submodules.next_address = load_add(
            load=ends, value=self.result.out, base=address, addend=stride, total=next_address
        )
        with m.If(leaves):
            m.d.sync += leaving.eq(0)
        with m.If(moves):
            m.d.sync += [
                complete.eq(0),
                leaving.eq(1),
                self.address.eq(address),
            ]
        with m.If(closes):
            m.d.sync += complete.eq(1)
        with m.If(ends | moves):
            m.d.sync += address.eq(next_address)

        return m
