"""The checksum of frames: CRC-32 of bytes, bit by bit."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["CYCLES_PER_BYTE", "Crc32"]


#: The polynomial of CRC-32, its bits in reverse order.
REFLECTED = 0xEDB88320
#: Cycles that a byte takes.
CYCLES_PER_BYTE = 8


class Crc32(wiring.Component):
    """``zlib.crc32`` of the bytes since ``clear``.

    A byte takes eight cycles, in which no other may come; a serial line needs far more for it.

    Members
    -------
    clear : In(1)
        Begins anew.
    valid : In(1)
        ``byte`` is added.
    byte : In(8)
    busy : Out(1)
        The latest byte is not yet in ``value``.
    value : Out(32)
    """

    clear: In(1)
    valid: In(1)
    byte: In(8)
    busy: Out(1)
    value: Out(32)

    def elaborate(self, platform):
        m = Module()
        state = Signal(32, init=-1)
        left = Signal(range(CYCLES_PER_BYTE + 1))
        m.d.comb += [self.value.eq(~state), self.busy.eq(left != 0)]
        with m.If(self.busy):
            m.d.sync += [
                state.eq((state >> 1) ^ Mux(state[0], REFLECTED, 0)),
                left.eq(left - 1),
            ]
        with m.If(self.valid):
            m.d.sync += [state.eq(state ^ self.byte), left.eq(CYCLES_PER_BYTE)]
        with m.If(self.clear):
            m.d.sync += [state.eq(state.init), left.eq(0)]
        return m
