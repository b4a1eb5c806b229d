"""The receiver of an asynchronous serial line."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out


__all__ = ["LEAST_CYCLES_PER_BIT", "UartReceiver"]


#: Fewest clock cycles of a bit: with fewer, its middle is not found.
LEAST_CYCLES_PER_BIT = 4


class UartReceiver(wiring.Component):
    """Takes bytes from a serial line: a start bit, 8 data bits, lowest first, a stop bit.

    A start bit that is over before its middle is noise. A byte whose stop bit is missing is
    dropped, and the line must be idle before the next one.

    Parameters
    ----------
    cycles_per_bit : int

    Members
    -------
    line : In(1)
        Of another clock; high while idle.
    data : Out(8)
    valid : Out(1)
        High for one cycle, in the middle of the stop bit.
    """

    def __init__(self, cycles_per_bit):
        if cycles_per_bit < LEAST_CYCLES_PER_BIT:
            raise ValueError(
                f"Cycles per bit must be at least {LEAST_CYCLES_PER_BIT}, not {cycles_per_bit!r}"
            )
        self.cycles_per_bit = cycles_per_bit
        super().__init__({"line": In(1, init=1), "data": Out(8), "valid": Out(1)})

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.line, line, init=1)

        timer = Signal(range(self.cycles_per_bit))
        place = Signal(range(8))
        samples = timer == 0
        m.d.sync += [self.valid.eq(0), timer.eq(Mux(samples, self.cycles_per_bit - 1, timer - 1))]
        with m.FSM():
            with m.State("IDLE"):
                # The edge was seen up to a cycle late.
                m.d.sync += timer.eq(self.cycles_per_bit // 2 - 1)
                with m.If(~line):
                    m.next = "START"
            with m.State("START"), m.If(samples):
                m.next = "DATA"
                with m.If(line):
                    m.next = "IDLE"
            with m.State("DATA"), m.If(samples):
                m.d.sync += [self.data.eq(Cat(self.data[1:], line)), place.eq(place + 1)]
                with m.If(place == 7):
                    m.next = "STOP"
            with m.State("STOP"), m.If(samples):
                m.d.sync += self.valid.eq(line)
                m.next = "AWAIT IDLE"
            with m.State("AWAIT IDLE"), m.If(line):
                m.next = "IDLE"
        return m
