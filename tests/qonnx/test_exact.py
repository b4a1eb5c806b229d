from fractions import Fraction

import numpy as np
import pytest

from tests.qonnx.exact import Exact, IrrationalError


def surd(whole, factor, radicand, denominator=1):
    """``(whole + factor * √radicand) / denominator``."""
    radicands = np.full(1, Fraction(radicand), object)
    return Exact(np.array([whole], object), denominator, np.array([factor], object), radicands)


ROUNDED = {
    #            -2.5 -1.75 -1.5 -0.5 -0.25 0 0.25 0.5 1.5 1.75 2.5 3
    "ROUND":     [-2, -2, -2, 0, 0, 0, 0, 0, 2, 2, 2, 3],
    "HALF_EVEN": [-2, -2, -2, 0, 0, 0, 0, 0, 2, 2, 2, 3],
    "CEIL":      [-2, -1, -1, 0, 0, 0, 1, 1, 2, 2, 3, 3],
    "FLOOR":     [-3, -2, -2, -1, -1, 0, 0, 0, 1, 1, 2, 3],
    "UP":        [-3, -2, -2, -1, -1, 0, 1, 1, 2, 2, 3, 3],
    "DOWN":      [-2, -1, -1, 0, 0, 0, 0, 0, 1, 1, 2, 3],
    "HALF_UP":   [-3, -2, -2, -1, 0, 0, 0, 1, 2, 2, 3, 3],
    "HALF_DOWN": [-2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2, 3],
}  # fmt: skip
NUMBERS = [-2.5, -1.75, -1.5, -0.5, -0.25, 0, 0.25, 0.5, 1.5, 1.75, 2.5, 3]


@pytest.mark.parametrize("mode", ROUNDED)
def test_each_rule_rounds_as_worked_by_hand(mode):
    assert Exact.of(NUMBERS).rounded(mode).tolist() == ROUNDED[mode]


@pytest.mark.parametrize("mode", ROUNDED)
def test_a_root_that_is_rational_rounds_as_its_number(mode):
    """√(9/4) is a tie as 3/2 is, and √4 an integer."""
    of_roots = [surd(-4, 1, Fraction(9, 4)), surd(0, -1, Fraction(9, 4)), surd(1, 1, 4)]
    of_numbers = Exact.of([-2.5, -1.5, 3.0]).rounded(mode)
    assert [number.rounded(mode)[0] for number in of_roots] == of_numbers.tolist()


def test_roots_round_as_worked_by_hand():
    """1 + √2 is 2.41..., and 1 - 2√2 is -1.82...; halves of them 1.20... and -0.91...."""
    for number, nearest, floor in [
        (surd(1, 1, 2), 2, 2),
        (surd(1, -2, 2), -2, -2),
        (surd(1, 1, 2, 2), 1, 1),
        (surd(1, -2, 2, 2), -1, -1),
    ]:
        assert number.rounded("ROUND").tolist() == [nearest]
        assert number.rounded("FLOOR").tolist() == [floor]
        assert number.rounded("CEIL").tolist() == [floor + 1]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_root_beside_a_tie_is_on_its_side(sign):
    """√(n² + n) lies just below n + ½ and √(n² + n + 1) just above, however large n is."""
    n = 10**40
    assert surd(0, sign, n * n + n).rounded("ROUND").tolist() == [sign * n]
    assert surd(0, sign, n * n + n + 1).rounded("ROUND").tolist() == [sign * (n + 1)]
    above = surd(-2 * n - 1, 2, n * n + n + 1)
    below = surd(-2 * n - 1, 2, n * n + n)
    assert (above.negative().tolist(), below.negative().tolist()) == ([False], [True])


def test_a_float_is_the_number_it_is():
    tenth = np.float32(0.1)
    assert Exact.of(tenth).fractions() == Fraction(13421773, 2**27)
    assert Exact.of([tenth, 3]).fractions().tolist() == [Fraction(13421773, 2**27), 3]


def test_arithmetic_is_that_of_fractions(seed):
    draw = np.random.default_rng(seed)
    fractions = [
        np.frompyfunc(Fraction, 2, 1)(
            draw.integers(-(2**60), 2**60, (3, 4)).astype(object),
            draw.integers(1, 2**30, (3, 4)).astype(object),
        )
        for _ in range(2)
    ]
    left, right = map(Exact.of, fractions)
    assert ((left + right).fractions() == fractions[0] + fractions[1]).all()
    assert ((left - right).fractions() == fractions[0] - fractions[1]).all()
    assert ((left * right).fractions() == fractions[0] * fractions[1]).all()
    assert ((left * right.inverse()).fractions() == fractions[0] / fractions[1]).all()
    turned = right.moved(np.transpose)
    assert ((left @ turned).fractions() == fractions[0] @ fractions[1].T).all()
    assert (left.total(1).fractions() == fractions[0].sum(1)).all()
    assert (left.negative() == (fractions[0] < 0)).all()


def test_roots_add_up_where_they_are_the_same():
    summed = surd(1, 3, 2) + surd(4, -1, 2, 2)
    assert (summed.whole[0], summed.surd[0], summed.denominator) == (6, 5, 2)
    assert (surd(1, 3, 2) - surd(0, 3, 2)).fractions().tolist() == [1]
    assert (surd(1, 3, 2) * Exact.of(0.5)).floats().tolist() == [0.5 + 1.5 * np.sqrt(2)]


def test_what_is_no_longer_exact_is_refused():
    with pytest.raises(IrrationalError, match="Numbers with different roots are added"):
        surd(0, 1, 2) + surd(0, 1, 3)
    for multiply in (surd(0, 1, 2).__mul__, surd(0, 1, 2).__matmul__):
        with pytest.raises(IrrationalError, match="Numbers with roots are multiplied"):
            multiply(surd(0, 1, 2))
    with pytest.raises(IrrationalError, match="A number with a root is no Fraction"):
        surd(0, 1, 2).fractions()
    with pytest.raises(ValueError, match="Every number must be a multiple of 1/4"):
        Exact.of([0.25, 0.125]).integers(Fraction(1, 4))
    with pytest.raises(ValueError, match="Rounding must be one of QONNX's seven rules"):
        Exact.of([1]).rounded("NEAREST")


def test_multiples_of_a_step_are_integers():
    assert Exact.of([0.75, -2.0]).integers(Fraction(1, 4)).tolist() == [3, -8]


def test_sums_beyond_a_machine_word_are_exact():
    large = Exact([[2**40, 2**40]])
    assert (large @ Exact([[2**40], [1]])).whole.tolist() == [[2**80 + 2**40]]


def test_each_element_keeps_its_own_root():
    def roots(factors, radicands):
        return Exact(np.zeros(2, int), 1, np.array(factors), np.array(radicands, object))

    assert (roots([1, 0], [2, 3]) + roots([0, 1], [5, 7])).radicand.tolist() == [2, 7]
