"""The checksum of what comes from outside: a signature over beats that are folded to 32 bits."""

from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["CHECKSUM_WIDTH", "Checksum", "checksum"]


CHECKSUM_WIDTH = 32
_ONES = (1 << CHECKSUM_WIDTH) - 1
#: The polynomial of CRC-32, which is primitive.
_POLYNOMIAL = 0x04C11DB7


def checksum(beats, width, *, start=_ONES):
    """Signature of beats: per beat one step of a shift register, and the XOR of the beat's words.

    Where one beat is wrong, it is found unless its errors cancel, as two in the same bit of two
    words do; among random errors, one in ``2**32`` is missed. A CRC-32 of the folded beats, which
    also finds every short burst across two beats, takes four times the tables.

    Parameters
    ----------
    beats : sequence of int
        Beats of ``width`` bits.
    width : int
    start : int
        Of the shift register.

    Returns
    -------
    int
    """
    state = start
    for beat in beats:
        shifted = state << 1 & _ONES ^ (_POLYNOMIAL if state >> CHECKSUM_WIDTH - 1 else 0)
        state = reduce(xor, (beat >> low & _ONES for low in range(0, width, CHECKSUM_WIDTH)),
                       shifted)
    return state


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

    def __init__(self, width, *, start=_ONES):
        super().__init__({"clear": In(1), "valid": In(1), "beat": In(width),
                          "value": Out(CHECKSUM_WIDTH, init=start)})

    def elaborate(self, platform):
        m = Module()
        state = self.value
        shifted = (state << 1)[:CHECKSUM_WIDTH] ^ Mux(state[-1], _POLYNOMIAL, 0)
        words = (self.beat[low:low + CHECKSUM_WIDTH]
                 for low in range(0, len(self.beat), CHECKSUM_WIDTH))
        with m.If(self.valid):
            m.d.sync += state.eq(reduce(xor, words, shifted))
        with m.If(self.clear):
            m.d.sync += state.eq(state.init)
        return m
