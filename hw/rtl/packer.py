"""The packer: from fired neurons to the words that memories store."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory as RegisterFile
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from ..isa.pairs import PAIR
from .bus import stored_signature
from .choose_add import load_add
from .firing import fired_signature
from .signals import signals


__all__ = ["PACKING", "SpikePacker"]


#: Cycles from a job's last neuron to where its word asks to leave.
PACKING = 2


class SpikePacker(wiring.Component):
    """Collects the neurons of a job and stores them as words of one bit per lane.

    They arrive by pairs of lanes, in descending order; one without a channel fires no spike and has
    the potential 0. Each is a few bits: a spike code or a count. They are shifted into registers
    side by side, one per bit, which are a word once pair 0 is in. Potentials, which have several
    digits, wait in register files until all of a job are there; from there they are shifted in
    digit by digit.

    A word leaves in a cycle that ``slot`` grants, while the neurons of the next job arrive.
    Neurons are never refused: the group begins a job only if there is a place for it. Between the
    last neuron of a job and the first of the next there is a cycle.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    fired : In(fired_signature(config))
    slot : In(1)
        This group may use the bus now.
    stored : Out(stored_signature(config))
        The word, which leaves where it is for any memory.
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
            "fired": In(fired_signature(config)),
            "slot": In(1),
            "stored": Out(stored_signature(config)),
            "done": Out(1),
            "request": Out(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        n_lanes = config.lanes
        layer, fired, stored = self.layer, self.fired, self.stored
        potential, to_attention, stores = self._goals(m)

        # A word leaves from one set of registers while the other is filled, which waits, complete,
        # for that of the job before.
        complete, leaving, replaying = signals("complete leaving replaying")
        leaves, moves = signals("leaves moves")
        taken, shifts, ends = signals("taken shifts ends")
        m.d.comb += [
            leaves.eq(leaving & self.slot),
            moves.eq(complete & (~leaving | leaves)),
            taken.eq(fired.valid & stores),
            ends.eq(taken & (fired.pair == 0)),
        ]

        closes = Signal()
        pair, digit = self._replay(m, ends, potential, shifts, closes, replaying)
        entries = [
            self._entry(m, half, replayed=(pair, digit), write=taken & potential)
            for half in range(PAIR)
        ]
        with m.If(potential):
            m.d.comb += [
                shifts.eq(replaying & ~complete),
                closes.eq(shifts & (pair == 0)),
                self.done.eq(moves & ~replaying),
            ]
        with m.Else():
            m.d.comb += [
                shifts.eq(taken),
                closes.eq(ends),
                self.done.eq(leaves),
            ]

        m.d.comb += [
            stored.spikes.eq(leaves & ~to_attention),
            stored.attention.eq(leaves & to_attention),
            self.request.eq(leaving),
            self.idle.eq(~leaving & ~replaying & ~complete),
        ]
        for bit in range(len(entries[0])):
            filling = Signal(n_lanes, name=f"filling_{bit}")
            with m.If(shifts):
                even, odd = (entry[bit] for entry in entries)
                m.d.sync += filling.eq(Cat(even, odd, filling))
            # Clearing comes last, so that it is the registers' reset and takes no logic.
            with m.If(moves):
                m.d.sync += [stored.data.word_select(bit, n_lanes).eq(filling), filling.eq(0)]
        address, next_address = signals("address next_address", self.config.out_address)
        stride = Signal.like(address)
        m.d.comb += stride.eq(layer.out_stride)
        m.submodules.next_address = load_add(
            load=ends, value=fired.result.out, base=address, addend=stride, total=next_address
        )
        with m.If(leaves):
            m.d.sync += leaving.eq(0)
        with m.If(moves):
            m.d.sync += [
                complete.eq(0),
                leaving.eq(1),
                stored.address.eq(address),
            ]
        with m.If(closes):
            m.d.sync += complete.eq(1)
        with m.If(ends | moves):
            m.d.sync += address.eq(next_address)

        return m

    def _goals(self, m):
        """Whether a layer has potentials, words for attention, and any words at all.

        Known from registers, long before its first neuron.
        """
        destination = self.layer.destination
        goals = potential, to_attention, stores = signals("potential to_attention stores")
        m.d.sync += stores.eq(
            (destination != Destination.SUMS) & (destination != Destination.LOGITS)
        )
        if self.config.attention:
            m.d.sync += [
                potential.eq(destination == Destination.KEY_VALUES),
                to_attention.eq(
                    (destination == Destination.KEY_VALUES) | (destination == Destination.VALUES)
                ),
            ]
        return goals

    def _replay(self, m, ends, potential, shifts, closes, replaying):
        """Goes through collected potentials, digit by digit, from the pair that came first.

        Returns the pair and the digit.
        """
        digit = Signal(self.config.digit)
        pair, next_pair = signals("pair next_pair", self.config.pair)
        last_pair, first_pair, begin = signals("last_pair first_pair begin", pair.shape())
        m.d.comb += [
            last_pair.eq(self.fired.result.last_lane >> 1),
            begin.eq(Mux(ends, last_pair, first_pair)),
        ]
        m.submodules.next_pair = load_add(
            load=ends | closes, value=begin, base=pair, addend=C(-1, len(pair)), total=next_pair
        )
        with m.If(ends | shifts):
            m.d.sync += pair.eq(next_pair)
        with m.If(ends):
            m.d.sync += [replaying.eq(potential), digit.eq(0), first_pair.eq(last_pair)]
        with m.If(replaying & closes):
            m.d.sync += [digit.eq(digit + 1), replaying.eq(digit != self.layer.out_digits)]
        return pair, digit

    def _entry(self, m, half, *, replayed, write):
        """What is shifted in of a lane: of a potential, a digit of the pair that is replayed."""
        config, destination = self.config, self.layer.destination
        if not config.attention:
            return self.fired.codes[half]
        width = config.digit_width
        depth = 1 << config.pair.width
        values = RegisterFile(shape=unsigned(config.digits * width), depth=depth, init=[])
        m.submodules[f"values_{half}"] = values
        pair, digit = replayed
        port, read = values.write_port(), values.read_port(domain="comb")
        m.d.comb += [
            port.en.eq(write),
            port.addr.eq(self.fired.pair),
            port.data.eq(self.fired.values[half]),
            read.addr.eq(pair),
        ]
        digits = Array(read.data.word_select(index, width) for index in range(config.digits))
        entry = Signal(max(config.planes, width), name=f"entry_{half}")
        with m.Switch(destination):
            with m.Case(Destination.KEY_VALUES):
                m.d.comb += entry.eq(digits[digit])
            with m.Case(Destination.VALUES):
                m.d.comb += entry.eq(self.fired.counts[half])
            with m.Default():
                m.d.comb += entry.eq(self.fired.codes[half])
        return entry
