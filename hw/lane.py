"""The lane: one adder, the arithmetic step that every layer shares."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["Lane"]


class Lane(wiring.Component):
    """Adds up the row entries of the spikes that fired.

    One event per cycle. An event adds a weight or an attention entry (the other one is 0), or
    doubles the sum between two bit planes (both are 0). The event marked ``last`` closes the sum:
    it moves to ``shadow`` in the same edge that clears the accumulator, so the next sum starts in
    the next cycle.

    Parameters
    ----------
    weight_width : int
        Bits of a weight, two's complement.
    entry_width : int
        Bits of an attention entry, unsigned.
    width : int
        Bits of the sum, two's complement. The caller proves that no sum leaves it.

    Members
    -------
    valid : In(1)
        An event is there.
    weight : In(signed(weight_width))
    entry : In(entry_width)
    double : In(1)
    last : In(1)
    release : In(1)
        Clears ``shadow``; never together with ``last``.
    shadow : Out(signed(width))
        The finished sum, from one cycle after ``last`` until ``release``.
    """

    def __init__(self, *, weight_width, entry_width, width):
        if width <= max(weight_width, entry_width):
            raise ValueError(f"Sum must be wider than weights of {weight_width} and entries of "
                             f"{entry_width} bits, not {width!r} bits")
        super().__init__({
            "valid": In(1),
            "weight": In(signed(weight_width)),
            "entry": In(entry_width),
            "double": In(1),
            "last": In(1),
            "release": In(1),
            "shadow": Out(signed(width)),
        })

    def elaborate(self, platform):
        m = Module()
        width = len(self.shadow)

        accumulator = Signal(signed(width))
        weight = Signal(signed(width))
        entry = Signal(width)
        total = Signal(signed(width))
        # Weight, entry and doubled sum exclude each other, so that one OR, in the table in front of
        # the carry, is the whole operand multiplexer.
        operand = weight | entry | (accumulator & self.double.replicate(width))
        m.d.comb += [
            weight.eq(self.weight),
            entry.eq(self.entry),
            total.eq(accumulator + operand.as_signed()),
        ]

        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(self.valid):
            m.d.sync += accumulator.eq(total)
        with m.If(self.valid & self.last):
            m.d.sync += [self.shadow.eq(total), accumulator.eq(0)]
        with m.If(self.release):
            m.d.sync += self.shadow.eq(0)

        return m
