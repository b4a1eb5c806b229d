"""The copier: words that follow each other go from a memory to wherever they are needed."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from .choose_add import load_add
from .memory import placed_layout, read_port


__all__ = ["Copier"]


class Copier(wiring.Component):
    """Sends words of a memory, one per cycle, and says where each of them goes.

    The first one is there two cycles after ``start`` at the earliest.

    Parameters
    ----------
    width, depth : int
        Bits of a word, and words of the memory.
    target_depth : int
        Words of the memory that they go to.
    most : int
        Words that are sent at most.

    Members
    -------
    clear : In(1)
        What is left is forgotten.
    start : In(1)
        A run begins. Nothing of the one before may be left.
    first, target : In(range(depth)), In(range(target_depth))
        Address of its first word, and where that goes.
    number : In(range(most + 1))
        Of its words.
    enable : In(1)
        The next word may be read.
    reader : Out(read_port(range(depth), width))
        Of the memory.
    word : Out(placed_layout(width, target_depth))
    busy : Out(1)
        Words are left.
    """

    def __init__(self, *, width, depth, target_depth, most):
        super().__init__({
            "clear": In(1),
            "start": In(1),
            "first": In(bits_for(depth - 1)),
            "target": In(bits_for(target_depth - 1)),
            "number": In(bits_for(most)),
            "enable": In(1),
            "reader": Out(read_port(bits_for(depth - 1), width)),
            "word": Out(placed_layout(width, target_depth)),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        left = Signal.like(self.number)
        target = Signal.like(self.target)
        valid, reads = Signal(), self.reader.read
        m.d.comb += [
            reads.eq(self.enable & (left != 0)),
            self.word.valid.eq(valid),
            self.word.address.eq(target),
            self.word.data.eq(self.reader.data),
            self.busy.eq((left != 0) | valid),
        ]
        m.d.sync += valid.eq(reads)
        for register, value, step, goes_on in (
            (self.reader.address, self.first, 1, reads),
            (left, self.number, -1, reads),
            (target, self.target, 1, valid),
        ):
            following = Signal.like(register, name_suffix="_next")
            m.submodules[following.name] = load_add(
                load=self.start,
                value=value,
                base=register,
                addend=C(step, len(register)),
                total=following,
            )
            with m.If(self.start | goes_on):
                m.d.sync += register.eq(following)
        with m.If(self.clear):
            m.d.sync += [left.eq(0), valid.eq(0)]
        return m
