"""Bench of the pixel writer: bit planes of every image, and malformed images dropped."""

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from golden import SpikeCode, planes

from .bench import Cycles, capacities, generators, packed, pulse
from .stream import Source, amaranth_port


SIZES = capacities()
CHANNELS = SIZES.pixel_channels
LAST = 1 << 8 * CHANNELS


class Watch:
    """Stands for the sequencer: notes what is stored and reported, and enables each image."""

    def __init__(self, dut, rng):
        self.dut, self.rng = dut, rng
        self.written = []
        self.seen = {"started": 0, "done": 0, "dropped": 0}

    async def run(self):
        """Watch until the test ends."""
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            if int(self.dut.write.value):
                self.written.append((int(self.dut.address.value), int(self.dut.data.value)))
            for name in self.seen:
                self.seen[name] += int(getattr(self.dut, name).value)
            if int(self.dut.done.value) or int(self.dut.dropped.value):
                taken = int(self.dut.pixels__valid.value) and int(self.dut.pixels__ready.value)
                assert not taken, "a pixel was taken before the end of the last image was seen"
                self.dut.enable.value = 0
            elif not int(self.dut.enable.value):
                self.dut.enable.value = pulse(self.rng, 0.3)


def beats(image):
    """Beats of an image of shape (pixels, channels)."""
    words = [packed(pixel, 8) for pixel in image.tolist()]
    words[-1] |= LAST
    return words


def stored(image):
    """Writes of an image: pixel after pixel, most significant plane first."""
    if SIZES.pixel_constant:
        image = np.pad(image, ((0, 0), (0, 1)), constant_values=SIZES.pixel_constant)
    bits = planes(image, SpikeCode.BITPLANE, 255)
    return [(plane * len(image) + pixel, packed(bits[plane, pixel], 1))
            for pixel in range(len(image)) for plane in range(8)]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.7])
async def images_are_stored_as_planes(dut, stall):
    """Good images, also right after a malformed one, of which nothing is reported as done."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(enable=0, discard=0, n_pixels=0, pixels__valid=0, pixels__payload=0)
    source = Source(amaranth_port(dut, "pixels"), rng=rng, stall=stall)
    watch = Watch(dut, rng)
    watching = cocotb.start_soon(watch.run())
    for n_pixels in (1, 2, 9):
        dut.n_pixels.value = n_pixels
        good = draw.integers(0, 256, (4, n_pixels, CHANNELS))
        good[0], good[1] = 0, 255
        for number, image in enumerate(good):
            before = dict(watch.seen)
            if number % 2:
                # Too long by up to 3 pixels, or too short where that is possible.
                bad = beats(draw.integers(0, 256, (n_pixels + int(draw.integers(1, 4)), CHANNELS)))
                if n_pixels > 1 and pulse(rng, 0.5):
                    bad = beats(draw.integers(0, 256, (n_pixels - 1, CHANNELS)))
                await source.send_all(bad)
            expected = stored(image)
            await source.send_all(beats(image))
            while watch.seen["done"] == before["done"] and not watching.done():
                await cycles.step()
            assert watch.written[-len(expected):] == expected, f"image {number} differs"
            increments = {name: watch.seen[name] - before[name] for name in before}
            assert increments == {"started": 1 + number % 2, "done": 1, "dropped": number % 2}, \
                f"image {number} of {n_pixels} pixels: {increments}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_pixel_takes_eight_cycles_and_waits_for_enable(dut):
    """Nothing is taken while the core is at work; then the port is ready every eighth cycle."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    words = beats(draw.integers(0, 256, (6, CHANNELS)))
    await cycles.reset(enable=0, discard=0, n_pixels=6, pixels__valid=1,
                       pixels__payload=words[0])
    for _ in range(20):
        await cycles.step()
        assert not cycles.get("pixels__ready")
    begin, done = cycles.count, False
    while not done:
        await cycles.step(enable=1, pixels__valid=int(bool(words)),
                          pixels__payload=words[0] if words else cycles.noise("pixels__payload"))
        if words and cycles.get("pixels__ready"):
            words.pop(0)
        done = cycles.get("done")
        assert cycles.count - begin < 100, "the image is not done"
    assert cycles.count - begin == 2 + 6 * 8, f"{cycles.count - begin} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def discarded_pixels_are_not_stored(dut):
    """An image that nobody wants is taken to its end, whatever its length, and reported once."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(enable=0, discard=1, n_pixels=6, pixels__valid=0, pixels__payload=0)
    source = Source(amaranth_port(dut, "pixels"), rng=rng, stall=0.3)
    watch = Watch(dut, rng)
    for n_pixels in (6, 1, 9):
        dut.discard.value = 1
        watching = cocotb.start_soon(watch.run())
        await source.send_all(beats(draw.integers(0, 256, (n_pixels, CHANNELS))))
        dut.discard.value = 0
        await cycles.step()
        await cycles.step()
        watching.cancel()
        assert watch.written == [], "a discarded pixel was stored"
        assert watch.seen == {"started": 0, "done": 0, "dropped": 1}, watch.seen
        watch.seen["dropped"] = 0
