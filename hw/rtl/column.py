"""The column: word reader, banks and lanes, one output position after another."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.pairs import PAIR
from ..isa.spike_word import End, closes_layout
from .attention_memory import digits_port
from .bank import ROW_CYCLES, Bank
from .choose_add import or_add
from .lanes import Lanes
from .memory import read_port
from .signals import signals
from .steps import step_layout
from .weight_tiles import weights_port
from .word_reader import WordReader


__all__ = ["Column", "FETCH", "readout_signature"]


#: Cycles from an event to its addition.
FETCH = ROW_CYCLES + 1


def readout_signature(config):
    """How finished sums are read out, seen from the column.

    ``ready`` says that the holding registers have the sums of a job that is not being read out, or
    will in the next cycle; what it ``closes`` stays until its readout begins. ``begin`` only while
    ``ready``. ``release`` is one-hot, the pair of lanes whose sums follow as ``taken`` in the next
    cycle. ``empties``: ``FETCH`` cycles from now the last pair of the job is released, or has been.
    """
    return wiring.Signature({
        "ready": Out(1),
        "closes": Out(closes_layout()),
        "begin": In(1),
        "release": In(config.pairs),
        "empties": In(1),
        "taken": Out(signed(config.accumulator_width)).array(PAIR),
    })


class Column(wiring.Component):
    """Computes the sums of jobs: reads spikes, and adds the rows they select.

    Each bank takes one plane of a pass, and sends an event per cycle. Banks wait for each other
    where a pass ends. If the job does not end with it, sums then double before anything is added:
    once with the next events, and before that without any, as often as is left. Behind the last
    events of a job they double as often as the layer's shift says.

    Reading, encoding, fetching and adding overlap, also between jobs. Zero spikes cost no event.
    Finished sums wait in the lanes' holding registers until they are read out; those of the next
    job are added meanwhile.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the column.

    Members
    -------
    layer : In(config.layer)
        Stable while jobs are at work.
    step : In(step_layout(config))
    base : In(config.source_address)
        What the column adds to the addresses of all steps.
    full : Out(1)
        No step must come, ``UNDER_WAY`` words later at the latest.
    spikes : Out(read_port(spike_address, spike_width))
    pixels : Out(read_port(pixel_address, pixel_width))
    weights : Out(weights_port(config)).array(banks)
    digits : Out(digits_port(config)).array(banks)
        In cores that have attention.
    readout : Out(readout_signature(config))
    additions : Out(range(banks * lanes + 1))
        Additions that were started three cycles before.
    """

    def __init__(self, config, *, number):
        self.config = config
        self.number = number
        lanes, banks = config.lanes, config.banks
        super().__init__({
            "layer": In(config.layer),
            "step": In(step_layout(config)),
            "base": In(config.source_address),
            "full": Out(1),
            "spikes": Out(read_port(config.spike_address, config.spike_width)),
            "pixels": Out(read_port(config.pixel_address, config.pixel_width)),
            "weights": Out(weights_port(config)).array(banks),
            **({"digits": Out(digits_port(config)).array(banks)} if config.attention else {}),
            "readout": Out(readout_signature(config)),
            "additions": Out(range(banks * lanes + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        banks = self._banks(m)
        m.submodules.lanes = adders = Lanes(
            lanes=self.config.lanes,
            row_width=self.config.row_width,
            width=self.config.accumulator_width,
            weights=self.config.bank_weights,
        )
        self._read(m, banks)
        occupied = Signal()
        added, doubled, finished = self._take(m, banks, occupied)

        # On their way to the lanes with the rows.
        orders = Cat(added, doubled, finished)
        for stage in range(ROW_CYCLES):
            late = Signal.like(orders, name=f"orders_{stage}")
            m.d.sync += late.eq(orders)
            orders = late
        m.d.comb += Cat(adders.valid, adders.double, adders.last).eq(orders)
        for row, bank in zip(adders.rows, banks, strict=True):
            m.d.comb += [*map(Value.eq, row, bank.row)]
        additions = banks[0].additions
        for index, bank in enumerate(banks[1:]):
            total = Signal.like(self.additions, name=f"additions_{index}")
            m.submodules[f"count_{index}"] = or_add(
                augend=additions, addend=bank.additions, total=total
            )
            additions = total, C(0)
        m.d.sync += self.additions.eq(additions[0] | additions[1])

        # The holding registers are occupied from when the event that fills them is taken, until the
        # next one may be, so that the last sum is taken in the cycle in which they may change
        # again.
        readout, leader = self.readout, banks[0].events
        with m.If(readout.empties):
            m.d.sync += occupied.eq(0)
        with m.Elif(finished):
            m.d.sync += occupied.eq(1)
        # What ends with the job that is finished, since its last event was taken.
        ended, ends = (Signal(closes_layout(), name=name) for name in ("ended", "ends"))
        m.d.comb += ends.eq(ended)
        with m.If(leader.valid & leader.ready & leader.p.last):
            m.d.comb += [
                ends.line.eq((leader.p.end == End.LINE) | (leader.p.end == End.TILE)),
                ends.tile.eq(leader.p.end == End.TILE),
            ]
        m.d.sync += ended.eq(ends)
        with m.If(finished):
            m.d.sync += readout.closes.eq(ends)
        waiting = Signal()
        m.d.sync += waiting.eq(readout.ready & ~readout.begin)
        m.d.comb += [
            readout.ready.eq(waiting | adders.closes),
            adders.release.eq(readout.release),
            *map(Value.eq, readout.taken, adders.taken),
        ]
        return m

    def _banks(self, m):
        """The banks, connected to the ports of their memories."""
        banks = []
        for index in range(self.config.banks):
            m.submodules[f"bank_{index}"] = bank = Bank(self.config)
            m.d.comb += bank.layer.eq(self.layer)
            wiring.connect(m, bank.weights, wiring.flipped(self.weights[index]))
            if self.config.attention:
                wiring.connect(m, bank.digits, wiring.flipped(self.digits[index]))
            banks.append(bank)
        m.d.comb += self.full.eq(Cat(bank.full for bank in banks).any())
        return banks

    def _read(self, m, banks):
        """Sends the words of each plane to its bank."""
        m.submodules.reader = reader = WordReader(self.config, number=self.number)
        m.d.comb += [
            reader.layer.eq(self.layer),
            reader.step.eq(self.step),
            reader.base.eq(self.base),
            reader.spikes.eq(self.spikes.data),
            reader.pixel.eq(self.pixels.data),
        ]
        for port in (self.spikes, self.pixels):
            m.d.comb += [port.read.eq(1), port.address.eq(reader.address)]
        for index, bank in enumerate(banks):
            m.d.comb += [
                bank.write.eq(reader.valid[index]),
                bank.word.eq(reader.word),
                bank.word.silent.eq(reader.silent[index]),
            ]

    def _take(self, m, banks, occupied):
        """Takes the events of all banks.

        Returns whether something is done with sums in this cycle, whether they double, and whether
        the job is finished with it.
        """
        config, shift = self.config, self.layer.shift
        taken, ends, last, done = signals("taken ends last done", config.banks)
        # Cycles in which sums double without any event: as many bits are set.
        most = max(config.pixel_doublings - 1, config.doublings - 1, config.shift_width)
        alone = Signal(most)
        double, closes, finished, added = signals("double closes finished added")
        # All events of the job are taken; its sums are shifted now, and the last doubling waits
        # until the holding registers are free.
        over, shifting, waits = signals("over shifting waits")
        for index, bank in enumerate(banks):
            event = bank.events.p
            m.d.comb += [
                bank.events.ready.eq(
                    ~done[index] & ~(event.last & occupied & ~shift[0]) & ~alone[0]
                ),
                taken[index].eq(bank.events.valid & bank.events.ready),
                ends[index].eq(taken[index] & event.ends),
                last[index].eq(taken[index] & event.last),
            ]
        m.d.comb += [
            closes.eq((done | ends).all()),
            # Banks that ended before did so for the same reason.
            over.eq(closes & last.any()),
            waits.eq(shifting & ~alone[1:2].any() & occupied),
            finished.eq(Mux(shifting, ~alone[1:2].any() & ~occupied, over & ~shift[0])),
            added.eq(taken.any() | (alone[0] & ~waits)),
        ]
        m.d.sync += [
            done.eq(done | ends),
            alone.eq(Mux(waits, alone, alone >> 1)),
            shifting.eq((shifting | over) & ~finished),
        ]
        with m.If(added):
            m.d.sync += double.eq(alone[0])
        with m.If(closes):
            m.d.sync += [
                done.eq(0),
                double.eq(1),
                alone.eq(
                    Mux(
                        over,
                        shift,
                        Mux(
                            self.layer.pixels,
                            _ones(config.pixel_doublings - 1),
                            _ones(config.doublings - 1),
                        ),
                    )
                ),
            ]
        with m.If(finished):
            m.d.sync += double.eq(0)
        return added, double & added, finished


def _ones(number):
    """A number with so many bits set."""
    return (1 << number) - 1
