"""The checksum of the external image: CRC-32 over beats that are folded to 32 bits."""

import zlib
from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["CHECKSUM_WIDTH", "Checksum", "checksum"]


CHECKSUM_WIDTH = 32
_BYTES = CHECKSUM_WIDTH // 8


def checksum(beats, width):
    """CRC-32, as in Ethernet and zip files, of the XOR of each beat's words, least byte first.

    Like that of whole beats it finds every burst of errors of up to 32 bits; it is blind to two
    errors in the same bit of two words of a beat.

    Parameters
    ----------
    beats : sequence of int
        Beats of ``width`` bits.
    width : int

    Returns
    -------
    int
    """
    mask = (1 << CHECKSUM_WIDTH) - 1
    folded = (reduce(xor, (beat >> low & mask for low in range(0, width, CHECKSUM_WIDTH)))
              for beat in beats)
    return zlib.crc32(b"".join(word.to_bytes(_BYTES, "little") for word in folded))


class Checksum(wiring.Component):
    """``checksum`` of the beats since ``start``, one per cycle.

    What a word changes is linear in the sum of word and register, of which the library's CRC makes
    two sums in twice the tables.

    Parameters
    ----------
    width : int
        Bits of a beat.

    Members
    -------
    start : In(1)
        Begins anew.
    valid : In(1)
        ``beat`` is added.
    beat : In(width)
    value : Out(32)
        Of all beats that were added in earlier cycles.
    """

    def __init__(self, width):
        super().__init__({"start": In(1), "valid": In(1), "beat": In(width),
                          "value": Out(CHECKSUM_WIDTH)})

    def elaborate(self, platform):
        m = Module()
        state = Signal(CHECKSUM_WIDTH, init=-1)
        mixed = Signal(CHECKSUM_WIDTH)
        words = (self.beat[low:low + CHECKSUM_WIDTH]
                 for low in range(0, len(self.beat), CHECKSUM_WIDTH))
        m.d.comb += [mixed.eq(reduce(xor, words) ^ state), self.value.eq(~state)]
        nothing = zlib.crc32(bytes(_BYTES))
        columns = [zlib.crc32((1 << bit).to_bytes(_BYTES, "little")) ^ nothing
                   for bit in range(CHECKSUM_WIDTH)]
        with m.If(self.valid):
            m.d.sync += state.eq(Cat(
                Cat(mixed[index] for index, column in enumerate(columns) if column >> bit & 1).xor()
                for bit in range(CHECKSUM_WIDTH)))
        with m.If(self.start):
            m.d.sync += state.eq(-1)
        return m
