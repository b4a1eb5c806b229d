"""The reply writer: makes the bytes of a reply."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..isa.frames import REPLY_MARK
from ..rtl.pixels import beat_layout
from .crc32 import Crc32


__all__ = ["TAIL_BYTES", "ReplyWriter"]


#: Most bytes behind the words of a payload.
TAIL_BYTES = 16


class ReplyWriter(wiring.Component):
    """Writes frames ``5A type|80 status len32 payload crc32``, lowest bytes first.

    Parameters
    ----------
    most_words : int
        Words that a payload may begin with.

    Members
    -------
    start : In(1)
        Begins a reply, if none is under way.
    kind : In(8)
        Type of the request. This and the next four are looked at when the reply begins.
    status : In(8)
    n_words : In(range(most_words + 1))
        Words that the payload begins with.
    tail : In(128)
        Bytes of the payload behind the words.
    tail_bytes : In(range(17))
        Their number.
    words : In(stream.Signature(beat_layout(32)))
    bytes : Out(stream.Signature(8))
    busy : Out(1)
    """

    def __init__(self, most_words):
        super().__init__({
            "start": In(1),
            "kind": In(8),
            "status": In(8),
            "n_words": In(range(most_words + 1)),
            "tail": In(8 * TAIL_BYTES),
            "tail_bytes": In(range(TAIL_BYTES + 1)),
            "words": In(stream.Signature(beat_layout(32))),
            "bytes": Out(stream.Signature(8)),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = Crc32()
        block = Signal(8 * TAIL_BYTES)
        left = Signal(range(TAIL_BYTES + 1))
        words_left = Signal.like(self.n_words)
        later = Signal.like(self.tail)
        later_bytes = Signal.like(self.tail_bytes)
        sent = Signal()
        length = Signal(32)
        ready = (left == 0) & ~crc.busy
        m.d.comb += [
            self.busy.eq(1),
            length.eq((self.n_words << 2) + self.tail_bytes),
            self.bytes.valid.eq((left != 0) & ~crc.busy),
            self.bytes.payload.eq(block[:8]),
            sent.eq(self.bytes.valid & self.bytes.ready),
            crc.byte.eq(block[:8]),
        ]
        with m.If(sent):
            m.d.sync += [block.eq(block >> 8), left.eq(left - 1)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.busy.eq(0)
                with m.If(self.start):
                    m.d.sync += [
                        block.eq(Cat(C(REPLY_MARK, 8), self.kind | 0x80, self.status, length)),
                        left.eq(7),
                        words_left.eq(self.n_words),
                        later.eq(self.tail),
                        later_bytes.eq(self.tail_bytes),
                    ]
                    m.next = "MARK"
            with m.State("MARK"):
                m.d.comb += crc.clear.eq(1)
                with m.If(sent):
                    m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [
                    crc.valid.eq(sent),
                    self.words.ready.eq(ready & (words_left != 0)),
                ]
                with m.If(ready & (words_left == 0)):
                    m.d.sync += [block.eq(later), left.eq(later_bytes)]
                    m.next = "TAIL"
                with m.If(self.words.valid & self.words.ready):
                    m.d.sync += [
                        block.eq(self.words.p.data),
                        left.eq(4),
                        words_left.eq(words_left - 1),
                    ]
            with m.State("TAIL"):
                m.d.comb += crc.valid.eq(sent)
                with m.If(ready):
                    m.d.sync += [block.eq(crc.value), left.eq(4)]
                    m.next = "CHECKSUM"
            with m.State("CHECKSUM"), m.If(left == 0):
                m.next = "IDLE"
        return m
