"""Membranes and uniform neurons against loops over single neurons in Python's integers."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from golden import Leak, LeakKind, Membrane, ModelError, Neuron, Order, Reset, Rounding
from golden.ladders import stream_thresholds


LEAKS = {
    "keep": Leak(LeakKind.KEEP),
    "half": Leak(LeakKind.SHIFT, 1),
    "quarter": Leak(LeakKind.SHIFT, 2),
    "less a quarter": Leak(LeakKind.SUBTRACT, 2),
    "clear": Leak(LeakKind.CLEAR),
}


def leaked(name, state):
    """The state after a leak; Python's shift of an integer rounds down, as an arithmetic one."""
    return {
        "keep": state,
        "half": state >> 1,
        "quarter": state >> 2,
        "less a quarter": state - (state >> 2),
        "clear": 0,
    }[name]


def one_neuron(inputs, thresholds, leak, reset, unit, late):
    """Counts and states of one neuron, step by step."""
    state, before, counts, states = 0, 0, [], []
    for value in inputs:
        membrane = leaked(leak, state) + value - ((before << unit) if late else 0)
        before = sum(membrane >= threshold for threshold in thresholds)
        state = membrane
        if reset == "zero" and before:
            state = 0
        if reset == "subtract" and not late:
            state = membrane - (before << unit)
        counts.append(before)
        states.append(state)
    return counts, states


@pytest.mark.parametrize(
    ("leak", "reset", "late"),
    [
        (leak, reset, late)
        for leak, reset, late in product(LEAKS, ("none", "zero", "subtract"), (False, True))
        if reset == "subtract" or not late
    ],
)
def test_every_step_follows_the_formula_and_stays_in_its_interval(leak, reset, late):
    rng = np.random.default_rng(len(leak) + len(reset))
    unit, ladder = 3 if reset == "subtract" else 0, np.array([[3, 9, 20], [-2, 5, 5]])
    membrane = Membrane((LEAKS[leak],), Reset(reset), unit, Order.LATE if late else Order.EARLY)
    potentials = rng.integers(-30, 31, (40, 6, 2, 2, 3))
    counts, states, carry = Neuron(ladder, Rounding.HALF_UP, membrane).fire(potentials)
    for sample, channel, y, x in np.ndindex(40, 2, 2, 3):
        place = sample, slice(None), channel, y, x
        expected = one_neuron(
            potentials[place].tolist(), ladder[channel].tolist(), leak, reset, unit, late
        )
        assert (counts[place].tolist(), states[place].tolist()) == expected
    seen, held, last = membrane.interval(np.full(2, -30), np.full(2, 30), 6, ladder)
    for channel in range(2):
        assert held[0][channel] <= states[:, :, channel].min()
        assert held[1][channel] >= states[:, :, channel].max()
        assert last[0][channel] <= states[:, -1, channel].min()
        assert last[1][channel] >= states[:, -1, channel].max()
        assert seen[0][channel] <= -30 <= 30 <= seen[1][channel]
    # Six steps are four, and two that go on with what these left.
    first = Neuron(ladder, Rounding.HALF_UP, membrane).fire(potentials[:, :4])
    rest = Neuron(ladder, Rounding.HALF_UP, membrane).fire(potentials[:, 4:], first[2])
    assert np.array_equal(np.concatenate([first[0], rest[0]], 1), counts)
    assert np.array_equal(rest[2], carry)


@pytest.mark.parametrize("reset", ["none", "zero", "subtract"])
def test_intervals_hold_for_every_sequence_of_small_potentials(reset):
    ladder, unit = np.array([[1, 2]]), 1 if reset == "subtract" else 0
    for leak, late in product(LEAKS, (False, True)):
        if late and reset != "subtract":
            continue
        membrane = Membrane((LEAKS[leak],), Reset(reset), unit, Order.LATE if late else Order.EARLY)
        seen, held, _ = membrane.interval(np.array([-2]), np.array([3]), 4, ladder)
        for inputs in product((-2, 0, 1, 3), repeat=4):
            counts, states = one_neuron(inputs, ladder[0].tolist(), leak, reset, unit, late)
            assert held[0][0] <= min(states) <= max(states) <= held[1][0]
            membranes = [
                state + (count << unit if reset == "subtract" and not late else 0)
                for state, count in zip(states, counts, strict=True)
            ]
            if reset != "zero":
                assert seen[0][0] <= min(membranes) <= max(membranes) <= seen[1][0]


@pytest.mark.parametrize("reset", ["none", "subtract"])
def test_intervals_that_grow_over_many_steps_end_beyond_every_legal_width(reset):
    unit, late = (47, Order.LATE) if reset == "subtract" else (0, Order.EARLY)
    membrane = Membrane(reset=Reset(reset), unit=unit, order=late)
    ladder = np.array([[-(2**63), 0, 2**63 - 1]])
    (low, high), held, _ = membrane.interval(
        np.full(64, -(2**47)), np.full(64, 2**47 - 1), 65_536, ladder
    )
    assert (low <= -(2**60)).all()
    assert (high >= 2**47 - 1).all()
    assert np.array_equal((low, high), held)


