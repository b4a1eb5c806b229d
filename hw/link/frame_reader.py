"""The frame reader: finds requests among the bytes of a serial line."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.frames import GAP_CYCLES, REQUEST_MARK
from ..rtl.signals import signals
from .crc32 import Crc32


__all__ = ["FrameReader"]


class FrameReader(wiring.Component):
    """Reads frames ``A5 type len32 payload crc32``, numbers with their lowest byte first.

    Bytes between frames are passed over. So is a frame inside which no byte comes for more than
    ``gap`` cycles.

    Parameters
    ----------
    gap : int

    Members
    -------
    byte : In(8)
    valid : In(1)
        ``byte`` has come; not again for ten cycles.
    enable : In(1)
        A frame may begin.
    begins : Out(1)
        High for one cycle when the first byte of a frame has come.
    kind : Out(8)
        Type of the frame; known before the first byte of its payload, and kept to the next frame.
    empty : Out(1)
        Its length is 0.
    payload : Out(1)
        ``byte`` belongs to the payload.
    ends : Out(1)
        High for one cycle when the frame is there.
    right : Out(1)
        With ``ends``: its checksum is right.
    dropped : Out(1)
        High for one cycle when a frame is dropped.
    """

    def __init__(self, *, gap=GAP_CYCLES):
        if gap < 1:
            raise ValueError(f"Gap must be at least 1 cycle, not {gap!r}")
        self.gap = gap
        super().__init__({
            "byte": In(8),
            "valid": In(1),
            "enable": In(1),
            "begins": Out(1),
            "kind": Out(8),
            "empty": Out(1),
            "payload": Out(1),
            "ends": Out(1),
            "right": Out(1),
            "dropped": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = Crc32()
        head = Signal(40)
        tail = Signal(32)
        left = Signal(32)
        place = Signal(3)
        inside, expired = signals("inside expired")
        m.d.comb += [
            crc.byte.eq(self.byte),
            inside.eq(1),
            self.kind.eq(head[:8]),
            self.right.eq(tail == crc.value),
            self.empty.eq(head[8:] == 0),
        ]
        with m.FSM():
            with m.State("MARK"):
                m.d.comb += [
                    inside.eq(0),
                    crc.clear.eq(1),
                    self.begins.eq(self.enable & self.valid & (self.byte == REQUEST_MARK)),
                ]
                m.d.sync += place.eq(4)
                with m.If(self.begins):
                    m.next = "HEAD"
            with m.State("HEAD"):
                with m.If(self.valid):
                    m.d.comb += crc.valid.eq(1)
                    m.d.sync += [head.eq(Cat(head[8:], self.byte)), place.eq(place - 1)]
                    with m.If(place == 0):
                        m.next = "LENGTH"
                with m.Elif(expired):
                    m.next = "DROP"
            with m.State("LENGTH"):
                m.d.sync += [left.eq(head[8:]), place.eq(3)]
                m.next = "PAYLOAD"
                with m.If(self.empty):
                    m.next = "TAIL"
            with m.State("PAYLOAD"):
                with m.If(self.valid):
                    m.d.comb += [crc.valid.eq(1), self.payload.eq(1)]
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.next = "TAIL"
                with m.Elif(expired):
                    m.next = "DROP"
            with m.State("TAIL"):
                with m.If(self.valid):
                    m.d.sync += [tail.eq(Cat(tail[8:], self.byte)), place.eq(place - 1)]
                    with m.If(place == 0):
                        m.next = "VERDICT"
                with m.Elif(expired):
                    m.next = "DROP"
            with m.State("VERDICT"):
                m.d.comb += self.ends.eq(1)
                m.next = "MARK"
            with m.State("DROP"):
                m.d.comb += self.dropped.eq(1)
                m.next = "MARK"

        # Reaches zero after so many cycles without a byte, so that its sign is all to look at.
        waited = Signal(range(-self.gap, 1), init=-self.gap)
        m.d.comb += expired.eq(waited >= 0)
        m.d.sync += waited.eq(waited + 1)
        with m.If(self.valid | ~inside | expired):
            m.d.sync += waited.eq(waited.init)
        return m
