"""Multiples of a number: what each column adds to what all of them share."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["Multiples"]


class Multiples(wiring.Component):
    """0, 1, 2, … times a number, one more per cycle, by one adder.

    They shift in from the last one, so that each is there after ``count`` cycles and stays.

    Parameters
    ----------
    count : int
    shape : Shape
        Of the number and of its multiples, which wrap.

    Members
    -------
    start : In(1)
        ``step`` is new, and stays.
    step : In(shape)
    multiples : Out(shape).array(count)
    ready : Out(1)
        All are right.
    """

    def __init__(self, count, shape):
        self.count = count
        super().__init__({
            "start": In(1),
            "step": In(shape),
            "multiples": Out(shape).array(count),
            "ready": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self.count + 1))
        total = Signal.like(self.step)
        m.d.comb += self.ready.eq(left == 0)
        with m.If(self.start):
            m.d.sync += [left.eq(self.count), total.eq(0)]
        with m.Elif(left != 0):
            m.d.sync += [left.eq(left - 1), total.eq(total + self.step)]
            for multiple, following in zip(
                self.multiples, [*self.multiples[1:], total], strict=True
            ):
                m.d.sync += multiple.eq(following)
        return m
