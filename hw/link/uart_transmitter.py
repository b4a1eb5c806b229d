"""The transmitter of an asynchronous serial line."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


__all__ = ["UartTransmitter"]


class UartTransmitter(wiring.Component):
    """Sends bytes on a serial line: a start bit, 8 data bits, lowest first, a stop bit.

    Parameters
    ----------
    cycles_per_bit : int

    Members
    -------
    bytes : In(stream.Signature(8))
        One is taken every ten bits.
    line : Out(1)
        High while idle.
    """

    def __init__(self, cycles_per_bit):
        if cycles_per_bit < 1:
            raise ValueError(f"Cycles per bit must be at least 1, not {cycles_per_bit!r}")
        self.cycles_per_bit = cycles_per_bit
        super().__init__({"bytes": In(stream.Signature(8)), "line": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self.cycles_per_bit))
        # What is still to be sent behind the bit on the line; ones are idle.
        bits = Signal(9, init=-1)
        left = Signal(range(10 + 1))
        m.d.comb += self.bytes.ready.eq(left == 0)
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(left != 0):
            m.d.sync += [
                self.line.eq(bits[0]),
                bits.eq(Cat(bits[1:], 1)),
                left.eq(left - 1),
                timer.eq(self.cycles_per_bit - 1),
            ]
        with m.If(self.bytes.valid & self.bytes.ready):
            m.d.sync += [
                self.line.eq(0),
                bits.eq(Cat(self.bytes.payload, 1)),
                left.eq(10),
                timer.eq(self.cycles_per_bit - 1),
            ]
        return m
