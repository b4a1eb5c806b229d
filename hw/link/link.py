"""The serial link: carries out the requests of a host on the ports of a core."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..isa.frames import BUFFER_WORDS, GAP_CYCLES, LinkStatus, RequestType
from ..isa.identity import IDENTITY_BYTES
from ..isa.status import Status
from ..rtl.pixels import beat_layout
from ..rtl.signals import signals
from .frame_buffer import FrameBuffer, buffer_depth
from .frame_reader import FrameReader
from .reply_writer import ReplyWriter
from .uart_receiver import UartReceiver
from .uart_transmitter import UartTransmitter


__all__ = ["Link", "RESET_CYCLES", "SETTLE_CYCLES"]


#: Cycles from the last beat of a load packet until the core's status is that of the packet.
SETTLE_CYCLES = 8
#: Cycles for which the core is reset.
RESET_CYCLES = 8


class Link(wiring.Component):
    """Answers the requests of a host, one after the other.

    What a request brings is kept until its checksum was right, so that a wrong one has no effect.
    A load packet that is longer than the buffer goes to the core as it comes; if its checksum is
    wrong then, or the rest of it does not come, the core is reset, and has no model until it is
    loaded anew. Bytes that come while a request is carried out are dropped.

    Parameters
    ----------
    pixel_bytes : int
        Bytes of a pixel.
    pixels : int
        Pixels of the largest picture.
    identity : bytes
        Of the core, see ``hw.isa.identity``.
    cycles_per_bit : int
        Of the serial line.
    least_words : int
        Words of 32 bits that the buffer holds at least.
    gap : int
        Cycles without a byte after which a frame is dropped.

    Members
    -------
    rx : In(1)
    tx : Out(1)
        The serial line.
    reset : Out(1)
        Of the core.
    pixels : Out(stream.Signature(beat_layout(8 * pixel_bytes)))
    logits : In(stream.Signature(beat_layout(32)))
    load : Out(stream.Signature(beat_layout(32)))
    busy, status, cycles, additions : In
        As ``hw.rtl.core.Core`` has them.
    """

    def __init__(
        self,
        *,
        pixel_bytes,
        pixels,
        identity,
        cycles_per_bit,
        least_words=BUFFER_WORDS,
        gap=GAP_CYCLES,
    ):
        if len(identity) != IDENTITY_BYTES:
            raise ValueError(f"Identity must be {IDENTITY_BYTES} bytes, not {len(identity)}")
        self.identity = identity
        self.receiver = UartReceiver(cycles_per_bit)
        self.transmitter = UartTransmitter(cycles_per_bit)
        self.reader = FrameReader(gap=gap)
        depth = buffer_depth(max(pixels, least_words))
        self.buffer = FrameBuffer(pixel_bytes=pixel_bytes, depth=depth)
        self.writer = ReplyWriter(depth)
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "reset": Out(1),
            "pixels": Out(stream.Signature(beat_layout(8 * pixel_bytes))),
            "logits": In(stream.Signature(beat_layout(32))),
            "load": Out(stream.Signature(beat_layout(32))),
            "busy": In(1),
            "status": In(Status),
            "cycles": In(32),
            "additions": In(40),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = self.receiver
        m.submodules.transmitter = self.transmitter
        m.submodules.reader = self.reader
        m.submodules.buffer = self.buffer
        m.submodules.writer = self.writer
        wiring.connect(m, self.writer.bytes, self.transmitter.bytes)
        m.d.comb += [
            self.receiver.line.eq(self.rx),
            self.tx.eq(self.transmitter.line),
            self.reader.byte.eq(self.receiver.data),
            self.reader.valid.eq(self.receiver.valid),
        ]
        to_pixels, to_load, to_reply = ways = signals("to_pixels to_load to_reply")
        # The load packet that comes is longer than the buffer.
        passing = Signal()
        status = Signal(8)
        # Whether the reply has a payload.
        tells = Signal()
        pictures = Signal(32)
        self._connect_buffer(m, (to_pixels, to_load | passing, to_reply), passing)
        self._reply(m, status, tells, pictures)
        self._run(m, ways, passing, status, tells, pictures)
        return m

    def _connect_buffer(self, m, sent, passing):
        """Fills the buffer, and sends what it holds to one of three places."""
        kind, buffer = self.reader.kind, self.buffer
        is_load, is_picture = kind == RequestType.LOAD, kind == RequestType.PICTURE
        places = self.pixels, self.load, self.writer.words
        m.d.comb += [
            buffer.pixels.eq(is_picture),
            buffer.byte.eq(self.receiver.data),
            buffer.byte_valid.eq(self.reader.payload & (is_load | is_picture)),
            buffer.word.eq(self.logits.p.data),
            buffer.release.eq(passing),
            buffer.beats.ready.eq(
                Cat(to & place.ready for to, place in zip(sent, places, strict=True)).any()
            ),
        ]
        for to, place in zip(sent, places, strict=True):
            m.d.comb += [
                place.valid.eq(buffer.beats.valid & to),
                place.p.data.eq(buffer.beats.p.data),
                place.p.last.eq(buffer.beats.p.last),
            ]

    def _reply(self, m, status, tells, pictures):
        """Says what the reply holds."""
        kind, writer = self.reader.kind, self.writer
        cycles_and_additions = Cat(self.cycles, self.additions, C(0, 24))
        m.d.comb += [
            writer.kind.eq(kind),
            writer.status.eq(status),
            writer.n_words.eq(Mux(tells & (kind == RequestType.PICTURE), self.buffer.level, 0)),
        ]
        with m.If(tells), m.Switch(kind):
            with m.Case(RequestType.PICTURE):
                m.d.comb += [writer.tail.eq(cycles_and_additions), writer.tail_bytes.eq(12)]
            with m.Case(RequestType.COUNTERS):
                m.d.comb += [
                    writer.tail.eq(Cat(cycles_and_additions, pictures)),
                    writer.tail_bytes.eq(16),
                ]
            with m.Case(RequestType.IDENTITY):
                m.d.comb += [
                    writer.tail.eq(int.from_bytes(self.identity, "little")),
                    writer.tail_bytes.eq(len(self.identity)),
                ]

    def _judge(self, m):
        """Returns the status of a request that has come to its end."""
        reader, buffer = self.reader, self.buffer
        verdict = Signal(8)
        broken = reader.empty | buffer.partial | buffer.spilled
        m.d.comb += verdict.eq(Status.OK.value)
        with m.Switch(reader.kind):
            with m.Case(RequestType.LOAD, RequestType.PICTURE), m.If(broken):
                m.d.comb += verdict.eq(LinkStatus.LENGTH)
            with (
                m.Case(RequestType.COUNTERS, RequestType.RESET, RequestType.IDENTITY),
                m.If(~reader.empty),
            ):
                m.d.comb += verdict.eq(LinkStatus.LENGTH)
            with m.Default():
                m.d.comb += verdict.eq(LinkStatus.TYPE)
        with m.If(~reader.right):
            m.d.comb += verdict.eq(LinkStatus.CHECKSUM)
        return verdict

    def _run(self, m, ways, passing, status, tells, pictures):
        """Goes from request to reply."""
        reader, buffer, writer = self.reader, self.buffer, self.writer
        to_pixels, to_load, to_reply = ways
        kind = reader.kind
        is_load = kind == RequestType.LOAD
        verdict = self._judge(m)
        waited = Signal(range(max(SETTLE_CYCLES, RESET_CYCLES)))
        # What to do once the core was reset: listen again, or reply.
        replies = Signal()
        taken = buffer.beats.valid & buffer.beats.ready & buffer.beats.p.last
        with m.FSM():
            with m.State("LISTEN"):
                m.d.comb += [reader.enable.eq(1), buffer.clear.eq(reader.begins)]
                m.d.sync += [tells.eq(0), waited.eq(0), replies.eq(0)]
                with m.If(buffer.full & buffer.byte_valid & is_load):
                    m.d.sync += passing.eq(1)
                with m.If(reader.ends):
                    m.d.sync += [replies.eq(1), status.eq(verdict)]
                    m.next = "JUDGED"
                with m.Elif(reader.dropped & passing):
                    m.next = "RESET"
            with m.State("JUDGED"):
                m.next = "REPLY"
                with m.If(status != Status.OK.value), m.If(passing):
                    m.next = "RESET"
                with m.Else(), m.Switch(kind):
                    with m.Case(RequestType.LOAD):
                        m.next = "LOAD"
                    with m.Case(RequestType.PICTURE):
                        m.next = "PIXELS"
                    with m.Case(RequestType.RESET):
                        m.next = "RESET"
                    with m.Default():
                        m.d.sync += tells.eq(1)
            with m.State("LOAD"):
                m.d.comb += [to_load.eq(1), buffer.complete.eq(1)]
                with m.If(taken):
                    m.d.sync += passing.eq(0)
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.sync += [waited.eq(waited + 1), status.eq(self.status)]
                with m.If(waited == SETTLE_CYCLES - 1):
                    m.next = "REPLY"
            with m.State("PIXELS"):
                m.d.comb += [to_pixels.eq(1), buffer.complete.eq(1)]
                with m.If(taken):
                    m.next = "COMPUTE"
            with m.State("COMPUTE"):
                # The core is busy since the first pixel was taken, to the last logit.
                m.d.comb += [
                    self.logits.ready.eq(1),
                    buffer.word_valid.eq(self.logits.valid),
                ]
                with m.If(~self.busy):
                    m.d.sync += status.eq(self.status)
                    with m.If(buffer.spilled):
                        m.d.sync += status.eq(LinkStatus.LENGTH)
                    with m.Elif(self.status == Status.OK):
                        m.d.sync += [tells.eq(1), pictures.eq(pictures + 1)]
                    m.next = "REPLY"
            with m.State("RESET"):
                m.d.comb += [self.reset.eq(1), buffer.clear.eq(1)]
                m.d.sync += [passing.eq(0), pictures.eq(0), waited.eq(waited + 1)]
                with m.If(waited == RESET_CYCLES - 1):
                    m.next = "LISTEN"
                    with m.If(replies):
                        m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += [writer.start.eq(1), to_reply.eq(1), buffer.complete.eq(1)]
                m.next = "REPLYING"
            with m.State("REPLYING"):
                m.d.comb += [to_reply.eq(1), buffer.complete.eq(1)]
                with m.If(~writer.busy):
                    m.next = "LISTEN"
