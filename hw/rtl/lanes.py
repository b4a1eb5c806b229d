"""The lanes of a column: rows of all banks are added up, and finished sums taken by pairs."""

from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..isa.pairs import PAIR, pairs_of
from ..isa.widths import entry_width
from .choose_add import mix, or_add
from .lane import Lane
from .signals import signals


__all__ = ["Lanes"]


class Lanes(wiring.Component):
    """``lanes`` adders side by side, fed by a row of each bank, read out two sums per cycle.

    In front of each adder, what the banks have for its lane is added up, weighted, and waits in a
    register. A sum is read without a multiplexer: clearing one holding register changes the XOR of
    all of them by exactly its value, and clearing costs nothing, since registers have a reset. Even
    lanes have an XOR, and odd ones.

    Parameters
    ----------
    lanes, row_width, width : int
        Number of lanes, and bits of an element of a row and of a sum.
    weights : tuple of int
        What the rows of each bank weigh, see ``bank_weights``.

    Members
    -------
    rows : In(lanes * row_width).array(banks, 2)
        An element per lane, two's complement, as the OR of two words; 0 where a bank adds nothing.
    valid, double, last : In(1)
        There are rows; sums double before these are added; these are the last ones. Neither of the
        latter without the first.
    closes : Out(1)
        The holding registers have the sums in the next cycle.
    release : In(pairs_of(lanes))
        One-hot: the pair of holding registers to take.
    taken : Out(signed(width)).array(PAIR)
        Sums of the pair released in the cycle before, the even lane's first; 0 where there is no
        lane.
    """

    def __init__(self, *, lanes, row_width, width, weights):
        self.lanes = lanes
        self.row_width = row_width
        self.width = width
        self.weights = weights
        super().__init__({
            "rows": In(lanes * row_width).array(len(weights), 2),
            "valid": In(1),
            "double": In(1),
            "last": In(1),
            "closes": Out(1),
            "release": In(pairs_of(lanes)),
            "taken": Out(signed(width)).array(PAIR),
        })

    def elaborate(self, platform):
        m = Module()
        width = entry_width(self.row_width, self.weights)

        double = Signal()
        m.d.sync += [double.eq(self.double), self.closes.eq(self.last)]
        sums = []
        for index in range(self.lanes):
            entry = Signal(signed(width), name=f"entry_{index}")
            elements = [
                [word.word_select(index, self.row_width).as_signed() for word in row]
                for row in self.rows
            ]
            m.d.sync += entry.eq(_weighted(m, f"sum_{index}", elements, self.weights))
            # What rows hold behind a reset is not known.
            with m.If(~self.valid):
                m.d.sync += entry.eq(0)
            m.submodules[f"lane_{index}"] = lane = Lane(entry_width=width, width=self.width)
            m.d.comb += [
                lane.entry.eq(entry),
                lane.double.eq(double),
                lane.last.eq(self.closes),
                lane.release.eq(self.release[index // PAIR]),
            ]
            sums.append(lane.held)

        for half, taken in enumerate(self.taken):
            m.d.comb += taken.eq(_changed(m, half, sums[half::PAIR]).as_signed())

        return m


def _changed(m, half, sums):
    """XOR of what sums are now and of what they were in the cycle before.

    They are mixed in two parts, each with a register of its own: what both are and were fits the
    inputs of one LUT. The first part has as many sums as full LUTs take.
    """
    first = (len(sums) + 1) // 2
    first -= (first - 1) % 3
    changed = []
    for part, words in enumerate((sums[:first], sums[first:])):
        if words:
            mixed, before = signals(f"mixed_{half}_{part} before_{half}_{part}", len(words[0]))
            m.submodules += mix(words, mixed)
            m.d.sync += before.eq(mixed)
            changed += [mixed, before]
    return reduce(xor, changed)


def _weighted(m, name, elements, weights):
    """Sum of elements times powers of two, in adders as short as they can be.

    An element is the OR of two words, which takes no logic in front of an adder.
    """
    # Below the weight of an element, bits of the sum of smaller ones pass by.
    ordered = sorted(zip(elements, weights, strict=True), key=lambda pair: pair[1])
    total = ordered[0][0]
    for index, (element, weight) in enumerate(ordered[1:]):
        below = exact_log2(weight)
        augend = [word[below:].as_signed() for word in total]
        width = 1 + max(map(len, (*augend, *element)))
        added = Signal(signed(width), name=f"{name}_{index}")
        m.submodules[f"{name}_{index}"] = or_add(augend=augend, addend=element, total=added)
        low = (total[0] | total[1])[:below]
        total = Cat(low, added).as_signed(), C(0, signed(below + width))
    return (total[0] | total[1]).as_signed()
