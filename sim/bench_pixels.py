"""Bench of the pixel writer: bit planes of every image, and malformed images dropped."""

import cocotb
from cocotb.triggers import RisingEdge

from golden import SpikeCode, planes

from .bench import Cycles, capacities, generators, packed, pulse
from .stream import Source, amaranth_port


SIZES = capacities()
CHANNELS = SIZES.pixel_channels
LAST = 1 << 8 * CHANNELS


class Watch:
    """Notes what the component stores and reports, cycle by cycle."""

    def __init__(self, dut):
        self.dut = dut
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


def beats(image):
    """Beats of an image of shape (pixels, channels)."""
    words = [packed(pixel, 8) for pixel in image.tolist()]
    words[-1] |= LAST
    return words


def stored(image):
    """Writes of an image: pixel after pixel, most significant plane first."""
    bits = planes(image, SpikeCode.BITPLANE, 255)
    return [(plane * len(image) + pixel, packed(bits[plane, pixel], 1))
            for pixel in range(len(image)) for plane in range(8)]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.7])
async def images_are_stored_as_planes(dut, stall):
    """Good images, also right after a malformed one, of which nothing is reported as done."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(enable=0, n_pixels=0, pixels__valid=0, pixels__payload=0)
    source = Source(amaranth_port(dut, "pixels"), rng=rng, stall=stall)
    watch = Watch(dut)
    cocotb.start_soon(watch.run())
    for n_pixels in (1, 2, 9):
        await cycles.step(n_pixels=n_pixels, enable=1)
        good = draw.integers(0, 256, (4, n_pixels, CHANNELS))
        good[0], good[1] = 0, 255
        for number, image in enumerate(good):
            if number % 2:
                # Too long by up to 3 pixels, or too short where that is possible.
                bad = beats(draw.integers(0, 256, (n_pixels + int(draw.integers(1, 4)), CHANNELS)))
                if n_pixels > 1 and pulse(rng, 0.5):
                    bad = beats(draw.integers(0, 256, (n_pixels - 1, CHANNELS)))
                before = dict(watch.seen)
                await source.send_all(bad)
                for _ in range(10):
                    await cycles.step()
                assert watch.seen["dropped"] == before["dropped"] + 1, "no image was dropped"
                assert watch.seen["done"] == before["done"], "a malformed image is done"
                assert watch.seen["started"] == before["started"] + 1
            watch.written.clear()
            done = watch.seen["done"]
            await source.send_all(beats(image))
            for _ in range(10):
                await cycles.step()
            assert watch.written == stored(image), f"image {number} of {n_pixels} pixels differs"
            assert watch.seen["done"] == done + 1


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_pixel_takes_eight_cycles_and_waits_for_enable(dut):
    """Nothing is taken while the core is at work; then the port is ready every ninth cycle."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    words = beats(draw.integers(0, 256, (6, CHANNELS)))
    await cycles.reset(enable=0, n_pixels=6, pixels__valid=1, pixels__payload=words[0])
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
    assert cycles.count - begin == 6 * 9, f"{cycles.count - begin} cycles"
