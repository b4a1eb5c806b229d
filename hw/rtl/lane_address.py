"""The address of a lane's word in a tile of a memory."""

from amaranth import Cat
from amaranth.utils import exact_log2


__all__ = ["lane_address"]


def lane_address(base, lane, *, lanes):
    """Where a lane's word lies, without an adder where the lanes are a power of two.

    Parameters
    ----------
    base : Value
        Address of lane 0: the compiler places tiles, and rows that spikes of a word select, at
        multiples of ``lanes``.
    lane : Value
        ``range(lanes)``.
    lanes : int

    Returns
    -------
    Value
    """
    if lanes & (lanes - 1):
        return base + lane
    bits = exact_log2(lanes)
    return Cat(lane[:bits], base[bits:])
