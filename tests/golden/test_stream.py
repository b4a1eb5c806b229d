"""The residual stream's writer and the sum of its tokens."""

import numpy as np
import pytest

from golden.ops.sum import stream_sum
from golden.ops.write import add


@pytest.mark.parametrize("shift", [0, 1, 7])
def test_writer_adds_shifted_potential_and_bias(shift):
    rng = np.random.default_rng(shift)
    potential = rng.integers(-1000, 1000, (2, 3, 4, 5))
    previous = rng.integers(-1000, 1000, potential.shape)
    bias = np.array([-7, 0, 9])
    stream = add(potential, previous=previous, shift=shift, bias=bias)
    for index in np.ndindex(*stream.shape):
        branch = int(potential[index]) * 2**shift + int(bias[index[1]])
        assert stream[index] == previous[index] + branch


def test_downsampling_starts_a_new_stream():
    potential = np.full((1, 1, 1, 1), -3)
    assert add(potential, previous=None, shift=1, bias=np.array([5])).item() == -1


def test_token_sum_keeps_channels_apart():
    stream = np.arange(12).reshape(1, 2, 2, 3)
    assert stream_sum(stream).tolist() == [[[[15]], [[51]]]]
