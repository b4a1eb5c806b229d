"""Testbench of the token sum: sums over all tokens, and the golden counts of the neuron behind."""

import cocotb
import numpy as np

from golden import planes, spike_count
from hw.isa.pairs import PAIR
from hw.rtl.memory import placed_layout

from .base import Cycles, config, generators, packed, pulse
from .stream import unpack


SIZES = config()
LANES, PAIRS, D = SIZES.lanes, SIZES.pairs, SIZES.max_count
WORD = placed_layout(SIZES.spike_width, SIZES.spike_depth)
#: Cycles from values to the next ones of the same pair.
APART = 3
VALUES = [f"add__values__{half}" for half in range(PAIR)]
LEAST, MOST = -(1 << SIZES.sum_width - 1), (1 << SIZES.sum_width - 1) - 1


async def add(cycles, pairs, values, *, gap):
    """Adds values to each pair of a list, in order, as soon as it may be."""
    mask, latest = (1 << SIZES.residual_width) - 1, {}
    for pair, both in zip(pairs.tolist(), values.tolist(), strict=True):
        while cycles.count - latest.get(pair, -APART) < APART or cycles.rng.random() < gap:
            noise = {port: cycles.noise(port) for port in ("add__pair", *VALUES)}
            await cycles.step(add__valid=0, **noise)
        latest[pair] = cycles.count
        masked = [value & mask for value in both]
        await cycles.step(add__valid=1, add__pair=pair, **dict(zip(VALUES, masked, strict=True)))
    await cycles.step(add__valid=0)


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
        word = unpack(WORD, cycles.get("spikes"))
        if word["valid"]:
            assert word["address"] not in written, "a word was stored twice"
            written[word["address"]] = word["data"]
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
    """Several images, values of a pair soon behind each other, sums up to the bounds."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(
        clear=0,
        add__valid=0,
        add__pair=0,
        **dict.fromkeys(VALUES, 0),
        threshold=0,
        threshold_valid=0,
        start=0,
        words=0,
        out=0,
        tag=0,
    )
    for n_words in range(1, SIZES.sum_depth // PAIRS + 1):
        n_pairs = n_words * PAIRS
        await cycles.step(clear=1)
        await cycles.step(clear=0)
        await wait_idle(cycles)
        # Few pairs at a time, so that the same one often follows itself at once.
        pairs = np.repeat(draw.permutation(n_pairs), 6) // draw.choice([1, 2], 6 * n_pairs)
        low = -(1 << SIZES.residual_width - 1)
        values = draw.integers(low // 8, -low // 8, (len(pairs), PAIR))
        values[:4] = [[low, -low - 1], [-low - 1, low], [low, low], [low, low]]
        totals = np.stack([np.bincount(pairs, part, n_pairs) for part in values.T], axis=1)
        # A word has no odd lane in its last pair where lanes are odd.
        sums = totals.astype(np.int64).reshape(n_words, -1)[:, :LANES].ravel()
        assert sums.min() >= LEAST
        assert sums.max() <= MOST
        ladder = np.sort(draw.choice(sums, D) + draw.integers(0, 2, D))
        if n_words == 1:
            ladder[0], ladder[-1] = LEAST, MOST
        await add(cycles, pairs, values, gap=gap)
        counts = spike_count(sums[np.newaxis], ladder[np.newaxis])[0]
        bits = planes(counts.reshape(n_words, LANES), SIZES.spike_code, D, np.arange(LANES))
        out = int(draw.integers(100))
        expected = {out + word: packed(bits[:, word].ravel(), 1) for word in range(n_words)}
        written, spent = await fire(cycles, ladder, n_words=n_words, out=out)
        assert written == expected, f"{n_words} words of channels: {written}, golden {expected}"
        assert spent == n_pairs * (D + 3) + n_words + 2, f"{spent} cycles"
