"""The accelerator: array, sequencer and the ports to the outside."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .array import Array
from .loader import BEAT_WIDTH, Loader
from .memory import TAG_WIDTH, Memory
from .pixels import PixelWriter, beat_layout
from .sequencer import Sequencer
from .token_sum import TokenSum


__all__ = ["Core"]


class Core(wiring.Component):
    """A whole network: pixels in, logits out.

    Parameters
    ----------
    capacities : Capacities
    images : dict of str to sequence of str
        Files of the initial contents, per memory of ``capacities.memories`` one for each slice;
        without it, memories are filled through the load port.

    Members
    -------
    pixels : In(stream.Signature(beat_layout(8 * pixel_channels)))
        One beat per pixel, row-major; ``last`` on the last pixel.
    logits : Out(stream.Signature(beat_layout(32)))
        One beat per class; ``last`` on the last.
    load : In(stream.Signature(beat_layout(32)))
        Packets for ``Loader``; accepted between images.
    busy : Out(1)
        From an image's first pixel to its last logit.
    error : Out(1)
        The latest image or packet was malformed and had no effect; cleared by the next one.
    layer : Out(12)
        Number of the layer at work; all ones while pixels are received or nothing is done.
    cycles : Out(32)
        Clock cycles of the latest image, from first pixel beat to last logit beat, both included.
    additions : Out(40)
        Accumulator updates by set spike bits in the latest image.
    """

    def __init__(self, capacities, *, images=None):
        self.capacities = capacities
        self.images = images or dict.fromkeys(capacities.memories, ())
        super().__init__({
            "pixels": In(stream.Signature(beat_layout(8 * capacities.pixel_channels))),
            "logits": Out(stream.Signature(beat_layout(32))),
            "load": In(stream.Signature(beat_layout(BEAT_WIDTH))),
            "busy": Out(1),
            "error": Out(1),
            "layer": Out(12),
            "cycles": Out(32),
            "additions": Out(40),
        })

    def elaborate(self, platform):
        m = Module()
        capacities = self.capacities
        m.submodules.array = array = Array(capacities, images=self.images)
        m.submodules.sequencer = sequencer = Sequencer(capacities)
        m.submodules.writer = writer = PixelWriter(capacities)
        m.submodules.token_sum = token_sum = TokenSum(capacities)
        m.submodules.loader = loader = Loader(capacities.memories)

        tables = {}
        for name in ("program", "windows"):
            width, depth = capacities.memories[name]
            m.submodules[name] = tables[name] = table = Memory(
                width=width, depth=depth, image=(*self.images[name], "")[0])
            m.d.comb += table.read.eq(1)
        m.d.comb += [
            tables["program"].read_address.eq(sequencer.program_address),
            sequencer.program.eq(tables["program"].read_data),
            tables["windows"].read_address.eq(sequencer.window_address),
            sequencer.window.eq(tables["windows"].read_data),
        ]

        wiring.connect(m, wiring.flipped(self.load), loader.beats)
        load = dict(zip(capacities.memories, loader.write, strict=True))
        m.d.comb += [
            loader.enable.eq(~sequencer.busy),
            array.load_weights.eq(load["weights"]),
            array.load_neurons.eq(load["neurons"]),
            array.load_address.eq(loader.address),
            array.load_data.eq(loader.data),
        ]
        for name, table in tables.items():
            m.d.comb += [
                table.write.eq(load[name]),
                table.write_address.eq(loader.address),
                table.write_data.eq(loader.data),
            ]

        wiring.connect(m, wiring.flipped(self.pixels), writer.pixels)
        m.d.comb += [
            sequencer.start.eq(self.pixels.valid & ~self.load.valid & ~loader.active),
            sequencer.received.eq(writer.done),
            sequencer.dropped.eq(writer.dropped),
            sequencer.settled.eq(array.idle & token_sum.idle),
            writer.enable.eq(sequencer.receive),
            writer.n_pixels.eq(sequencer.header.pixels),

            array.layer.eq(sequencer.layer),
            array.restart.eq(sequencer.begins),
            array.job.eq(sequencer.job),
            array.job_valid.eq(sequencer.job_valid),
            sequencer.job_ready.eq(array.job_ready),
            array.spike_write.eq(writer.write | token_sum.write),
            array.spike_address.eq(Mux(writer.write, writer.address, token_sum.address)),
            array.spike_data.eq(Mux(writer.write, writer.data, token_sum.data)),

            token_sum.clear.eq(writer.started),
            token_sum.add.eq(array.sum_write),
            token_sum.channel.eq(array.sum_address),
            token_sum.value.eq(array.sum_data),
            token_sum.threshold.eq(sequencer.program.as_signed()),
            token_sum.threshold_valid.eq(sequencer.threshold_valid),
            token_sum.start.eq(sequencer.fire_sums),
            token_sum.words.eq(sequencer.layer.tiles),
            token_sum.out.eq(sequencer.layer.out_step),
            token_sum.plane_stride.eq(sequencer.layer.out_plane_stride),
        ]

        # One class per logit beat; the header says how many there are.
        class_index = Signal.like(sequencer.header.classes)
        last_logit = class_index == sequencer.header.classes - 1
        m.d.comb += [
            self.logits.valid.eq(array.logits.valid),
            self.logits.p.data.eq(array.logits.payload),
            self.logits.p.last.eq(last_logit),
            array.logits.ready.eq(self.logits.ready),
        ]
        logit_sent = self.logits.valid & self.logits.ready
        with m.If(logit_sent):
            m.d.sync += class_index.eq(Mux(last_logit, 0, class_index + 1))

        image = Signal(TAG_WIDTH - len(sequencer.number))
        counting = Signal()
        tag = Cat(sequencer.number, image)
        m.d.comb += [array.tag.eq(tag), token_sum.tag.eq(tag), self.busy.eq(sequencer.busy),
                     self.layer.eq(sequencer.number)]
        with m.If(writer.started):
            m.d.sync += [counting.eq(1), self.cycles.eq(1), self.additions.eq(0),
                         self.error.eq(0)]
        with m.Elif(counting):
            m.d.sync += [self.cycles.eq(self.cycles + 1),
                         self.additions.eq(self.additions + array.additions)]
        with m.If(logit_sent & last_logit):
            m.d.sync += [counting.eq(0), image.eq(image + 1)]
        with m.If(writer.dropped):
            m.d.sync += [counting.eq(0), self.error.eq(1)]
        with m.If(self.load.valid & self.load.ready & ~loader.active):
            m.d.sync += self.error.eq(0)
        with m.If(loader.failed):
            m.d.sync += self.error.eq(1)

        return m
