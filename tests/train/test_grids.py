"""Grids: steps of weights and streams, and values that lose nothing on them."""

import numpy as np
import pytest
import torch

import golden
from tests.training import (
    make_dyadic,
    network_config,
    random_network,
    random_quantised,
)
from train.families.e_spikeformer import ESpikeFormer
from train.interpret.find import find_grids
from train.interpret.lower import integer_model
from train.network.build import layered
from train.quant.grids import fraction_bits, on_grid, weight_limit
from train.run.config import QuantiseConfig


def test_symmetric_limits():
    assert [weight_limit(bits) for bits in range(2, 9)] == [1, 3, 7, 15, 31, 63, 127]


def test_on_grid_rounds_clips_and_passes_gradients():
    values = torch.tensor([-9.0, -0.6, 0.1, 0.4, 0.76, 9.0], requires_grad=True)
    rounded = on_grid(values, 0.5, 3)
    rounded.sum().backward()
    assert rounded.tolist() == [-1.5, -0.5, 0, 0.5, 1, 1.5]
    assert values.grad.tolist() == [0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("bits", range(2, 9))
def test_weights_use_their_bits(bits):
    model = integer_model(random_quantised(1, bits=bits), name="t")
    limit = weight_limit(bits)
    for layer in model.layers:
        if isinstance(layer, golden.Conv):
            assert layer.weight_bits == bits
            assert np.abs(layer.weight.astype(int)).max() <= limit
    assert (
        max(
            np.abs(layer.weight.astype(int)).max()
            for layer in model.layers
            if isinstance(layer, golden.Conv)
        )
        == limit
    )


def test_fraction_bits_respect_their_limit():
    network = random_network(2)
    free = find_grids(layered(network), QuantiseConfig(weight_bits=8))
    bound = find_grids(layered(network), QuantiseConfig(weight_bits=8, max_fraction_bits=6))
    assert max(free.fraction_bits.values()) > 6
    assert max(bound.fraction_bits.values()) == 6
    for grids in (free, bound):
        for name, exponent in grids.exponents.items():
            assert exponent <= grids.fraction_bits[name]


def test_rows_of_zeros_have_a_step():
    network = random_network(3)
    network.block3[0].attn.q_conv[0].weight.data[1] = 0
    network.block3[0].mlp.fc2_conv.weight.data.zero_()
    grids = find_grids(layered(network), QuantiseConfig(weight_bits=4))
    assert (grids.scales["block3.0.attn.q"] > 0).all()
    assert grids.exponents["block3.0"] == 0


@pytest.mark.parametrize(
    ("row", "bits"),
    [
        ([0.0, 0.0], 0),
        ([1.0, -3.0], 0),
        ([2.0, 8.0], -1),
        ([0.375, 4.0], 3),
        ([2.0**-40], 40),
    ],
)
def test_fraction_bits_of_a_row(row, bits):
    assert fraction_bits(torch.tensor([row])).tolist() == [bits]
    assert fraction_bits(torch.tensor([row], dtype=torch.float64)).tolist() == [bits]


def test_powers_of_two_are_kept_where_they_fit():
    network = ESpikeFormer(network_config(dims=(8, 8, 12, 12))).double().eval()
    make_dyadic(network, torch.Generator().manual_seed(4))
    network.head.bias.data = torch.arange(10) / 1024
    grids = find_grids(layered(network), QuantiseConfig(weight_bits=8))
    for name, steps in grids.scales.items():
        assert (steps.log2() % 1 == 0).all(), name
    weight = network.block3[0].attn.q_conv[0].weight
    steps = grids.scales["block3.0.attn.q"][:, None, None, None]
    assert torch.equal(on_grid(weight, steps, 127), weight)
    # The bias counts 2**-10 in a classifier whose weights count 2**-5.
    assert grids.scales["head"].tolist() == [2.0**-5]
    assert grids.logit_shift == 5


def test_a_bias_finer_than_the_weights_sets_the_streams_fraction_bits():
    network = ESpikeFormer(network_config()).double().eval()
    make_dyadic(network, torch.Generator().manual_seed(4))
    before = find_grids(layered(network), QuantiseConfig(weight_bits=8)).fraction_bits[
        "downsample4"
    ]
    network.block4[0].mlp.fc2_bn.bias.data[2] = 2.0**-12
    after = find_grids(layered(network), QuantiseConfig(weight_bits=8)).fraction_bits
    assert (before, after["downsample4"], after["block4.0"]) == (7, 12, 12)
    network.block4[0].mlp.fc2_bn.bias.data[2] = 2.0**-30
    assert (
        find_grids(layered(network), QuantiseConfig(weight_bits=8)).fraction_bits["downsample4"]
        == 7
    )