def test_the_sticky_bit_gives_the_spikes_of_exact_arithmetic():
    """Decay of a quarter with half-even counts, in rationals (SEMANTICS 0.4)."""
    rng, bits = np.random.default_rng(5), 3
    ladder = stream_thresholds(bits, 4, Rounding.HALF_EVEN)
    membrane = Membrane((LEAKS["quarter"],), Reset.SUBTRACT, bits, sticky=True)
    potentials = rng.integers(-10, 40, (3000, 5, 1, 1, 1))
    counts = Neuron(ladder, Rounding.HALF_EVEN, membrane).fire(potentials)[0][:, :, 0, 0, 0]
    loose = Membrane((LEAKS["quarter"],), Reset.SUBTRACT, bits)
    without = Neuron(ladder, Rounding.HALF_EVEN, loose).fire(potentials)[0][:, :, 0, 0, 0]
    wrong = 0
    for sample in range(3000):
        state, expected = Fraction(0), []
        for value in potentials[sample].ravel().tolist():
            state = state / 4 + Fraction(value, 2**bits)
            # Python rounds fractions half to even.
            count = round(min(max(state, Fraction(0)), Fraction(4)))
            state -= count
            expected.append(count)
        assert counts[sample].tolist() == expected
        wrong += without[sample].tolist() != expected
    assert wrong > 0


def test_a_hard_reset_makes_a_sticky_state_exact():
    # 3 >> 1 loses a bit; the reset to 0 forgets it, so that the tie of the last step is one.
    ladder = np.array([[5]])
    membrane = Membrane((LEAKS["half"],), Reset.ZERO, sticky=True)
    neuron = Neuron(ladder, Rounding.HALF_EVEN, membrane)
    fired = neuron.fire(np.array([3, 3, 4, 4]).reshape(1, 4, 1, 1, 1))
    # Step 2: 1 + 3 = 4 is a tie with a lost bit, so it fires and s = 0. Step 3: 4 is a plain tie.
    assert fired[0].ravel().tolist() == [0, 1, 0, 1]


def test_channels_may_leak_differently():
    membrane = Membrane((LEAKS["keep"], LEAKS["clear"]))
    neuron = Neuron(np.array([[99]]), Rounding.HALF_UP, membrane)
    states = neuron.fire(np.ones((1, 3, 2, 1, 1), np.int64))[1]
    assert states[0, :, :, 0, 0].tolist() == [[1, 1], [2, 1], [3, 1]]


@pytest.mark.parametrize("bits", [1, 2, 9])
def test_a_uniform_neuron_rounds_half_up_and_clamps(bits):
    neuron, values = Neuron.uniform(4, bits), np.arange(-70, 9000).reshape(1, 1, 1, -1)
    assert neuron.levels == 2**bits - 1
    expected = [min(max((value + 8) // 16, 0), 2**bits - 1) for value in range(-70, 9000)]
    assert neuron.fire(values)[0].ravel().tolist() == expected
    ladder = neuron.ladder[0].tolist()
    assert [
        sum(value >= threshold for threshold in ladder) for value in range(-70, 200)
    ] == expected[:270]


class Named:
    name = "a"


@pytest.mark.parametrize(
    ("membrane", "sentence"),
    [
        (
            Membrane((Leak(LeakKind.SHIFT),)),
            "a leak must shift by 1 to 47 bits, or by 0 where it does",
        ),
        (
            Membrane((Leak(LeakKind.KEEP, 1),)),
            "a leak must shift by 1 to 47 bits, or by 0 where it do",
        ),
        (Membrane((Leak(LeakKind.KEEP),) * 2), "leaks of the membrane must be 1 or 3, not 2"),
        (
            Membrane(unit=1),
            "the unit of a membrane must be 0 to 47, and 0 unless its reset subtracts",
        ),
        (Membrane(reset=Reset.SUBTRACT, unit=48), "the unit of a membrane must be 0 to 47"),
        (Membrane(order=Order.LATE), "a membrane of late order must have a reset that subtracts"),
        (Membrane(sticky=True), "a membrane must be sticky only where rounding is half-even"),
    ],
)
def test_what_is_no_membrane_is_refused(membrane, sentence):
    neuron = Neuron(np.array([[1]]), Rounding.HALF_UP, membrane)
    with pytest.raises(ModelError) as caught:
        neuron.check(Named, 3)
    assert str(caught.value).startswith("Layer a: ")
    assert sentence in str(caught.value)


def test_a_sticky_membrane_does_not_round_up():
    membrane = Membrane((LEAKS["less a quarter"],), sticky=True)
    with pytest.raises(ModelError, match="a sticky membrane must not leak by subtraction"):
        Neuron(np.array([[1]]), Rounding.HALF_EVEN, membrane).check(Named, 3)


@pytest.mark.parametrize(
    ("neuron", "sentence"),
    [
        (Neuron.uniform(0, 2), "fraction bits of a uniform neuron must be 1 to 47, not 0"),
        (
            Neuron.uniform(3, 10),
            "the largest count of a uniform neuron must be 2^B - 1 with B of 1 to",
        ),
        (
            Neuron(None, Rounding.HALF_EVEN, None, 3, 2),
            "rounding of a uniform neuron must be half-up",
        ),
    ],
)
def test_what_is_no_uniform_neuron_is_refused(neuron, sentence):
    with pytest.raises(ModelError) as caught:
        neuron.check(Named, 3)
    assert sentence in str(caught.value)
