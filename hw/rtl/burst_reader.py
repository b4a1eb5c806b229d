"""AXI4 read master: reads consecutive bursts of an external memory, several at a time."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..isa.weight_image import BURST, BURST_COUNT_WIDTH
from .choose_add import load_add
from .signals import signals


__all__ = ["ADDRESS_WIDTH", "OUTSTANDING", "PATIENCE", "BurstReader", "axi_read_signature"]


#: Bits of a byte address.
ADDRESS_WIDTH = 32
#: Bursts that may be asked for before the first of them has come.
OUTSTANDING = 4
#: Cycles after which a memory that does not answer counts as stalled.
PATIENCE = 2**16


def axi_read_signature(data_width):
    """Read channels of AXI4, from the master's side, without the signals that never change.

    What is left out is constant: ``arlen`` 15, ``arsize`` log2 of the bytes of a beat, ``arburst``
    INCR; there are no identifiers, so that bursts come in order.

    References
    ----------
    ARM IHI 0022, AMBA AXI Protocol Specification, chapter A3.
    """
    return wiring.Signature({
        "araddr": Out(ADDRESS_WIDTH),
        "arvalid": Out(1),
        "arready": In(1),
        "rdata": In(data_width),
        "rresp": In(2),
        "rlast": In(1),
        "rvalid": In(1),
        "rready": Out(1),
    })


class BurstReader(wiring.Component):
    """Reads ``bursts`` bursts of 16 beats from ``base`` on and passes their beats on in order.

    A new run starts while ``idle``. Beats pass in the cycle in which they come.

    A memory that misplaces ``rlast`` may have left out beats or added some, so that their number no
    longer says what is still to come. All that comes is dropped then, and the reader is idle once
    the memory has been silent for ``PATIENCE`` cycles; ``stop`` must be high until then.

    Parameters
    ----------
    data_width : int
        Bits of a beat, as ``CoreConfig.bus_width`` allows them.

    Members
    -------
    bus : Out(axi_read_signature(data_width))
    start : In(1)
    base : In(ADDRESS_WIDTH)
        Byte address of the first burst, looked at in the cycle of ``start``; bits within a burst
        are ignored.
    bursts : In(BURST_COUNT_WIDTH)
        How many to read; may rise during a run.
    stop : In(1)
        Asks for nothing more, and drops what still comes.
    beats : Out(stream.Signature(data_width))
    failed : Out(1)
        A beat came with an error response or a misplaced ``rlast``; it is not passed on.
    stalled : Out(1)
        High for one cycle whenever the memory was waited for ``PATIENCE`` cycles in a row and still
        owes beats.
    idle : Out(1)
        Nothing that was asked for is still to come.
    done : Out(1)
        All ``bursts`` have come.
    """

    def __init__(self, data_width):
        self.data_width = data_width
        super().__init__({
            "bus": Out(axi_read_signature(data_width)),
            "start": In(1),
            "base": In(ADDRESS_WIDTH),
            "bursts": In(BURST_COUNT_WIDTH, init=1),
            "stop": In(1),
            "beats": Out(stream.Signature(data_width)),
            "failed": Out(1),
            "stalled": Out(1),
            "idle": Out(1),
            "done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        bus = self.bus
        burst_bytes = BURST * self.data_width // 8
        offset = exact_log2(burst_bytes)

        next_burst = Signal(ADDRESS_WIDTH - offset)
        asked = Signal.like(self.bursts)
        outstanding = Signal(range(OUTSTANDING + 1))
        place = Signal(range(BURST))
        # Beats were left out or added.
        lost = Signal()

        ask, complete = signals("ask complete")
        m.d.comb += ask.eq(
            (asked != self.bursts)
            & (outstanding != OUTSTANDING)
            & ~self.stop
            & ~self.start
            & (~bus.arvalid | bus.arready)
        )
        with m.If(bus.arready):
            m.d.sync += bus.arvalid.eq(0)
        following = Signal.like(next_burst)
        m.submodules.following = load_add(
            load=self.start,
            value=self.base[offset:],
            base=next_burst,
            addend=C(1, len(next_burst)),
            total=following,
        )
        with m.If(ask | self.start):
            m.d.sync += next_burst.eq(following)
        with m.If(ask):
            m.d.sync += [
                bus.arvalid.eq(1),
                bus.araddr.eq(next_burst << offset),
                asked.eq(asked + 1),
            ]
        with m.If(self.start):
            m.d.sync += [asked.eq(0), place.eq(0), lost.eq(0)]
        m.d.sync += outstanding.eq(outstanding + ask - complete)

        final = place == BURST - 1
        misplaced = bus.rlast != final
        intact = (bus.rresp == 0) & ~misplaced
        taken = bus.rvalid & bus.rready
        m.d.comb += [
            bus.rready.eq(self.beats.ready | self.stop),
            self.beats.valid.eq(bus.rvalid & intact & ~self.stop),
            self.beats.payload.eq(bus.rdata),
            self.failed.eq(bus.rvalid & ~intact & ~self.stop),
            complete.eq(taken & final & (outstanding != 0)),
            self.idle.eq((outstanding == 0) & ~lost),
            self.done.eq(self.idle & (asked == self.bursts)),
        ]
        with m.If(taken):
            m.d.sync += [place.eq(place + 1), lost.eq(lost | misplaced)]

        # A memory whose beat waits for us may refuse further bursts meanwhile.
        waited = Signal(range(PATIENCE))
        silent, forgets = signals("silent forgets")
        m.d.comb += [
            silent.eq(waited == PATIENCE - 1),
            # A burst that the memory has not accepted is still to come in any case.
            forgets.eq(silent & lost & ~bus.arvalid),
            self.stalled.eq(silent & ~forgets),
        ]
        m.d.sync += waited.eq(waited + 1)
        with m.If(bus.rvalid | (bus.arvalid & bus.arready) | self.idle | silent):
            m.d.sync += waited.eq(0)
        with m.If(forgets):
            m.d.sync += [lost.eq(0), outstanding.eq(0)]

        return m
