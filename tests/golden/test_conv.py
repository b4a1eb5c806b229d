"""Convolution against a loop over single additions."""

import numpy as np
import pytest

from golden.axis import Axis
from golden.exact import exact_dtype
from golden.ops.convolve import convolve


def convolve_by_loops(counts, weight, stride, padding, *, depthwise):
    """Every product on its own, in Python integers."""
    images, channels, height, width = counts.shape
    kernel = weight.shape[2]
    size = [(side + 2 * padding - kernel) // stride + 1 for side in (height, width)]
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
    (5, 4, 1, 1, 0),
    (5, 4, 3, 1, 1),
    (5, 4, 3, 2, 1),
    (6, 5, 3, 3, 0),
    (7, 3, 3, 1, 2),
    (4, 4, 7, 1, 3),
    (5, 6, 7, 2, 3),
    (1, 1, 3, 1, 1),
    (2, 5, 1, 2, 0),
]


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_potentials_equal_single_additions(case, depthwise):
    height, width, kernel, stride, padding = case
    rng = np.random.default_rng(sum(case))
    counts = rng.integers(0, 16, (2, 3, height, width))
    weight = rng.integers(-127, 128, (3 if depthwise else 4, 1 if depthwise else 3, kernel, kernel))
    actual = convolve(
        counts,
        weight.astype(np.int8),
        [Axis.padded(kernel, stride, padding)] * 2,
        3 if depthwise else 1,
    )
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


def convolve_by_pairs(counts, weight, axes, groups):
    """Every product on its own, over the pairs that each axis names."""
    (samples, channels, *size), outputs = counts.shape, len(weight)
    lengths = [axis.length(side) for axis, side in zip(axes, size, strict=True)]
    potential = np.zeros((samples, outputs, *lengths), np.int64)
    for sample, out, row, column in np.ndindex(*potential.shape):
        first = out // (outputs // groups) * (channels // groups)
        potential[sample, out, row, column] = sum(
            int(counts[sample, first + channel, y, x]) * int(weight[out, channel, i, j])
            for channel in range(channels // groups)
            for i, y in axes[0].pairs(row, size[0])
            for j, x in axes[1].pairs(column, size[1])
        )
    return potential


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize(
    "axes",
    [
        (Axis(1), Axis(4, before=3)),
        (Axis(2, 2, after=1), Axis(3, before=2)),
        (Axis(3, dilation=2, before=1, after=4), Axis(2, 3)),
        (Axis(1, upsample=2), Axis(1, upsample=3)),
        (Axis(4, 2, 2, 2, transposed=True), Axis(3, 3, 1, 0, transposed=True)),
        (Axis(1, upsample=2), Axis(2, 2, 1, 1, 2, transposed=True)),
    ],
)
def test_potentials_of_all_axes_and_groups_equal_single_additions(axes, groups):
    rng = np.random.default_rng(groups)
    counts = rng.integers(0, 256, (2, 6, 5, 4))
    kernel = [axis.kernel for axis in axes]
    weight = rng.integers(-(2**15) + 1, 2**15, (12 if groups == 2 else 6, 6 // groups, *kernel))
    actual = convolve(counts, weight.astype(np.int16), axes, groups)
    assert np.array_equal(actual, convolve_by_pairs(counts, weight, axes, groups))
    # Axes in front of the channels are of no account.
    framed = convolve(counts.reshape(2, 1, 6, 5, 4), weight.astype(np.int16), axes, groups)
    assert np.array_equal(framed[:, 0], actual)


def test_a_stride_beyond_the_map_may_be_any_integer():
    for stride in (5, 2**31, 2**70):
        ones = np.ones((1, 1, 4, 4), int), np.ones((1, 1, 3, 3), int)
        assert convolve(*ones, [Axis(3, stride, 1, 1)] * 2).tolist() == [[[[4]]]]
