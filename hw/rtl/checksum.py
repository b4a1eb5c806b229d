"""The checksum of beats that come from outside, one per cycle."""

from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.checksum import CHECKSUM_WIDTH, ONES, POLYNOMIAL


__all__ = ["Checksum"]


class Checksum(wiring.Component):
    """``checksum`` of the beats since ``clear``, one per cycle.

    Parameters
    ----------
    width : int
        Bits of a beat.
    start : int
        Of the shift register.

    Members
    -------
    clear : In(1)
        Begins anew.
    valid : In(1)
        ``beat`` is added.
    beat : In(width)
    value : Out(32)
        Of all beats that were added in earlier cycles.

    References
    ----------
    Koenemann, Mucha, Zwiehoff: Built-in logic block observation techniques, ITC 1979 (signature
    registers of several inputs).
    """

    def __init__(self, width, *, start=ONES):
        super().__init__({
            "clear": In(1),
            "valid": In(1),
            "beat": In(width),
            "value": Out(CHECKSUM_WIDTH, init=start),
        })

    def elaborate(self, platform):
        m = Module()
        state = self.value
        shifted = (state << 1)[:CHECKSUM_WIDTH] ^ Mux(state[-1], POLYNOMIAL, 0)
        words = (
            self.beat[low : low + CHECKSUM_WIDTH]
            for low in range(0, len(self.beat), CHECKSUM_WIDTH)
        )
        with m.If(self.valid):
            m.d.sync += state.eq(reduce(xor, words, shifted))
        with m.If(self.clear):
            m.d.sync += state.eq(state.init)
        return m
