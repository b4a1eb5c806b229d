"""The pixel writer: from the stream of pixels to the pixel memory."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .memory import placed_layout
from .signals import signals


__all__ = ["PixelWriter", "beat_layout"]


def beat_layout(width):
    """Payload of an AXI4-Stream beat."""
    return data.StructLayout({"data": width, "last": 1})


class PixelWriter(wiring.Component):
    """Stores an image, one pixel per cycle and word; it is kept until ``release``.

    An image whose ``last`` does not come with its last pixel is dropped, up to and including the
    beat that carries ``last``.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    pixels : In(stream.Signature(beat_layout(pixel_width)))
        Channel 0 lowest, row-major.
    enable : In(1)
        An image may be received, if none is stored.
    discard : In(1)
        The image that is stored, is being received or else comes next is dropped.
    last_pixel : In(config.pixel_address)
        Address of an image's last pixel; looked at while pixels are received.
    release : In(1)
        The stored image is no longer needed.
    pixel : Out(placed_layout(pixel_width, pixel_depth))
        For the pixel memory.
    started : Out(1)
        The first pixel of an image is taken in this cycle.
    waiting : Out(1)
        An image is stored or being received.
    stored : Out(1)
        An image is stored.
    dropped : Out(1)
        High for one cycle after an image was dropped.
    """

    def __init__(self, config):
        super().__init__({
            "pixels": In(stream.Signature(beat_layout(config.pixel_width))),
            "enable": In(1),
            "discard": In(1),
            "last_pixel": In(config.pixel_address),
            "release": In(1),
            "pixel": Out(placed_layout(config.pixel_width, config.pixel_depth)),
            "started": Out(1),
            "waiting": Out(1),
            "stored": Out(1),
            "dropped": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        index = Signal.like(self.last_pixel)
        begun, skipping = signals("begun skipping")
        arrives, last, malformed = signals("arrives last malformed")
        last_pixel = index == self.last_pixel
        m.d.comb += [
            # What follows a dropped image waits until that has been reported.
            self.pixels.ready.eq((self.enable | self.discard) & ~self.stored & ~self.dropped),
            arrives.eq(self.pixels.valid & self.pixels.ready),
            last.eq(self.pixels.p.last),
            malformed.eq(skipping | self.discard | (last != last_pixel)),
            self.started.eq(arrives & ~begun & ~self.discard),
            self.waiting.eq(self.stored | begun),
        ]
        # Copies of the memory lie all over the device; a register shortens the way to them.
        m.d.sync += [
            self.pixel.valid.eq(arrives & ~malformed),
            self.pixel.address.eq(index),
            self.pixel.data.eq(self.pixels.p.data),
            self.dropped.eq(self.discard & self.stored),
        ]
        with m.If(arrives):
            m.d.sync += [index.eq(index + 1), begun.eq(~last), skipping.eq(malformed & ~last)]
            with m.If(last):
                m.d.sync += [self.stored.eq(~malformed), self.dropped.eq(malformed)]
            # Clearing comes last, so that it is the register's reset and takes no logic.
            with m.If(last | malformed):
                m.d.sync += index.eq(0)
        with m.If(self.release | (self.discard & self.stored)):
            m.d.sync += self.stored.eq(0)

        return m
