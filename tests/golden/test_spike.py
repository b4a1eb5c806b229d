"""Integer firing, spike codes and threshold ladders against their definitions."""

from fractions import Fraction
from math import ceil, floor, isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import (
    Rounding,
    SpikeCode,
    attention_thresholds,
    planes,
    spike_count,
    stream_thresholds,
)
from golden.spike import accumulate, passes, plane_count, set_bits


ALL_MAX_COUNTS = range(1, 16)

#: Thresholds of half-to-even attention for D = 4, tabulated per head width.
PUBLISHED_LADDERS = {
    12: [56, 167, 278, 388],
    16: [65, 192, 321, 448],
    24: [79, 236, 392, 549],
    30: [88, 263, 439, 614],
    32: [91, 272, 453, 634],
    45: [108, 322, 537, 752],
    64: [129, 384, 641, 896],
    96: [157, 471, 784, 1098],
}


def rounded(values, rounding):
    """The rounding rules as training defines them; exact on multiples of 2**-F."""
    return np.rint(values) if rounding is Rounding.HALF_EVEN else np.floor(values + 0.5)


def fires(potential, spike, dk, max_count, rounding):
    """Whether attention's potential reaches spike number ``spike``, by comparison of squares."""
    left, right = 16 * potential**2, (2 * spike - 1) ** 2 * max_count**6 * dk
    strict = spike % 2 == 1 and rounding is Rounding.HALF_EVEN
    return left > right if strict else left >= right


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("max_count", ALL_MAX_COUNTS)
@pytest.mark.parametrize("fraction_bits", [1, 2, 5])
def test_stream_neuron_rounds_every_value_as_training_does(fraction_bits, max_count, rounding):
    stream = np.arange(-2 << fraction_bits, max_count + 2 << fraction_bits).reshape(-1, 1)
    expected = rounded(np.clip(stream / 2**fraction_bits, 0, max_count), rounding)
    ladder = stream_thresholds(fraction_bits, max_count, rounding)
    assert ladder.shape == (1, max_count)
    assert (spike_count(stream, ladder) == expected).all()


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("tokens", [1, 3, 49, 64])
def test_token_sum_rounds_the_mean(tokens, rounding):
    totals = range(-tokens * 8, 6 * tokens * 8)
    expected = [rounded_mean(Fraction(total, tokens * 8), rounding) for total in totals]
    ladder = stream_thresholds(3, 4, rounding, tokens)
    assert spike_count(np.array(totals).reshape(-1, 1), ladder).ravel().tolist() == expected


def rounded_mean(mean, rounding):
    clipped = min(max(mean, 0), 4)
    # Fraction's round is half-to-even.
    return round(clipped) if rounding is Rounding.HALF_EVEN else floor(clipped + Fraction(1, 2))


@pytest.mark.parametrize("rounding", Rounding)
@settings(max_examples=40)
@given(data=st.data())
def test_folded_batch_norm_counts_as_training_does(rounding, data):
    scale = data.draw(st.fractions(Fraction(1, 50), 2, max_denominator=64))
    bias = data.draw(st.fractions(-3, 3, max_denominator=64))
    steps = [(Fraction(2 * j - 1, 2) - bias) / scale for j in range(1, 5)]
    strict = [rounding is Rounding.HALF_EVEN and j % 2 == 1 for j in range(1, 5)]
    thresholds = [
        floor(step) + 1 if above else ceil(step) for step, above in zip(steps, strict, strict=True)
    ]
    potentials = range(-250, 251)
    counts = spike_count(np.array(potentials).reshape(-1, 1), np.array([thresholds]))
    expected = [rounded_mean(scale * potential + bias, rounding) for potential in potentials]
    assert counts.ravel().tolist() == expected


def test_ties_go_where_the_rule_says():
    ties = np.array([[2], [6], [10], [14]])
    assert spike_count(ties, stream_thresholds(2, 4, Rounding.HALF_EVEN)).ravel().tolist() == [
        0,
        2,
        2,
        4,
    ]
    assert spike_count(ties, stream_thresholds(2, 4, Rounding.HALF_UP)).ravel().tolist() == [
        1,
        2,
        3,
        4,
    ]


def test_thresholds_belong_to_channels():
    potential = np.zeros((2, 3, 4, 5), np.int64)
    thresholds = np.array([[0, 1], [1, 1], [-1, 0]])
    counts = spike_count(potential, thresholds)
    assert counts.dtype == np.int64
    assert counts.shape == potential.shape
    assert (counts == np.array([1, 0, 2])[:, np.newaxis, np.newaxis]).all()


