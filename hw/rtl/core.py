"""The accelerator: array, sequencer and the ports to the outside."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ..isa.memory_parts import block_rams_scarce
from ..isa.status import Status
from ..isa.widths import LOGIT_WIDTH
from .address_generator import AddressGenerator
from .array import Array
from .burst_reader import ADDRESS_WIDTH, axi_read_signature
from .choose_add import load_add
from .counters import Counters
from .load_port import PATIENCE
from .loader import BEAT_WIDTH
from .memory import IMAGE_WIDTH, LAYER_WIDTH, Memory, SharedMemory
from .pixels import PixelWriter, beat_layout
from .sequencer import Sequencer
from .signals import signals
from .tile_buffers import TileBuffers
from .tile_supply import loader_of, supply_from_outside, supply_on_chip
from .token_sum import TokenSum


__all__ = ["Core"]


class Core(wiring.Component):
    """A whole network: pixels in, logits out.

    Parameters
    ----------
    config : CoreConfig
    images : dict of str to sequence of str
        Files of the initial contents, per memory of ``config.memories`` one for each slice;
        without it, memories are filled through the load port, and there is no model after a reset.
    load_patience : int
        Cycles after which a packet of which no beat comes is ended.
    sliced : bool
        Whether words with an image are cut into slices, each a memory of its own.

    Members
    -------
    pixels : In(stream.Signature(beat_layout(pixel_width)))
        One beat per pixel, row-major; ``last`` on the last pixel. Those of the next image are
        accepted as soon as no layer of this one needs them.
    logits : Out(stream.Signature(beat_layout(LOGIT_WIDTH)))
        One beat per class; ``last`` on the last.
    load : In(stream.Signature(beat_layout(32)))
        Packets for ``LoadPort``; accepted between images, and while one is dropped. Only where
        weights lie on chip.
    weights : Out(axi_read_signature(bus_width))
        The external image. Only where weights are external, like the next one and ``stalls``.
    weights_base : In(ADDRESS_WIDTH)
        Byte address of the external image; looked at when an image of pixels begins.
    busy : Out(1)
        From an image's first pixel to its last logit.
    error : Out(1)
        The latest image or packet had no effect; cleared by the next one. Logits that were under
        way are closed by an early ``last``. Or there is no model.
    status : Out(Status)
        Which of them, and why. ``MODEL`` gives way to what the latest packet had.
    layer : Out(LAYER_WIDTH)
        Number of the layer at work; all ones while none is.
    cycles : Out(32)
        Clock cycles of the latest image whose logits have left, from its first pixel beat, or
        from the last logit beat of the image before if that came later, to its last logit beat.
    additions : Out(40)
        Accumulator updates by set spike bits in the image that was begun last.
    stalls : Out(32)
        Cycles of that image in which a tile was waited for.
    """

    def __init__(self, config, *, images=None, load_patience=PATIENCE, sliced=True):
        self.config = config
        self.filled = images is not None
        self.images = images or dict.fromkeys(config.memories, ())
        self.load_patience = load_patience
        self.sliced = sliced
        weights = {"load": In(stream.Signature(beat_layout(BEAT_WIDTH)))}
        if config.external:
            weights = {
                "weights": Out(axi_read_signature(config.bus_width)),
                "weights_base": In(ADDRESS_WIDTH),
                "stalls": Out(32),
            }
        super().__init__(
            weights
            | {
                "pixels": In(stream.Signature(beat_layout(config.pixel_width))),
                "logits": Out(stream.Signature(beat_layout(LOGIT_WIDTH))),
                "busy": Out(1),
                "error": Out(1),
                "status": Out(Status),
                "layer": Out(LAYER_WIDTH),
                "cycles": Out(32),
                "additions": Out(40),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.array = Array(config)
        m.submodules.sequencer = sequencer = Sequencer(config)
        m.submodules.generator = generator = AddressGenerator(config)
        m.submodules.writer = writer = PixelWriter(config)
        m.submodules.token_sum = token_sum = TokenSum(config)
        # Columns must not wait for the outside in the same cycle.
        # Holds the logits of a job, which begins when there are none.
        m.submodules.logits = SyncFIFO(width=config.logit_width, depth=config.lanes)
        m.submodules.counters = Counters(config.columns * config.banks * config.lanes)
        m.submodules.loader = loader = loader_of(self)
        m.submodules.buffers = TileBuffers()

        tables = self._tables(m)
        wiring.connect(m, sequencer.tile, generator.tile)
        wiring.connect(m, m.submodules.array.sums, token_sum.add)
        writes = dict(zip(config.memories, loader.write, strict=True))
        failure = Signal(Status)
        supply = supply_from_outside if config.external else supply_on_chip
        supply(m, self, writes, failure)
        # Memories lie all over the device; a register shortens the way to and from them.
        m.d.sync += [
            token_sum.threshold.eq(sequencer.program.data.as_signed()),
            token_sum.threshold_valid.eq(sequencer.threshold_valid),
        ]
        for name, table in tables.items():
            m.d.sync += [
                table.write.valid.eq(writes[name]),
                table.write.address.eq(loader.address),
                table.write.data.eq(loader.data),
            ]

        wiring.connect(m, wiring.flipped(self.pixels), writer.pixels)
        self._connect(m)
        last, closing = self._send_logits(m)
        self._count(m, last, closing)
        self._say_status(m, failure)
        return m

    def _tables(self, m):
        """The memories of the program and of the tap windows, and who reads them."""
        sequencer, generator = self._parts(m, "sequencer generator")
        tables, sliced = {}, self.config.slices["program"] if self.sliced else 1
        for name, kind, layout in (
            ("program", Memory, {"slices": sliced, "images": self.images["program"]}),
            ("windows", SharedMemory, {"image": (*self.images["windows"], "")[0]}),
        ):
            width, depth = self.config.memories[name]
            m.submodules[name] = tables[name] = kind(
                width=width, depth=depth, scarce=block_rams_scarce(self.config), **layout
            )
        program, windows = tables.values()
        wiring.connect(m, sequencer.program, program.reader)
        # Both kinds of words lie in one memory, the narrower one in its lowest bits.
        for port, reader in ((windows.a, generator.rows), (windows.b, generator.positions)):
            m.d.comb += [
                port.read.eq(reader.read),
                port.address.eq(reader.address),
                reader.data.eq(port.data),
            ]
        return tables

    @staticmethod
    def _parts(m, names):
        return [m.submodules[name] for name in names.split()]

    def _connect(self, m):
        """Connects what computes with what says what there is to compute."""
        array, sequencer, generator, buffers, writer, token_sum = self._parts(
            m, "array sequencer generator buffers writer token_sum"
        )
        m.d.comb += [
            buffers.taken.eq(generator.tile.valid & generator.tile.ready),
            buffers.held.eq(array.held),
            buffers.open.eq(array.open),
            sequencer.tile_ready.eq(buffers.ready),
            sequencer.stored.eq(writer.stored),
            sequencer.dropped.eq(writer.dropped),
            sequencer.settled.eq(
                generator.idle & array.idle & token_sum.idle & ~m.submodules.logits.r_rdy
            ),
            writer.enable.eq(sequencer.receive),
            writer.discard.eq(sequencer.discard),
            writer.last_pixel.eq(sequencer.header.last_pixel),
            writer.release.eq(sequencer.release),
            array.layer.eq(sequencer.layer),
            array.restart.eq(sequencer.begins),
            array.step.eq(generator.step),
            array.begins.eq(generator.begins),
            array.result.eq(generator.result),
            generator.layer.eq(sequencer.layer),
            generator.stall.eq(array.stall),
            generator.hold.eq(array.hold),
            array.pixel.eq(writer.pixel),
            array.spikes.eq(token_sum.spikes),
            token_sum.clear.eq(sequencer.starts),
            token_sum.start.eq(sequencer.fire_sums),
            token_sum.words.eq(sequencer.layer.tiles),
            token_sum.out.eq(sequencer.layer.out_step),
        ]

    def _send_logits(self, m):
        """Sends logits; returns whether the last one leaves, and whether others are still closed.

        One class per logit beat, counted down from the header's number, so that a register knows
        the last one. One more beat closes the logits of an image that was given up.
        """
        array, sequencer, logits = self._parts(m, "array sequencer logits")
        left, next_left = signals("left next_left", sequencer.header.classes.shape())
        m.submodules.next_left = load_add(
            load=sequencer.computes,
            value=sequencer.header.classes,
            base=left,
            addend=C(-1, len(left)),
            total=next_left,
        )
        last_logit, begun_logits, closing = signals("last_logit begun_logits closing")
        leaves = self.logits.valid & self.logits.ready
        m.d.comb += [
            logits.w_en.eq(array.logits_valid),
            logits.w_data.eq(array.logits),
            array.logits_room.eq(~logits.r_rdy),
            logits.r_en.eq(self.logits.ready),
            self.logits.valid.eq(logits.r_rdy | closing),
            self.logits.p.data.eq(logits.r_data.as_signed()),
            self.logits.p.last.eq(last_logit | closing),
        ]
        m.d.sync += last_logit.eq(Mux(leaves, left == 2, left == 1))
        with m.If(leaves | sequencer.computes):
            m.d.sync += left.eq(next_left)
        with m.If(leaves):
            m.d.sync += [begun_logits.eq(~self.logits.p.last), closing.eq(0)]
        with m.If(sequencer.given_up & begun_logits):
            m.d.sync += closing.eq(1)
        return logits.r_rdy & self.logits.ready & last_logit, closing

    def _count(self, m, complete, closing):
        """Counts what the ports say of images, and tags what memories store."""
        array, sequencer, writer, token_sum, counters = self._parts(
            m, "array sequencer writer token_sum counters"
        )
        gives_up = sequencer.given_up & ~sequencer.discard
        tag = Cat(sequencer.number, counters.image)
        m.d.comb += [
            array.tag.eq(tag),
            # Pixels that come while an image is computed are those of the next one.
            array.pixel_tag.eq(
                Cat(C(-1, LAYER_WIDTH), (counters.image + counters.computing)[:IMAGE_WIDTH])
            ),
            token_sum.tag.eq(tag),
            counters.started.eq(writer.started),
            counters.waiting.eq(writer.waiting & ~sequencer.holding),
            counters.dropped.eq(writer.dropped),
            counters.computes.eq(sequencer.computes),
            counters.complete.eq(complete),
            counters.given_up.eq(gives_up),
            counters.added.eq(array.additions),
            counters.stalled.eq(sequencer.waiting),
            self.busy.eq(sequencer.busy | closing),
            self.layer.eq(sequencer.number),
            self.cycles.eq(counters.cycles),
            self.additions.eq(counters.additions),
            self.error.eq(self.status != Status.OK),
        ]
        if self.config.external:
            m.d.comb += self.stalls.eq(counters.stalls)

    def _say_status(self, m, failure):
        """Keeps what became of the latest image or packet."""
        sequencer, loader = self._parts(m, "sequencer loader")
        latest = Signal(Status)
        m.d.comb += self.status.eq(latest)
        with m.If(m.submodules.writer.dropped):
            m.d.sync += latest.eq(Status.PIXELS)
        with m.If(sequencer.computes):
            m.d.sync += latest.eq(Status.OK)
        with m.If(sequencer.given_up):
            m.d.sync += latest.eq(failure)
        if not self.config.external:
            with m.If(loader.begins):
                m.d.sync += latest.eq(Status.OK)
            with m.If(loader.refused):
                m.d.sync += latest.eq(Status.PACKET)
            with m.If(loader.expired):
                m.d.sync += latest.eq(Status.TIMEOUT)
            with m.If((latest == Status.OK) & ~loader.intact):
                m.d.comb += self.status.eq(Status.MODEL)
