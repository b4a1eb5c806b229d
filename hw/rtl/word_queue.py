"""The word queue: words that have spikes wait in block RAM for the event encoder."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..isa.spike_word import QUEUE_DEPTH
from .memory import Memory
from .signals import signals


__all__ = ["WordQueue"]


class WordQueue(wiring.Component):
    """A queue whose words lie in a block RAM.

    A word can leave three cycles after it came. Two more words than the memory holds stand in its
    output and in the register behind it. A word is never refused: ``full`` says early enough that
    none must come.

    Parameters
    ----------
    shape : Shape
        Of a word.
    depth : int
        Words of the memory, a power of two.
    room : int
        Words that may still come behind the one that leaves no more room than that.

    Members
    -------
    write : In(1)
    data : In(shape)
    full : Out(1)
        Two cycles after that word.
    words : Out(stream.Signature(shape))
    """

    def __init__(self, *, shape, depth=QUEUE_DEPTH, room):
        if not 0 < room < depth:
            raise ValueError(f"Room must be 1 to {depth - 1} words, not {room!r}")
        exact_log2(depth)
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
        # Numbers of words that were written and read, with a bit more than an address.
        written, read, level = signals("written read level", range(2 * self.depth))
        fetched, moves, reads = signals("fetched moves reads")
        m.d.comb += [
            moves.eq(~self.words.valid | self.words.ready),
            reads.eq((written != read) & (~fetched | moves)),
            memory.write.eq(self.write),
            memory.write_address.eq(written),
            memory.write_data.eq(self.data),
            memory.read.eq(reads),
            memory.read_address.eq(read),
            level.eq(written - read),
        ]
        m.d.sync += [
            written.eq(written + self.write),
            read.eq(read + reads),
            fetched.eq(reads | (fetched & ~moves)),
            self.full.eq(level >= self.depth - self.room),
        ]
        with m.If(moves):
            m.d.sync += [
                self.words.valid.eq(fetched),
                self.words.payload.eq(memory.read_data),
            ]
        return m
