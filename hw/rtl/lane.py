"""The lane: one adder, the arithmetic step that every layer shares."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .choose_add import choose_add


__all__ = ["Lane"]


class Lane(wiring.Component):
    """Adds up entries, one in every cycle.

    An entry is added to the sum or to its double. The one that comes with ``last`` closes the sum:
    it moves to ``held`` in the same edge that clears the accumulator, so the next sum starts in the
    next cycle.

    Parameters
    ----------
    entry_width : int
        Bits of an entry, two's complement.
    width : int
        Bits of the sum, two's complement. The caller proves that no sum leaves it, or that what is
        doubled out of it does not matter.

    Members
    -------
    entry : In(signed(entry_width))
        0 where nothing is to be added.
    double : In(1)
    last : In(1)
    release : In(1)
        Clears ``held``; never together with ``last``.
    held : Out(signed(width))
        The finished sum, from one cycle after ``last`` until ``release``; not known in front of
        the first one.
    """

    def __init__(self, *, entry_width, width):
        if width <= entry_width:
            raise ValueError(
                f"Sum must be wider than entries of {entry_width} bits, not {width!r} bits"
            )
        super().__init__({
            "entry": In(signed(entry_width)),
            "double": In(1),
            "last": In(1),
            "release": In(1),
            "held": Out(signed(width)),
        })

    def elaborate(self, platform):
        m = Module()
        width = len(self.held)

        # A reset besides would take a LUT of each lane.
        held = Signal.like(self.held, reset_less=True)
        m.d.comb += self.held.eq(held)
        accumulator = Signal(width)
        total = Signal(width)
        entry = Signal(signed(width))
        m.d.comb += entry.eq(self.entry)
        m.submodules.accumulate = choose_add(
            choose=self.double, base=accumulator, other=accumulator << 1, addend=entry, total=total
        )

        # Clearing comes last, so that it is the registers' reset and takes no logic.
        m.d.sync += accumulator.eq(total)
        with m.If(self.last):
            m.d.sync += [held.eq(total), accumulator.eq(0)]
        with m.If(self.release):
            m.d.sync += held.eq(0)

        return m
