"""The SFA neuron: values, ties and gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from golden.neuron import Rounding
from train.nn.neuron import SpikeNeuron, spike_count


BOTH = pytest.mark.parametrize("rounding", list(Rounding))


def comparators(potential, max_count, rounding):
    """The neuron as published: one comparison with j - 1/2 for every spike j."""
    count = np.zeros_like(potential)
    for spike in range(1, max_count + 1):
        level = spike - 0.5
        strict = rounding is Rounding.HALF_EVEN and spike % 2 == 1
        count += potential > level if strict else potential >= level
    return count


@pytest.mark.parametrize(
    ("rounding", "counts"),
    [
        (Rounding.HALF_UP, [0, 0, 1, 2, 3, 4, 4, 4]),
        (Rounding.HALF_EVEN, [0, 0, 0, 2, 2, 4, 4, 4]),
    ],
)
def test_ties_follow_the_rounding_rule(rounding, counts):
    potential = torch.tensor([-0.5, 0.0, 0.5, 1.5, 2.5, 3.5, 4.5, 99.0])
    assert spike_count(potential, 4, rounding).tolist() == counts


@BOTH
def test_neighbours_of_a_tie_are_no_ties(rounding):
    below = np.nextafter(0.5, 0)
    above = np.nextafter(0.5, 1)
    assert spike_count(torch.tensor([below, above]), 4, rounding).tolist() == [0, 1]


@BOTH
@pytest.mark.parametrize("max_count", [1, 4, 15])
def test_counts_are_those_of_comparators(rounding, max_count):
    potential = np.arange(-64, 64 * (max_count + 2)) / 64
    count = spike_count(torch.from_numpy(potential), max_count, rounding)
    assert (count.numpy() == comparators(potential, max_count, rounding)).all()


@BOTH
@given(potential=st.floats(-100, 100), max_count=st.integers(1, 15))
def test_any_float_counts_like_comparators(rounding, potential, max_count):
    count = spike_count(torch.tensor([potential], dtype=torch.float64), max_count, rounding)
    assert count.numpy() == comparators(np.array([potential]), max_count, rounding)


@pytest.mark.parametrize(
    ("rounding", "ends"),
    [
        (Rounding.HALF_UP, 0.0),
        (Rounding.HALF_EVEN, 1.0),
    ],
)
def test_gradient_passes_in_the_band_only(rounding, ends):
    potential = torch.tensor([-0.1, 0.0, 0.2, 0.5, 3.9, 4.0, 4.1], requires_grad=True)
    spike_count(potential, 4, rounding).sum().backward()
    assert potential.grad.tolist() == [0, ends, 1, 1, 1, ends, 0]


def test_divisor_scales_value_and_gradient():
    neuron = SpikeNeuron(max_count=4, rounding=Rounding.HALF_UP, divisor=4)
    potential = torch.tensor([0.2, 2.6, 7.0], requires_grad=True)
    spikes = neuron(potential)
    spikes.sum().backward()
    assert spikes.tolist() == [0, 0.75, 1]
    assert potential.grad.tolist() == [0.25, 0.25, 0]


def test_head_neuron_hands_on_whole_counts():
    neuron = SpikeNeuron(max_count=4, rounding="half-even", divisor=1)
    assert neuron(torch.tensor([2.5, 3.6])).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_count": 0, "divisor": 1}, "max_count must be 1 to 255, not 0"),
        ({"max_count": 256, "divisor": 1}, "max_count must be 1 to 255, not 256"),
        ({"max_count": 4, "divisor": 0}, "divisor must be at least 1, not 0"),
    ],
)
def test_wrong_parameters_are_refused(fields, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        SpikeNeuron(rounding=Rounding.HALF_UP, **fields)
