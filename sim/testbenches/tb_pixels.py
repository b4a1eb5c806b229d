"""Testbench of the pixel writer: every image is stored and kept, and malformed ones are dropped."""

import cocotb
from cocotb.triggers import RisingEdge

from hw.rtl.memory import placed_layout

from .base import Cycles, config, generators, packed, pulse
from .stream import Source, amaranth_port, unpack


SIZES = config()
CHANNELS = SIZES.pixel_channels
PIXEL = placed_layout(SIZES.pixel_width, SIZES.pixel_depth)
LAST = 1 << 8 * CHANNELS
QUIET = {
    "enable": 0,
    "discard": 0,
    "release": 0,
    "last_pixel": 0,
    "pixels__valid": 0,
    "pixels__payload": 0,
}


class Watch:
    """Stands for the sequencer: notes what is stored and reported, enables and releases."""

    def __init__(self, dut, rng):
        self.dut, self.rng = dut, rng
        self.written = []
        self.seen = {"started": 0, "images": 0, "dropped": 0}

    async def run(self):
        """Watch until the test ends."""
        dut, edge = self.dut, RisingEdge(self.dut.clk)
        stored = False
        while True:
            await edge
            pixel = unpack(PIXEL, int(dut.pixel.value))
            if pixel["valid"]:
                self.written.append((pixel["address"], pixel["data"]))
            for name in ("started", "dropped"):
                self.seen[name] += int(getattr(dut, name).value)
            self.seen["images"] += int(dut.stored.value) and not stored
            stored = int(dut.stored.value)
            if stored or int(dut.dropped.value):
                taken = int(dut.pixels__valid.value) and int(dut.pixels__ready.value)
                assert not taken, "a pixel was taken before the last image was done with"
            assert int(dut.waiting.value) or not stored
            dut.release.value = stored and not int(dut.release.value) and pulse(self.rng, 0.2)
            dut.enable.value = pulse(self.rng, 0.8)


def beats(image):
    """Beats of an image of shape (pixels, channels)."""
    words = [packed(pixel, 8) for pixel in image.tolist()]
    words[-1] |= LAST
    return words


def stored_pixels(image):
    """Writes of an image."""
    return [(index, packed(pixel, 8)) for index, pixel in enumerate(image.tolist())]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.7])
async def images_are_stored(dut, stall):
    """Good images, also right after a malformed one, which is never reported as stored."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(**QUIET)
    source = Source(amaranth_port(dut, "pixels"), rng=rng, stall=stall)
    watch = Watch(dut, rng)
    watching = cocotb.start_soon(watch.run())
    for n_pixels in (1, 2, 9):
        dut.last_pixel.value = n_pixels - 1
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
            expected = stored_pixels(image)
            await source.send_all(beats(image))
            while watch.seen["images"] == before["images"] and not watching.done():
                await cycles.step()
            assert watch.written[-len(expected) :] == expected, f"image {number} differs"
            increments = {name: watch.seen[name] - before[name] for name in before}
            assert increments == {"started": 1 + number % 2, "images": 1, "dropped": number % 2}, (
                f"image {number} of {n_pixels} pixels: {increments}"
            )


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_pixel_takes_a_cycle_and_waits_for_enable_and_release(dut):
    """Nothing is taken before the header is known, nor while an image is kept."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    words = beats(draw.integers(0, 256, (6, CHANNELS)))
    await cycles.reset(**QUIET | {"last_pixel": 5, "pixels__valid": 1, "pixels__payload": words[0]})
    for _ in range(20):
        await cycles.step()
        assert not cycles.get("pixels__ready")
        assert not cycles.get("waiting")
    for word in words:
        await cycles.step(enable=1, pixels__payload=word)
        assert cycles.get("pixels__ready")
        assert not cycles.get("stored")
    for _ in range(20):
        await cycles.step()
        assert cycles.get("stored")
        assert not cycles.get("pixels__ready")
    await cycles.step(release=1)
    await cycles.step(release=0)
    assert not cycles.get("stored")
    assert cycles.get("pixels__ready")


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def discarded_pixels_are_not_stored(dut):
    """An image that nobody wants is taken to its end, whatever its length, and reported once."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(**QUIET | {"last_pixel": 5})
    source = Source(amaranth_port(dut, "pixels"), rng=rng, stall=0.3)
    for n_pixels in (6, 1, 9):
        written, dropped = 0, 0
        dut.discard.value = 1
        sending = cocotb.start_soon(
            source.send_all(beats(draw.integers(0, 256, (n_pixels, CHANNELS))))
        )
        while not dropped:
            await cycles.step()
            written += unpack(PIXEL, cycles.get("pixel"))["valid"]
            dropped += cycles.get("dropped")
            assert not cycles.get("started")
            assert cycles.count < 1000, "the image is not dropped"
        dut.discard.value = 0
        await sending
        await cycles.step()
        assert written == 0, "a discarded pixel was stored"
        assert not cycles.get("dropped")
        assert not cycles.get("waiting")


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(sent=[3, 6])
async def an_image_is_dropped_where_it_stands(dut, sent):
    """One that is stored goes at once; one that is being received, at its end."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    words = beats(draw.integers(0, 256, (6, CHANNELS)))
    await cycles.reset(**QUIET | {"last_pixel": 5, "enable": 1})
    for word in words[:sent]:
        await cycles.step(pixels__valid=1, pixels__payload=word)
    await cycles.step(pixels__valid=0, enable=0)
    assert cycles.get("waiting")
    await cycles.step(discard=1)
    for word in words[sent:]:
        assert not cycles.get("dropped")
        await cycles.step(pixels__valid=1, pixels__payload=word)
        assert cycles.get("pixels__ready")
    await cycles.step(pixels__valid=0, discard=0)
    assert cycles.get("dropped")
    assert not cycles.get("waiting")
