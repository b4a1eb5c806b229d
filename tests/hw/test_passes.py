"""Passes: what the banks of a column take in them makes up the count, or the pixel."""

from types import SimpleNamespace

import numpy as np
import pytest

from golden import SpikeCode, planes
from hw.isa.checksum import checksum
from hw.isa.core_config import SPIKE_CODES
from hw.isa.passes import PIXEL_PLANES, bank_weights, count_passes, layer_passes, pixel_passes
from tests.engines import sizes


#: Lanes that words have here.
LANES = 5


def layer(config, *, pixels):
    """Fields of a layer's descriptor that say which passes it takes."""
    taken = config.pixel_passes if pixels else config.passes
    return {"pixels": int(pixels), "passes": len(taken) - 1}


def words_of(bits):
    """Words of the bits of their lanes, along the last axis."""
    return (bits << np.arange(bits.shape[-1])).sum(axis=-1)


def sums(config, found, doublings):
    """What lanes add up of unit weights: shape (words, lanes)."""
    bits = found[..., np.newaxis] >> np.arange(LANES) & 1
    total = 0
    for banks in bits:
        total = total * 2**doublings + sum(
            weight * bank for weight, bank in zip(config.bank_weights, banks, strict=True)
        )
    return total


@pytest.mark.parametrize("code", SPIKE_CODES)
@pytest.mark.parametrize("max_count", range(1, 16))
def test_banks_add_up_the_count_in_every_lane(code, max_count):
    config = sizes(lanes=LANES, code=code, max_count=max_count)
    counts = np.tile(np.arange(max_count + 1)[:, np.newaxis], LANES)
    words = words_of(planes(counts, code, max_count, np.arange(LANES)))
    found = layer_passes(config, layer(config, pixels=False), words)
    assert found.shape == (len(config.passes), config.banks, max_count + 1)
    # Between passes of one digit, sums double once.
    assert sums(config, found, 1).tolist() == counts.tolist()


@pytest.mark.parametrize("code", SPIKE_CODES)
@pytest.mark.parametrize("max_count", range(1, 16))
def test_banks_add_up_the_pixel_in_every_lane(code, max_count):
    config = sizes(lanes=LANES, code=code, max_count=max_count)
    pixels = np.tile(np.arange(256)[:, np.newaxis], LANES)
    words = words_of(planes(pixels, SpikeCode.BIT_SERIAL, 255))
    found = layer_passes(config, layer(config, pixels=True), words)
    assert sums(config, found, config.pixel_doublings).tolist() == pixels.tolist()
    # Each bit is an addition of one bank.
    assert np.bitwise_count(found).sum() == np.bitwise_count(words).sum()


@pytest.mark.parametrize("code", SPIKE_CODES)
def test_every_plane_belongs_to_one_pass(code):
    for max_count in range(1, 16):
        every = [plane for group in count_passes(code, max_count) for plane in group]
        assert every == list(range(len(planes(np.array([0]), code, max_count))))
        bits = {bank.bit for banks in pixel_passes(code, max_count) for bank in banks}
        assert bits >= set(range(PIXEL_PLANES))


def test_a_digit_weighs_as_much_as_its_bits_say():
    for max_count in range(1, 16):
        for code in SPIKE_CODES:
            config = sizes(code=code, max_count=max_count)
            assert config.doublings + len(config.passes) - 1 == config.digit_width
            assert config.doublings >= 1


@pytest.mark.parametrize("code", SPIKE_CODES)
def test_jobs_without_spikes_take_one_pass(code):
    config = SimpleNamespace(passes=count_passes(code, 15))
    words = np.zeros((4, 3), np.int64)
    assert len(layer_passes(config, {"pixels": 0, "passes": 0}, words)) == 1


def test_banks_are_at_most_four():
    assert {len(bank_weights(SpikeCode.SPLIT, count)) for count in range(1, 16)} == {1, 2, 3, 4}


def test_a_checksum_notices_every_bit_and_the_order_of_beats():
    beats = [3 << 100, 5, 1 << 127]
    sums = {checksum(beats, 128), checksum(beats[::-1], 128), checksum(beats[:2], 128)}
    sums |= {checksum([beats[0] ^ 1 << bit, *beats[1:]], 128) for bit in range(32)}
    assert len(sums) == 3 + 32
