"""Testbench of the token sum: sums over all tokens, and the golden counts of the neuron behind."""

import cocotb
import numpy as np

from golden import planes, spike_count

from .base import Cycles, config, generators, packed, pulse


SIZES = config()
LANES, D = SIZES.lanes, SIZES.max_count
LEAST, MOST = -(1 << SIZES.sum_width - 1), (1 << SIZES.sum_width - 1) - 1


async def add(cycles, channel, values, *, gap):
    """Adds a value to each channel of a list, in order."""
    mask = (1 << SIZES.residual_width) - 1
    for index, value in zip(channel, values, strict=True):
        while cycles.rng.random() < gap:
            await cycles.step(add=0, channel=cycles.noise("channel"), value=cycles.noise("value"))
        await cycles.step(add=1, channel=int(index), value=int(value) & mask)
    await cycles.step(add=0)


async def fire(cycles, ladder, *, n_words, out):
    """Loads thresholds, fires, and returns the stored words by address, and the cycles taken."""
    for threshold in ladder:
        while pulse(cycles.rng, 0.3):
            await cycles.step(threshold_valid=0, threshold=cycles.noise("threshold"))
        await cycles.step(threshold_valid=1, threshold=int(threshold) & 0xFFFFFFFF)
    await cycles.step(threshold_valid=0, threshold=cycles.noise("threshold"))
    begin = cycles.count
    await cycles.step(start=1, words=n_words, out=out)
    written = {}
    await cycles.step(start=0)
    while not cycles.get("idle"):
        if cycles.get("write"):
            assert cycles.get("address") not in written, "a word was stored twice"
            written[cycles.get("address")] = cycles.get("data")
        await cycles.step()
        assert cycles.count - begin < 100_000, "firing did not end"
    return written, cycles.count - begin


async def wait_idle(cycles):
    """Lets cycles pass until nothing is at work."""
    await cycles.step()
    while not cycles.get("idle"):
        await cycles.step()


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.5])
async def counts_of_sums_match_golden(dut, gap):
    """Several images, values of one channel right behind each other, sums up to the bounds."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(
        clear=0,
        add=0,
        channel=0,
        value=0,
        threshold=0,
        threshold_valid=0,
        start=0,
        words=0,
        out=0,
        tag=0,
    )
    for n_words in range(1, SIZES.sum_depth // LANES + 1):
        n_channels = n_words * LANES
        await cycles.step(clear=1)
        await cycles.step(clear=0)
        await wait_idle(cycles)
        # Few channels at a time, so that the same one often follows itself at once.
        channel = np.repeat(draw.permutation(n_channels), 6) // draw.choice([1, 2], 6 * n_channels)
        low = -(1 << SIZES.residual_width - 1)
        values = draw.integers(low // 8, -low // 8, len(channel))
        values[:4] = (low, -low - 1, low, low)
        sums = np.bincount(channel, values, n_channels).astype(np.int64)
        assert sums.min() >= LEAST
        assert sums.max() <= MOST
        ladder = np.sort(draw.choice(sums, D) + draw.integers(0, 2, D))
        if n_words == 1:
            ladder[0], ladder[-1] = LEAST, MOST
        await add(cycles, channel, values, gap=gap)
        counts = spike_count(sums[np.newaxis], ladder[np.newaxis])[0]
        bits = planes(counts.reshape(n_words, LANES), SIZES.spike_code, D, np.arange(LANES))
        out = int(draw.integers(100))
        expected = {out + word: packed(bits[:, word].ravel(), 1) for word in range(n_words)}
        written, spent = await fire(cycles, ladder, n_words=n_words, out=out)
        assert written == expected, f"{n_words} words of channels: {written}, golden {expected}"
        assert spent <= n_channels * (D + 4) + n_words + 4, f"{spent} cycles"
