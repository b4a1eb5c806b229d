"""AXI4 read master: reads consecutive bursts of an external memory, several at a time."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2


__all__ = ["ADDRESS_WIDTH", "BURST", "BURST_COUNT_WIDTH", "OUTSTANDING", "PATIENCE", "BurstReader",
           "axi_read_signature"]


#: Bits of a byte address.
ADDRESS_WIDTH = 32
#: Beats of a burst. A burst is aligned to its own size, so that it never crosses 4 KiB.
BURST = 16
#: Bursts that may be asked for before the first of them has come.
OUTSTANDING = 4
#: Cycles after which a memory that does not answer counts as stalled.
PATIENCE = 2**16
#: Bits of a number of bursts.
BURST_COUNT_WIDTH = 24


def axi_read_signature(data_width):
    """Read channels of AXI4, from the master's side, without the signals that never change.

    What is left out is constant: ``arlen`` 15, ``arsize`` log2 of the bytes of a beat, ``arburst``
    INCR; there are no identifiers, so that bursts come in order.

    References
    ----------
    ARM IHI 0022, AMBA AXI Protocol Specification, chapter A3.
    """
    return wiring.Signature({
        "araddr": Out(ADDRESS_WIDTH), "arvalid": Out(1), "arready": In(1),
        "rdata": In(data_width), "rresp": In(2), "rlast": In(1), "rvalid": In(1), "rready": Out(1),
    })


class BurstReader(wiring.Component):
    """Reads ``bursts`` bursts of 16 beats from ``base`` on and passes their beats on in order.

    A new run starts while ``idle``. Beats pass in the cycle in which they come.

    Parameters
    ----------
    data_width : int
        Bits of a beat, as ``Capacities.bus_width`` allows them.

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
        High for one cycle whenever the memory was waited for ``PATIENCE`` cycles in a row.
    idle : Out(1)
        Every burst that was asked for has come.
    done : Out(1)
        All ``bursts`` have come.
    """

    def __init__(self, data_width):
        self.data_width = data_width
        super().__init__({
            "bus": Out(axi_read_signature(data_width)),
            "start": In(1),
            "base": In(ADDRESS_WIDTH),
            "bursts": In(BURST_COUNT_WIDTH),
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

        ask, complete = Signal(), Signal()
        m.d.comb += ask.eq((asked != self.bursts) & (outstanding != OUTSTANDING) & ~self.stop
                           & ~self.start & (~bus.arvalid | bus.arready))
        with m.If(bus.arready):
            m.d.sync += bus.arvalid.eq(0)
        with m.If(ask):
            m.d.sync += [bus.arvalid.eq(1), bus.araddr.eq(next_burst << offset),
                         next_burst.eq(next_burst + 1), asked.eq(asked + 1)]
        with m.If(self.start):
            m.d.sync += [next_burst.eq(self.base >> offset), asked.eq(0), place.eq(0)]
        m.d.sync += outstanding.eq(outstanding + ask - complete)

        final = place == BURST - 1
        intact = (bus.rresp == 0) & (bus.rlast == final)
        taken = bus.rvalid & bus.rready
        m.d.comb += [
            bus.rready.eq(self.beats.ready | self.stop),
            self.beats.valid.eq(bus.rvalid & intact & ~self.stop),
            self.beats.payload.eq(bus.rdata),
            self.failed.eq(bus.rvalid & ~intact & ~self.stop),
            complete.eq(taken & final),
            self.idle.eq(outstanding == 0),
            self.done.eq(self.idle & (asked == self.bursts)),
        ]
        with m.If(taken):
            m.d.sync += place.eq(place + 1)

        # A memory whose beat waits for us may refuse further bursts meanwhile.
        waited = Signal(range(PATIENCE))
        m.d.comb += self.stalled.eq(waited == PATIENCE - 1)
        m.d.sync += waited.eq(waited + 1)
        with m.If(bus.rvalid | (bus.arvalid & bus.arready) | self.idle | self.stalled):
            m.d.sync += waited.eq(0)

        return m
