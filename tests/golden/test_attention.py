"""Attention, keys and values first, against the order of the formula."""

import numpy as np
import pytest

from golden.ops.key_value import key_value
from golden.ops.query import query


@pytest.mark.parametrize(
    ("heads", "dk", "dv", "size"),
    [(1, 1, 1, (1, 1)), (2, 3, 12, (2, 3)), (8, 2, 8, (4, 4)), (3, 5, 1, (1, 7))],
)
def test_both_orders_of_the_product_agree(heads, dk, dv, size):
    rng = np.random.default_rng(heads * dk)
    q, k = rng.integers(0, 16, (2, 3, heads * dk, *size))
    v = rng.integers(0, 16, (3, heads * dv, *size))
    memory = key_value(k, v, heads)
    assert memory.shape == (3, heads, dk, dv)
    assert memory.dtype == np.int64
    potential = query(q, memory)
    # Scores of all pairs of tokens first, head by head, in integers.
    expected = np.zeros((3, heads * dv, size[0] * size[1]), np.int64)
    for head in range(heads):
        mine = slice(head * dk, (head + 1) * dk)
        scores = np.einsum(
            "nim,nit->nmt",
            q.reshape(3, heads * dk, -1)[:, mine],
            k.reshape(3, heads * dk, -1)[:, mine],
        )
        values = v.reshape(3, heads * dv, -1)[:, head * dv : (head + 1) * dv]
        expected[:, head * dv : (head + 1) * dv] = np.einsum("nmt,njt->njm", scores, values)
    assert np.array_equal(potential, expected.reshape(potential.shape))


def test_heads_do_not_mix():
    k = np.array([1, 0]).reshape(1, 2, 1, 1)
    v = np.array([1, 1]).reshape(1, 2, 1, 1)
    memory = key_value(k, v, 2)
    assert memory.tolist() == [[[[1]], [[0]]]]
    assert query(np.array([0, 4]).reshape(1, 2, 1, 1), memory).ravel().tolist() == [0, 0]


def test_memories_beyond_float32_are_exact():
    # An odd number of tokens makes an odd sum, which float32 cannot hold above 2**24.
    full = np.full((1, 1, 1, 74567), 15)
    assert key_value(full, full, 1).item() == 225 * 74567 > 2**24


def test_potentials_beyond_float32_are_exact():
    full = np.full((1, 16, 1, 399), 15)
    memory = key_value(full, full, 1)
    assert (memory == 225 * 399).all()
    q = full.copy()
    q[0, 0] = 14
    assert (query(q, memory) == 239 * 225 * 399).all()
    assert 239 * 225 * 399 > 2**24


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="Counts must not be negative"):
        key_value(np.full((1, 1, 1, 1), -1), np.ones((1, 1, 1, 1)), 1)
