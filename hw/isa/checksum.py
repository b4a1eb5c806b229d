"""The checksum of what comes from outside: a signature over beats that are folded to 32 bits."""

from functools import reduce
from operator import xor


__all__ = ["CHECKSUM_WIDTH", "ONES", "POLYNOMIAL", "checksum"]


CHECKSUM_WIDTH = 32
#: What the shift register begins with, unless a checksum says otherwise.
ONES = (1 << CHECKSUM_WIDTH) - 1
#: The polynomial of CRC-32, which is primitive.
POLYNOMIAL = 0x04C11DB7


def checksum(beats, width, *, start=ONES):
    """Signature of beats: per beat one step of a shift register, and the XOR of the beat's words.

    Where one beat is wrong, it is found unless its errors cancel, as two in the same bit of two
    words do; among random errors, one in ``2**32`` is missed. A CRC-32 of the folded beats, which
    also finds every short burst across two beats, takes four times the LUTs.

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
        shifted = state << 1 & ONES ^ (POLYNOMIAL if state >> CHECKSUM_WIDTH - 1 else 0)
        state = reduce(
            xor, (beat >> low & ONES for low in range(0, width, CHECKSUM_WIDTH)), shifted
        )
    return state
