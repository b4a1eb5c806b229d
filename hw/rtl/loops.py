"""Nested loops, which count in registers."""

from amaranth import *


__all__ = ["Loops"]


class Loops:
    """Nested loops, the innermost first, which know from registers where they are.

    Comparing counters in the cycle that needs them made the slowest path of a column.

    Parameters
    ----------
    numbers : list of Value
        How often each loop runs, less one.
    """

    def __init__(self, numbers):
        self._numbers = numbers
        #: Rounds of each loop that have begun.
        self.begun = [
            Signal.like(number, init=1, name=f"begun_{index}")
            for index, number in enumerate(numbers)
        ]
        #: Whether each loop is in its last round, and whether all inside it are, too.
        self.last = [Signal(init=1, name=f"last_{index}") for index in range(len(numbers))]
        self.ends = [Signal(init=1, name=f"ends_{index}") for index in range(len(numbers))]
        self._once = [Signal(name=f"once_{index}") for index in range(len(numbers))]

    def start(self, m, once):
        """Begins anew; ``once`` says of each loop whether it runs only once."""
        inside = C(1)
        for begun, last, ends, single, known in zip(
            self.begun, self.last, self.ends, once, self._once, strict=True
        ):
            inside = inside & single
            m.d.sync += [begun.eq(1), last.eq(single), ends.eq(inside), known.eq(single)]

    def advance(self, m):
        """Goes on to the next round; not from the last one of all."""
        moves = inside = C(1)
        for number, begun, last, ends, once in zip(
            self._numbers, self.begun, self.last, self.ends, self._once, strict=True
        ):
            following = Mux(moves, Mux(last, once, begun == number), last)
            inside = inside & following
            m.d.sync += [last.eq(following), ends.eq(inside)]
            with m.If(moves):
                m.d.sync += begun.eq(begun + 1)
            with m.If(ends):
                m.d.sync += begun.eq(1)
            moves = ends
