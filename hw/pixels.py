"""The pixel writer: 8-bit pixels become bit planes in the spike memory."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .capacities import PIXEL_PLANES


__all__ = ["PixelWriter", "beat_layout"]


def beat_layout(width):
    """Payload of an AXI4-Stream beat."""
    return data.StructLayout({"data": width, "last": 1})


class PixelWriter(wiring.Component):
    """Stores an image as 8 planes, most significant first, one word per pixel and plane.

    A constant channel goes behind those that arrive. One pixel takes 8 cycles. An image whose
    ``last`` does not come with its last pixel is dropped, up to and including the beat that carries
    ``last``.

    Parameters
    ----------
    capacities : Capacities

    Members
    -------
    pixels : In(stream.Signature(beat_layout(8 * pixel_channels)))
        Channel 0 lowest, row-major.
    enable : In(1)
        An image may be received.
    discard : In(1)
        The image that comes is dropped, too, as if it were malformed.
    n_pixels : In(capacities.spike_address)
        Pixels of an image; also the distance of its planes.
    write : Out(1)
    address : Out(capacities.spike_address)
    data : Out(lanes)
    started : Out(1)
        The first pixel of an image is taken in this cycle.
    done : Out(1)
        High for one cycle after a whole image is stored.
    dropped : Out(1)
        High for one cycle after a malformed image has ended.
    """

    def __init__(self, capacities):
        self.constant = capacities.pixel_constant
        super().__init__({
            "pixels": In(stream.Signature(beat_layout(8 * capacities.pixel_channels))),
            "enable": In(1),
            "discard": In(1),
            "n_pixels": In(capacities.spike_address),
            "write": Out(1),
            "address": Out(capacities.spike_address),
            "data": Out(capacities.lanes),
            "started": Out(1),
            "done": Out(1),
            "dropped": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        arriving = self.pixels.p.data
        if self.constant:
            arriving = Cat(arriving, C(self.constant, 8))
        pixel = Signal(len(arriving))
        planes = Signal(range(PIXEL_PLANES + 1))
        index = Signal.like(self.n_pixels)
        final = Signal()
        skipping = Signal()
        # Compared a cycle ahead: between pixels, and before the first one, there is time.
        complete, enabled = Signal(), Signal()
        following = Signal.like(index)
        m.d.comb += following.eq(index + 1)
        m.d.sync += [complete.eq(following == self.n_pixels), enabled.eq(self.enable)]

        m.d.comb += [
            # What follows a malformed image waits until that has been reported.
            self.pixels.ready.eq(((self.enable & enabled) | self.discard) & ~self.dropped
                                 & ((planes == 0) | ((planes == 1) & ~final))),
            self.started.eq(self.pixels.valid & self.pixels.ready & (index == 0) & ~skipping
                            & ~self.discard),
            self.write.eq(planes != 0),
            self.data.eq(Cat(pixel[bit] for bit in range(7, len(pixel), 8))),
            self.done.eq(final & (planes == 1)),
        ]

        with m.If(self.write):
            m.d.sync += [
                planes.eq(planes - 1),
                self.address.eq(self.address + self.n_pixels),
                pixel.eq(pixel << 1),
            ]
        m.d.sync += self.dropped.eq(0)
        arrives, malformed = Signal(), Signal()
        m.d.comb += [
            arrives.eq(self.pixels.valid & self.pixels.ready),
            malformed.eq(skipping | self.discard | (self.pixels.p.last != complete)),
        ]
        with m.If(arrives):
            with m.If(malformed):
                m.d.sync += [
                    skipping.eq(~self.pixels.p.last),
                    self.dropped.eq(self.pixels.p.last),
                ]
            with m.Else():
                m.d.sync += [
                    pixel.eq(arriving),
                    planes.eq(PIXEL_PLANES),
                    self.address.eq(index),
                    index.eq(following),
                    final.eq(complete),
                ]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(arrives & (malformed | complete)):
            m.d.sync += index.eq(0)

        return m