def test_decreasing_thresholds_are_refused():
    with pytest.raises(ValueError, match="must not decrease"):
        spike_count(np.zeros((1, 1)), np.array([[3, 2]]))


@pytest.mark.parametrize("dk", PUBLISHED_LADDERS)
def test_attention_ladder_equals_the_published_one(dk):
    assert attention_thresholds(dk, 4, Rounding.HALF_EVEN).tolist() == [PUBLISHED_LADDERS[dk]]


def test_attention_ladder_half_up_is_reached_on_ties():
    assert attention_thresholds(16, 4, Rounding.HALF_UP).tolist() == [[64, 192, 320, 448]]
    assert attention_thresholds(64, 4, Rounding.HALF_UP).tolist() == [[128, 384, 640, 896]]


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("max_count", ALL_MAX_COUNTS)
def test_attention_threshold_is_the_least_potential_that_fires(max_count, rounding):
    for dk in [1, 2, 3, 4, 5, 8, 9, 12, 16, 25, 30, 45, 64]:
        ladder = attention_thresholds(dk, max_count, rounding)[0].tolist()
        for spike, threshold in enumerate(ladder, start=1):
            assert fires(threshold, spike, dk, max_count, rounding)
            assert not fires(threshold - 1, spike, dk, max_count, rounding)


def test_attention_ladder_saturates_above_the_largest_potential():
    ladder = attention_thresholds(2, 4, Rounding.HALF_UP, tokens=1)[0].tolist()
    assert ladder == [23, 68, 114, 129]
    assert isqrt(2 * 49 * 16**2) > 2 * 4**3


@pytest.mark.parametrize("code", SpikeCode)
@pytest.mark.parametrize("max_count", [*ALL_MAX_COUNTS, 255])
def test_planes_sum_to_the_count_and_cost_its_spikes(max_count, code):
    counts = np.arange(max_count + 1)
    expanded = planes(counts, code, max_count)
    assert len(expanded) == plane_count(code, max_count)
    assert set(np.unique(expanded)) == {0, 1}
    # An MSB plane that is taken together with others adds the double twice.
    repeated = (counts == 4) * (code is SpikeCode.TWO_BIT_SERIAL and max_count == 4)
    assert (expanded.sum(axis=0) + repeated == set_bits(counts, code, max_count)).all()
    *_, total = accumulate(lambda plane: plane, counts, code, max_count)
    assert (total == counts).all()


def test_thermometer_lights_up_from_the_first_plane():
    assert planes(np.array([0, 2, 4]), SpikeCode.THERMOMETER, 4).tolist() == [
        [0, 1, 1],
        [0, 1, 1],
        [0, 0, 1],
        [0, 0, 1],
    ]


def test_bit_planes_start_with_the_most_significant():
    assert planes(np.array([1, 4, 6]), SpikeCode.BIT_SERIAL, 6).tolist() == [
        [0, 1, 1],
        [0, 0, 1],
        [1, 0, 0],
    ]


@pytest.mark.parametrize("counts", [[-1, 0], [0, 5]])
def test_counts_outside_the_range_are_refused(counts):
    with pytest.raises(ValueError, match=r"Counts must be 0\.\.4"):
        planes(np.array(counts), SpikeCode.BIT_SERIAL, 4)


def test_stream_without_fraction_bits_is_refused():
    with pytest.raises(ValueError, match="Fraction bits must be at least 1, not 0"):
        stream_thresholds(0, 4, Rounding.HALF_UP)


@pytest.mark.parametrize(
    ("alias", "code"), [("bitplane", SpikeCode.BIT_SERIAL), ("graded", SpikeCode.TWO_BIT_SERIAL)]
)
def test_a_spike_code_has_its_older_name_as_an_alias(alias, code):
    assert SpikeCode(alias) is code
    assert SpikeCode(code.value) is code


@pytest.mark.parametrize("name", [*(code.value for code in SpikeCode), "bitplane", "graded"])
def test_a_spike_code_may_be_given_by_name(name):
    counts, code = np.arange(5), SpikeCode(name)
    assert (planes(counts, name, 4) == planes(counts, code, 4)).all()
    assert (set_bits(counts, name, 4) == set_bits(counts, code, 4)).all()
    assert passes(name, 4) == passes(code, 4)
    sums = [list(accumulate(lambda plane: plane, counts, given, 4)) for given in (name, code)]
    assert all((by_name == by_code).all() for by_name, by_code in zip(*sums, strict=True))


def test_no_other_text_is_a_spike_code():
    for use in (SpikeCode, lambda name: planes(np.arange(5), name, 4)):
        with pytest.raises(ValueError, match="'unary' is not a valid SpikeCode"):
            use("unary")
