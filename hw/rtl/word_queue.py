"""The word queue: words that have spikes wait in block RAM for the event encoder."""

from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..isa.spike_word import QUEUE_DEPTH
from .memory import Memory
from .signals import signals


__all__ = ["QUEUEING", "WordQueue"]


#: Cycles from a word to where it leaves.
QUEUEING = 3

#: Bits of a shift register whose XOR is shifted in, so that it has all values but 0, by its length.
TAPS = {2: (1, 0), 3: (2, 1), 4: (3, 2), 5: (4, 2), 6: (5, 4), 7: (6, 5)}


class WordQueue(wiring.Component):
    """A queue whose words lie in a block RAM.

    A word can leave ``QUEUEING`` cycles after it came. Two more words than the memory holds stand
    in its output and in the register behind it. A word is never refused: ``full`` says early enough
    that none must come.

    Of an address, only that it comes again in turn matters: shift registers count them, which take
    a LUT each, and leave address 0 out.

    Parameters
    ----------
    shape : Shape
        Of a word.
    depth : int
        Words of the memory, one of which stays empty: a power of two from 4 to 128.
    room : int
        Words that may still come behind the one that leaves no more room than that: a power of two
        less one.

    Members
    -------
    write : In(1)
    data : In(shape)
    full : Out(1)
        Two cycles after that word.
    words : Out(stream.Signature(shape))
    """

    def __init__(self, *, shape, depth=QUEUE_DEPTH, room):
        if not 0 < room < depth - 1:
            raise ValueError(f"Room must be 1 to {depth - 2} words, not {room!r}")
        exact_log2(room + 1)
        self.taps = TAPS[exact_log2(depth)]
        self.width = Shape.cast(shape).width
        self.depth = depth
        self.room = room
        super().__init__({
            "write": In(1),
            "data": In(shape),
            "full": Out(1),
            "words": Out(stream.Signature(shape)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(width=self.width, depth=self.depth)
        # Words that were written and not read, and where the next ones are.
        level = Signal(range(self.depth))
        written, read = (
            Signal(range(self.depth), init=1, name=name) for name in ("written", "read")
        )
        fetched, moves, reads, falls = signals("fetched moves reads falls")
        m.d.comb += [
            moves.eq(~self.words.valid | self.words.ready),
            reads.eq(level.any() & (~fetched | moves)),
            falls.eq(reads & ~self.write),
            memory.write.valid.eq(self.write),
            memory.write.address.eq(written),
            memory.write.data.eq(self.data),
            memory.reader.read.eq(reads),
            memory.reader.address.eq(read),
        ]
        m.d.sync += [
            level.eq(level + Cat(self.write ^ reads, falls.replicate(len(level) - 1))),
            fetched.eq(reads | (fetched & ~moves)),
            self.full.eq(level[exact_log2(self.room + 1) :].all()),
        ]
        for address, moved in ((written, self.write), (read, reads)):
            with m.If(moved):
                shifted_in = reduce(xor, (address[tap] for tap in self.taps))
                m.d.sync += address.eq(Cat(shifted_in, address[:-1]))
        with m.If(moves):
            m.d.sync += [
                self.words.valid.eq(fetched),
                self.words.payload.eq(memory.reader.data),
            ]
        return m
