"""The reader of the external image: checks it and hands its sections to the load port."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..isa.checksum import CHECKSUM_WIDTH
from ..isa.status import Status
from ..isa.weight_image import head_layout, section_layout
from .burst_reader import ADDRESS_WIDTH, BurstReader, axi_read_signature
from .checksum import Checksum
from .choose_add import load_add
from .pixels import beat_layout
from .signals import signals


__all__ = ["ImageReader"]


class ImageReader(wiring.Component):
    """Reads the external image from its first beat to its last, once per image of pixels.

    The image is a head, then the table (program and windows), then one tile after the other, in the
    order in which they are computed. Table and tiles consist of sections, which are packets for the
    load port, and end with a checksum over all their beats, the head included. A tile waits until
    there is room for it; one with a wrong checksum never counts as loaded.

    Parameters
    ----------
    data_width : int
        Bits of a beat.
    fingerprint : int
        Of the core.

    Members
    -------
    bus : Out(axi_read_signature(data_width))
    base : In(ADDRESS_WIDTH)
        Byte address of the image.
    start : In(1)
        An image is wanted; held until ``started``.
    started : Out(1)
        Reading begins in this cycle.
    wanted : In(1)
        While low, the image is read no further.
    again : Out(1)
        The weights that come next take the place of those of the latest tile.
    room : In(1)
        There is room for the next tile, or what comes next of it.
    packets : Out(stream.Signature(beat_layout(data_width)))
        For the load port.
    refused : In(1)
        The load port found a packet malformed.
    table, tile : Out(1)
        High for one cycle after the table or a tile is loaded and right.
    failed : Out(1)
        High for one cycle after reading failed, and again whenever the memory then stalls; nothing
        more is loaded before the next start.
    status : Out(Status)
        Why.
    """

    def __init__(self, data_width, *, fingerprint):
        self.fingerprint = fingerprint
        self.data_width = data_width
        super().__init__({
            "bus": Out(axi_read_signature(data_width)),
            "base": In(ADDRESS_WIDTH),
            "start": In(1),
            "started": Out(1),
            "wanted": In(1),
            "again": Out(1),
            "room": In(1),
            "packets": Out(stream.Signature(beat_layout(data_width))),
            "refused": In(1),
            "table": Out(1),
            "tile": Out(1),
            "failed": Out(1),
            "status": Out(Status),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader = reader = BurstReader(self.data_width)
        m.submodules.checksum = sums = Checksum(self.data_width)
        wiring.connect(m, reader.bus, wiring.flipped(self.bus))

        beat = reader.beats
        head = head_layout()(beat.payload[: head_layout().size])
        header = section_layout()(beat.payload[: section_layout().size])
        begins = Signal()
        section = Signal(section_layout())
        left, next_left = signals("left next_left", section.beats.shape())
        is_table = Signal()

        # Everything but the checksum itself is summed up and, the head aside, goes to the port.
        forwards = Signal()
        m.d.comb += [
            reader.base.eq(self.base),
            self.again.eq(header.again),
            sums.beat.eq(beat.payload),
            self.packets.payload.data.eq(beat.payload),
            self.packets.valid.eq(beat.valid & forwards),
        ]
        m.d.sync += [self.table.eq(0), self.tile.eq(0), self.failed.eq(0)]

        with m.FSM() as fsm:
            m.submodules.next_left = load_add(
                load=fsm.ongoing("HEADER"),
                value=header.beats,
                base=left,
                addend=C(-1, len(left)),
                total=next_left,
            )
            self._begin(m, is_table)
            self._take_head(m, head, begins)
            self._take_section(m, header, section, (left, next_left), forwards, begins, is_table)
            self._check(m, section, begins, is_table)
            self._end(m)

        # One burst, which says how many there are. Setting comes last, so that it is the register's
        # reset and takes no logic.
        with m.If(fsm.ongoing("IDLE")):
            m.d.sync += reader.bursts.eq(1)
        return m

    def _fail(self, m, status):
        """Ends reading for a reason."""
        m.d.sync += [
            self.failed.eq(1),
            self.status.eq(status),
            self.table.eq(0),
            self.tile.eq(0),
        ]
        m.next = "FAILED"

    def _watch(self, m, begins):
        """Ends reading where something is wrong, or nothing more is wanted."""
        reader = m.submodules.reader
        with m.If(reader.failed):
            self._fail(m, Status.BUS)
        with m.Elif(reader.stalled):
            self._fail(m, Status.STALLED)
        with m.Elif(self.refused):
            self._fail(m, Status.IMAGE)
        with m.Elif(reader.done & ~begins):
            # The image ends inside a section: its length in a header is wrong.
            self._fail(m, Status.CHECKSUM)
        with m.Elif(~self.wanted):
            m.next = "DONE"

    def _begin(self, m, is_table):
        """Waits for the start."""
        reader, sums = m.submodules.reader, m.submodules.checksum
        with m.State("IDLE"):
            m.d.comb += [
                reader.start.eq(self.start),
                reader.stop.eq(~self.start),
                self.started.eq(self.start),
                sums.clear.eq(1),
            ]
            with m.If(self.start):
                m.d.sync += is_table.eq(1)
                m.next = "HEAD"

    def _take_head(self, m, head, begins):
        """Takes the first beat, of the whole image."""
        reader, sums = m.submodules.reader, m.submodules.checksum
        beat = reader.beats
        arrives = beat.valid & beat.ready
        with m.State("HEAD"):
            m.d.comb += [begins.eq(1), beat.ready.eq(1), sums.valid.eq(arrives)]
            with m.If(arrives):
                m.d.sync += reader.bursts.eq(head.bursts)
                m.next = "HEADER"
                with m.If(head.fingerprint != self.fingerprint):
                    self._fail(m, Status.IMAGE)
            self._watch(m, begins)

    def _take_section(self, m, header, section, countdown, forwards, begins, is_table):
        """Takes the header of a section, and hands it on with what follows."""
        reader, sums = m.submodules.reader, m.submodules.checksum
        beat, (left, next_left) = reader.beats, countdown
        arrives = beat.valid & beat.ready
        with m.State("HEADER"):
            m.d.comb += [
                # The double buffer learns of a tile one cycle after its checksum.
                forwards.eq((self.room & ~self.tile) | is_table),
                beat.ready.eq(self.packets.ready & forwards),
                sums.valid.eq(arrives),
            ]
            with m.If(arrives):
                m.d.sync += [section.eq(header), left.eq(next_left)]
                m.next = "PAYLOAD"
            self._watch(m, begins)
        with m.State("PAYLOAD"):
            m.d.comb += [
                forwards.eq(1),
                beat.ready.eq(self.packets.ready),
                sums.valid.eq(arrives),
                self.packets.payload.last.eq(left == 1),
            ]
            with m.If(arrives):
                m.d.sync += left.eq(next_left)
                with m.If(left == 1):
                    m.next = "HEADER"
                    with m.If(section.closes):
                        m.next = "CHECKSUM"
            self._watch(m, begins)

    def _check(self, m, section, begins, is_table):
        """Compares the checksum behind the table or a tile."""
        sums, beat = m.submodules.checksum, m.submodules.reader.beats
        arrives = beat.valid & beat.ready
        with m.State("CHECKSUM"):
            m.d.comb += [beat.ready.eq(1), sums.clear.eq(arrives)]
            with m.If(arrives):
                m.d.sync += [self.table.eq(is_table), self.tile.eq(~is_table), is_table.eq(0)]
                m.next = "HEADER"
                with m.If(section.final):
                    m.next = "DONE"
                with m.If(sums.value != beat.payload[:CHECKSUM_WIDTH]):
                    self._fail(m, Status.CHECKSUM)
            self._watch(m, begins)

    def _end(self, m):
        """Waits for beats that were asked for."""
        reader = m.submodules.reader
        for end in ("DONE", "FAILED"):
            with m.State(end):
                m.d.comb += reader.stop.eq(1)
                with m.If(reader.idle):
                    m.next = "IDLE"
                with m.Elif(reader.stalled):
                    self._fail(m, Status.STALLED)
