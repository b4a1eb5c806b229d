"""The split spike code: its planes for every largest count, and how each count is written."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import SpikeCode, planes
from golden.ops.convolve import convolve
from golden.spike import accumulate, passes, plane_weights, set_bits
from tests.documents import tables


SPLIT = SpikeCode.SPLIT

#: Planes of every D, and the additions of the counts 0..D.
TABLE = {
    1: ((1,), (0, 1)),
    2: ((1, 1), (0, 1, 2)),
    3: ((2, 1), (0, 1, 1, 2)),
    4: ((2, 1, 1), (0, 1, 1, 2, 3)),
    5: ((2, 2, 1), (0, 1, 1, 2, 2, 3)),
    6: ((2, 2, 1, 1), (0, 1, 1, 2, 2, 3, 4)),
    7: ((4, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3)),
    8: ((4, 2, 1, 1), (0, 1, 1, 2, 1, 2, 2, 3, 4)),
    9: ((4, 2, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3, 3, 4)),
    10: ((8, 4, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2)),
    11: ((4, 4, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3, 2, 3, 3, 4)),
    12: ((8, 4, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2)),
    13: ((8, 4, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3)),
    14: ((8, 4, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3)),
    15: ((8, 4, 2, 1), (0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4)),
}

ALL = pytest.mark.parametrize("max_count", TABLE)


@ALL
def test_planes_and_additions_are_those_of_the_table(max_count):
    weights, additions = TABLE[max_count]
    assert plane_weights(SPLIT, max_count) == weights
    assert sum(weights) == max_count or weights == (8, 4, 2, 1)
    assert set_bits(np.arange(max_count + 1), SPLIT, max_count).tolist() == list(additions)
    assert passes(SPLIT, max_count) == (tuple(range(len(weights))),)


def test_the_documented_table_is_this_one(project_root):
    text = (project_root / "docs" / "architecture.md").read_text()
    (found,) = (rows for rows in tables(text) if rows[0][0] == "D")
    assert found[2:] == [
        [str(max_count), *(" ".join(map(str, part)) for part in parts)]
        for max_count, parts in TABLE.items()
    ]


@ALL
def test_no_selection_of_planes_has_fewer_spikes_or_equally_many_of_other_weights(max_count):
    weights = plane_weights(SPLIT, max_count)
    written = planes(np.arange(max_count + 1), SPLIT, max_count)
    for count in range(max_count + 1):
        ways = {
            tuple(sorted(weight for weight, taken in zip(weights, way, strict=True) if taken))
            for way in product((0, 1), repeat=len(weights))
            if np.dot(way, weights) == count
        }
        fewest = min(map(len, ways))
        (best,) = (way for way in ways if len(way) == fewest)
        chosen = [w for w, taken in zip(weights, written[:, count], strict=True) if taken]
        assert tuple(sorted(chosen)) == best


@ALL
def test_planes_of_equal_weight_are_used_in_turn_by_the_channels(max_count):
    weights = plane_weights(SPLIT, max_count)
    counts, channels = np.mgrid[: max_count + 1, :12]
    written = planes(counts, SPLIT, max_count, channels)
    for weight in set(weights):
        alike = written[[index for index, other in enumerate(weights) if other == weight]]
        spikes = alike.sum(axis=2)
        assert (spikes == spikes[0]).all()
        # The first of them belongs to the first channel.
        assert (alike[0, :, 0] == (spikes[0] > 0)).all()


def test_a_count_of_one_uses_the_first_plane_in_even_channels_and_the_second_in_odd_ones():
    ones = planes(np.ones(4, int), SPLIT, 4, channels=range(4))
    assert ones.tolist() == [[0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]]
    threes = planes(np.full(4, 3), SPLIT, 4, channels=range(4))
    assert threes.tolist() == [[1, 1, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]
    assert planes(np.array([2, 4]), SPLIT, 4, channels=1).tolist() == [[1, 1], [0, 1], [0, 1]]


@ALL
@given(data=st.data())
def test_every_code_gives_the_same_sums(max_count, data):
    seed = data.draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    shape = data.draw(st.tuples(*[st.integers(1, 4)] * 3))
    counts = rng.integers(0, max_count + 1, (2, *shape))
    weight = rng.integers(-7, 8, (3, shape[0], 1, 1))
    expected = convolve(counts, weight)
    channels = np.arange(shape[0]).reshape(-1, 1, 1)
    for code in SpikeCode:
        *_, total = accumulate(
            lambda plane: convolve(plane, weight), counts, code, max_count, channels
        )
        assert (total == expected).all(), code
        spikes = planes(counts, code, max_count, channels).sum(axis=0)
        repeated = (counts == 4) * (code is SpikeCode.TWO_BIT_SERIAL and max_count == 4)
        assert (set_bits(counts, code, max_count) == spikes + repeated).all(), code
