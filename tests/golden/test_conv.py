"""Convolution against a loop over single additions."""

import numpy as np
import pytest

from golden.exact import exact_dtype
from golden.ops.conv import convolve, output_size, tap_cover


def convolve_by_loops(counts, weight, stride, padding, *, depthwise):
    """Every product on its own, in Python integers."""
    images, channels, height, width = counts.shape
    kernel = weight.shape[2]
    size = [output_size(side, kernel, stride, padding) for side in (height, width)]
    potential = np.zeros((images, len(weight), *size), np.int64)
    for image, out, row, column in np.ndindex(*potential.shape):
        total = 0
        for channel in [out] if depthwise else range(channels):
            for i, j in np.ndindex(kernel, kernel):
                y, x = row * stride + i - padding, column * stride + j - padding
                if 0 <= y < height and 0 <= x < width:
                    factor = weight[out, 0 if depthwise else channel, i, j]
                    total += int(counts[image, channel, y, x]) * int(factor)
        potential[image, out, row, column] = total
    return potential


CASES = [
    # height, width, kernel, stride, padding
    (5, 4, 1, 1, 0), (5, 4, 3, 1, 1), (5, 4, 3, 2, 1), (6, 5, 3, 3, 0), (7, 3, 3, 1, 2),
    (4, 4, 7, 1, 3), (5, 6, 7, 2, 3), (1, 1, 3, 1, 1), (2, 5, 1, 2, 0),
]


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_potentials_equal_single_additions(case, depthwise):
    height, width, kernel, stride, padding = case
    rng = np.random.default_rng(sum(case))
    counts = rng.integers(0, 16, (2, 3, height, width))
    weight = rng.integers(-127, 128, (3 if depthwise else 4, 1 if depthwise else 3, kernel, kernel))
    actual = convolve(counts, weight.astype(np.int8), stride=stride, padding=padding,
                      depthwise=depthwise)
    assert actual.dtype == np.int64
    expected = convolve_by_loops(counts, weight, stride, padding, depthwise=depthwise)
    assert np.array_equal(actual, expected)


@pytest.mark.parametrize("sign", [-127, 127])
def test_stem_on_white_pixels_takes_the_extreme(sign):
    pixels = np.full((1, 3, 7, 7), 255)
    weight = np.full((1, 3, 7, 7), sign, np.int8)
    assert convolve(pixels, weight).tolist() == [[[[255 * sign * 147]]]]


def test_sums_beyond_float32_are_exact():
    counts = np.full((1, 2**16 + 1, 1, 1), 255)
    counts[0, 0] = 254
    weight = np.full((1, 2**16 + 1, 1, 1), 127, np.int8)
    expected = 127 * (255 * 2**16 + 254)
    assert int(np.float32(expected)) != expected
    assert convolve(counts, weight).item() == expected


def test_exact_type_follows_the_bound():
    assert exact_dtype(2**24) is np.float64
    assert exact_dtype(2**53 - 1) is np.float64
    with pytest.raises(OverflowError, match="below 2\\*\\*53"):
        exact_dtype(2**53)


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="Counts must not be negative, not -1"):
        convolve(np.full((1, 1, 1, 1), -1), np.ones((1, 1, 1, 1), np.int8))


@pytest.mark.parametrize("case", CASES)
def test_tap_cover_counts_the_windows_over_each_position(case):
    height, width, kernel, stride, padding = case
    covered = []
    for row, column in np.ndindex(height, width):
        counts = np.zeros((1, 1, height, width), np.int64)
        counts[0, 0, row, column] = 1
        ones = np.ones((1, 1, kernel, kernel), np.int8)
        covered.append(convolve(counts, ones, stride=stride, padding=padding).sum())
    rows, columns = (tap_cover(side, kernel, stride, padding) for side in (height, width))
    assert np.outer(rows, columns).ravel().tolist() == covered


def test_a_stride_beyond_the_map_may_be_any_integer():
    for stride in (5, 2**31, 2**70):
        assert tap_cover(4, 3, stride, 1).tolist() == [1, 1, 0, 0]
        assert convolve(np.ones((1, 1, 4, 4), int), np.ones((1, 1, 3, 3), int), stride=stride,
                        padding=1).tolist() == [[[[4]]]]
