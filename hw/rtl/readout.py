"""The readout: takes a column's finished sums through firing unit and packer to the bus."""

from typing import NamedTuple

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from ..isa.memory_parts import block_rams_scarce
from ..isa.pairs import PAIR
from .bus import stored_signature, sums_signature
from .column import FETCH, readout_signature
from .firing import FiringUnit
from .lane_address import lane_address
from .memory import TAG_WIDTH, Memory, read_port
from .packer import SpikePacker
from .result_counters import ResultCounters, handover_signature
from .signals import signals


__all__ = ["Readout"]


class _Goals(NamedTuple):
    """Where the results of a layer go: to memories by the packer, to the token sums, or outside."""

    packs: Signal
    sums: Signal
    logits: Signal


class _Released(NamedTuple):
    """A pair whose sums are released: its number, whether its odd lane belongs to the job, whether
    the job ends with it and where its result goes; and whether there are sums still to come.
    """

    valid: Signal
    pair: Signal
    whole: Signal
    last: Signal
    result: Signal
    under_way: Value


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
    tiles : In(handover_signature(config))
    request : Out(1)
        Something waits for the bus.
    slot : In(1)
        The bus may be used now.
    own : Out(1)
        Sums are released: nobody else may begin to.
    neurons : Out(read_port(neuron_address, neurons))
        Of the buffer of neurons.
    stored : Out(stored_signature(config))
        A word, only in the cycle after ``slot``; all 0 while there is none.
    sums : Out(sums_signature(config))
        All 0 while there are none.
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
            "tiles": In(handover_signature(config)),
            "request": Out(1),
            "slot": In(1),
            "own": Out(1),
            "neurons": Out(read_port(config.neuron_address, config.neurons)),
            "stored": Out(stored_signature(config)),
            "sums": Out(sums_signature(config)),
            "logits_room": In(1),
            "logits_valid": Out(1),
            "logits": Out(signed(config.logit_width)),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        # From registers: known long before it matters.
        destination = self.layer.destination
        goals = _Goals(*signals("packs sums logits"))
        m.d.sync += [
            goals.packs.eq(
                (destination == Destination.SPIKES) | (destination == Destination.VALUES)
            ),
            goals.sums.eq(destination == Destination.SUMS),
            goals.logits.eq((destination == Destination.LOGITS) & (self.number == 0)),
        ]
        m.submodules.counters = counters = ResultCounters(self.config)
        wiring.connect(m, wiring.flipped(self.tiles), counters.tiles)
        m.d.comb += [
            counters.layer.eq(self.layer),
            counters.taken.eq(self.column.begin),
            counters.closes.eq(self.column.closes),
        ]
        room = Signal()
        released = self._release(m, counters.result, room, goals.logits)
        firing, packer = self._fire(m, released)
        follows = self._send(m, firing.fired, packer.stored, goals)
        done = packer.done | (follows & (firing.fired.pair == 0))
        waits = self._count(m, released.last, done, room, goals)
        m.d.comb += [
            self.request.eq(packer.request | waits),
            self.idle.eq(
                ~(
                    self.tiles.begins
                    | self.tiles.waits
                    | self.tiles.open
                    | released.under_way
                    | ~firing.idle
                    | follows
                    | ~packer.idle
                    | self.stored.spikes
                    | self.stored.attention
                    | self.sums.valid
                )
            ),
        ]
        return m

    def _release(self, m, next_result, room, alone):
        """Begins readouts, and releases lanes pair by pair, or lane by lane where they go alone."""
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
        return _Released(release, pair, whole, last, result, reading | settling)

    def _fire(self, m, released):
        """Sends the sums through firing unit and packer."""
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
            firing.release.eq(released.valid),
            firing.pair.eq(released.pair),
            firing.whole.eq(released.whole),
            firing.result.eq(released.result),
            *map(Value.eq, firing.taken, self.column.taken),
            residual.write.eq(firing.after),
            residual.tag.eq(self.tag),
            packer.layer.eq(self.layer),
            packer.slot.eq(self.slot),
        ]
        wiring.connect(m, firing.fired, packer.fired)
        wiring.connect(m, firing.before, residual.reader)
        wiring.connect(m, firing.neurons, wiring.flipped(self.neurons))
        return firing, packer

    def _send(self, m, fired, word, goals):
        """Sends a word or sums to the bus, and logits outside.

        Returns whether a logit of an even lane leaves.
        """
        # Logits leave alone: that of the odd lane, and in the next cycle that of the even one.
        follows = Signal()
        odd, even = fired.values[1], Signal.like(fired.values[0])
        m.d.sync += [follows.eq(fired.valid & goals.logits), even.eq(fired.values[0])]
        adds = fired.valid & goals.sums
        m.d.comb += [
            self.logits_valid.eq(follows | (fired.valid & fired.whole & goals.logits)),
            self.logits.eq(Mux(follows, even, odd)),
        ]
        # What goes to the bus is 0 while it is another's. Clearing comes last, so that it is the
        # registers' reset and takes no logic.
        m.d.sync += [
            *(
                getattr(self.stored, name).eq(getattr(word, name))
                for name in word.signature.members
            ),
            self.sums.valid.eq(adds),
            self.sums.pair.eq(lane_address(fired.result.out, fired.pair, lanes=self.config.pairs)),
            *(self.sums.values[half].eq(fired.values[half]) for half in range(PAIR)),
        ]
        with m.If(~word.spikes & ~word.attention):
            m.d.sync += [self.stored.address.eq(0), self.stored.data.eq(0)]
        with m.If(~adds):
            m.d.sync += [self.sums.pair.eq(0), *(value.eq(0) for value in self.sums.values)]
        return follows

    def _count(self, m, last, done, room, goals):
        """Counts the jobs on their way, and knows whether there is room for another one.

        Returns whether sums of a job wait for the bus.
        """
        # Jobs whose readout has begun and whose place is not free again.
        jobs = Signal(range(3))
        ready, begin = self.column.ready, self.column.begin
        waits, ends = signals("waits ends")
        m.d.comb += [
            ends.eq(last & goals.sums),
            room.eq(
                Mux(
                    goals.packs,
                    ~jobs[1],
                    ~jobs.any() & (self.own | ~goals.sums) & (self.logits_room | ~goals.logits),
                )
            ),
        ]
        m.d.sync += [
            jobs.eq(jobs + begin - (done | ends)),
            waits.eq(goals.sums & ready & ~jobs.any() & ~begin & ~self.own),
        ]
        with m.If(self.slot & goals.sums):
            m.d.sync += [self.own.eq(1), waits.eq(0)]
        with m.If(ends):
            m.d.sync += self.own.eq(0)
        return waits
