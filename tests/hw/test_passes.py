"""Passes: the additions that the planes of a pass ask for make up the count."""

from types import SimpleNamespace

import numpy as np
import pytest

from golden import SpikeCode, planes
from golden.spike import passes, set_bits
from hw.isa.checksum import checksum
from hw.isa.core_config import SPIKE_CODES
from hw.isa.passes import (
    MSB_FIRST,
    PIXEL_PLANES,
    additions_of,
    layer_passes,
    pass_additions,
    pixel_passes,
    split_msb_pays,
)


@pytest.mark.parametrize("max_count", [*range(1, 16), 255])
def test_additions_of_2_bit_serial_spikes_make_up_the_count(max_count):
    counts = np.arange(max_count + 1)
    expanded = planes(counts, SpikeCode.TWO_BIT_SERIAL, max_count)
    total, additions = 0, 0
    for group in passes(SpikeCode.TWO_BIT_SERIAL, max_count):
        first, add_1x, add_second = additions_of([expanded[plane] for plane in group])
        assert not (add_second & ~first).any(), "who adds again adds at first"
        total = total * 4 + first * np.where(add_1x, 1, 2) + add_second * 2
        additions = additions + first + add_second
    assert total.tolist() == counts.tolist()
    assert additions.tolist() == set_bits(counts, SpikeCode.TWO_BIT_SERIAL, max_count).tolist()


@pytest.mark.parametrize("code", SPIKE_CODES)
def test_every_plane_belongs_to_one_pass(code):
    for max_count in range(1, 16):
        every = [plane for group in passes(code, max_count) for plane in group]
        assert every == list(range(len(planes(np.array([0]), code, max_count))))
    assert sum(map(len, pixel_passes(code))) == PIXEL_PLANES


@pytest.mark.parametrize("code", SPIKE_CODES)
def test_jobs_without_spikes_take_one_pass(code):
    config = SimpleNamespace(passes=passes(code, 15))
    descriptor = {"pixels": 0, "fours": 0, "passes": len(config.passes) - 1}
    assert layer_passes(config, descriptor) == config.passes
    assert len(layer_passes(config, descriptor | {"passes": 0})) == 1


def test_the_msb_plane_in_a_pass_of_its_own_makes_up_the_count_with_one_addition():
    counts = np.arange(5)
    expanded = planes(counts, SpikeCode.TWO_BIT_SERIAL, 4)
    (four,), others = MSB_FIRST
    first, add_1x, add_second = additions_of([expanded[plane] for plane in others])
    # The first pass adds the double, and sums double once behind it.
    total = expanded[four] * 2 * 2 + first * np.where(add_1x, 1, 2) + add_second * 2
    assert total.tolist() == counts.tolist()
    assert (expanded[four] + first + add_second).tolist() == set_bits(
        counts, SpikeCode.BIT_SERIAL, 4
    ).tolist()


def test_splitting_the_msb_plane_pays_where_words_have_many_spikes():
    assert split_msb_pays(SpikeCode.TWO_BIT_SERIAL, 4, 0.6, 16)
    assert not split_msb_pays(SpikeCode.TWO_BIT_SERIAL, 4, 0.6, 4)
    assert not split_msb_pays(SpikeCode.TWO_BIT_SERIAL, 4, 0.1, 16)
    assert not split_msb_pays(SpikeCode.TWO_BIT_SERIAL, 8, 2, 16)
    assert not split_msb_pays(SpikeCode.BIT_SERIAL, 4, 0.6, 16)


def test_other_codes_add_a_plane_once():
    plane = np.array([0, 1, 1])
    first, add_second = pass_additions([plane], False)
    assert first.tolist() == [0, 1, 1]
    assert add_second.tolist() == [0, 0, 0]


def test_a_checksum_notices_every_bit_and_the_order_of_beats():
    beats = [3 << 100, 5, 1 << 127]
    sums = {checksum(beats, 128), checksum(beats[::-1], 128), checksum(beats[:2], 128)}
    sums |= {checksum([beats[0] ^ 1 << bit, *beats[1:]], 128) for bit in range(32)}
    assert len(sums) == 3 + 32
