"""The frame buffer: keeps what a request brings until its checksum was right, and logits."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ..rtl.memory import Memory
from ..rtl.pixels import beat_layout
from ..rtl.signals import signals


__all__ = ["FrameBuffer", "buffer_depth"]


#: Bits of a load beat and of a logit.
WORD_WIDTH = 32


def buffer_depth(least):
    """Words of a buffer that holds at least so many: a power of two."""
    return 1 << ceil_log2(least)


class FrameBuffer(wiring.Component):
    """Joins bytes to words, and gives words back in their order.

    Words leave as beats, one per cycle. The last one is marked, so that it leaves only when it is
    known to be the last.

    Parameters
    ----------
    pixel_bytes : int
        Bytes of a pixel.
    depth : int
        Words that it holds, a power of two.

    Members
    -------
    clear : In(1)
        Forgets everything.
    pixels : In(1)
        Bytes are those of pixels; else of words of 32 bits.
    byte : In(8)
    byte_valid : In(1)
    word : In(32)
    word_valid : In(1)
        A whole word comes, and no byte.
    release : In(1)
        Words may leave, but for the last.
    complete : In(1)
        All words are there, and may leave.
    beats : Out(stream.Signature(beat_layout(width)))
        A pixel or a word of 32 bits, in the lowest bits.
    level : Out(range(depth + 1))
        Words that have not left the memory.
    partial : Out(1)
        A word is begun.
    full : Out(1)
    spilled : Out(1)
        A word came when it was full, and is lost.
    """

    def __init__(self, *, pixel_bytes, depth):
        if pixel_bytes < 1:
            raise ValueError(f"Bytes of a pixel must be at least 1, not {pixel_bytes!r}")
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"Depth of a buffer must be a power of two, not {depth!r}")
        self.pixel_bytes = pixel_bytes
        self.depth = depth
        self.width = max(WORD_WIDTH, 8 * pixel_bytes)
        super().__init__({
            "clear": In(1),
            "pixels": In(1),
            "byte": In(8),
            "byte_valid": In(1),
            "word": In(WORD_WIDTH),
            "word_valid": In(1),
            "release": In(1),
            "complete": In(1),
            "beats": Out(stream.Signature(beat_layout(self.width))),
            "level": Out(range(depth + 1)),
            "partial": Out(1),
            "full": Out(1),
            "spilled": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(width=self.width, depth=self.depth)

        # Bytes shift in from the top, so that a shorter word lies there, too.
        shift = Signal(self.width)
        place = Signal(range(self.width // 8))
        closes, joined = signals("closes joined")
        final = Mux(self.pixels, self.pixel_bytes - 1, WORD_WIDTH // 8 - 1)
        m.d.comb += [closes.eq(self.byte_valid & (place == final)), self.partial.eq(place != 0)]
        m.d.sync += joined.eq(closes)
        with m.If(self.byte_valid):
            m.d.sync += [shift.eq(Cat(shift[8:], self.byte)), place.eq(Mux(closes, 0, place + 1))]

        arrives, stores, fetches = signals("arrives stores fetches")
        write_place, read_place = signals("write_place read_place", range(self.depth))
        at_pixels = shift[self.width - 8 * self.pixel_bytes :]
        at_words = shift[self.width - WORD_WIDTH :]
        m.d.comb += [
            self.full.eq(self.level == self.depth),
            arrives.eq(joined | self.word_valid),
            stores.eq(arrives & ~self.full),
            memory.write.valid.eq(stores),
            memory.write.address.eq(write_place),
            memory.write.data.eq(
                Mux(self.word_valid, self.word, Mux(self.pixels, at_pixels, at_words))
            ),
            memory.reader.read.eq(fetches),
            memory.reader.address.eq(read_place),
            self.beats.p.data.eq(memory.reader.data),
        ]
        last, marked = self.level == 1, Signal()
        m.d.comb += [
            fetches.eq(
                (self.level != 0)
                & (self.complete | (self.release & ~last))
                & (~self.beats.valid | self.beats.ready)
            ),
            self.beats.p.last.eq(marked),
        ]
        with m.If(self.beats.ready):
            m.d.sync += self.beats.valid.eq(0)
        with m.If(fetches):
            m.d.sync += [
                self.beats.valid.eq(1),
                marked.eq(last),
                read_place.eq(read_place + 1),
            ]
        with m.If(stores):
            m.d.sync += write_place.eq(write_place + 1)
        with m.If(stores & ~fetches):
            m.d.sync += self.level.eq(self.level + 1)
        with m.If(fetches & ~stores):
            m.d.sync += self.level.eq(self.level - 1)
        with m.If(arrives & self.full):
            m.d.sync += self.spilled.eq(1)
        with m.If(self.clear):
            m.d.sync += [
                place.eq(0),
                joined.eq(0),
                write_place.eq(0),
                read_place.eq(0),
                self.level.eq(0),
                self.beats.valid.eq(0),
                self.spilled.eq(0),
            ]
        return m
