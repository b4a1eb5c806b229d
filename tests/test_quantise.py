"""Quantisation: grids, straight-through rounding, and training forms against integer forms."""

import numpy as np
import pytest
import torch

import golden
from golden.model import Rounding
from tests.training import random_images, random_network, random_quantised
from train.config import QuantiseConfig
from train.fold import integer_model
from train.integer import IntegerArithmetic
from train.model import to_maps
from train.quantise import QuantisedArithmetic, find_grids, on_grid, weight_limit


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
    assert max(np.abs(layer.weight.astype(int)).max() for layer in model.layers
               if isinstance(layer, golden.Conv)) == limit


def test_fraction_bits_respect_their_limit():
    network = random_network(2)
    free = find_grids(network, QuantiseConfig(weight_bits=8))
    bound = find_grids(network, QuantiseConfig(weight_bits=8, max_fraction_bits=6))
    assert max(free.fraction_bits.values()) > 6
    assert max(bound.fraction_bits.values()) == 6
    for grids in (free, bound):
        for name, exponent in grids.exponents.items():
            assert exponent <= grids.fraction_bits[name]


def test_rows_of_zeros_have_a_step():
    network = random_network(3)
    network.block3[0].attn.q_conv[0].weight.data[1] = 0
    network.block3[0].mlp.fc2_conv.weight.data.zero_()
    grids = find_grids(network, QuantiseConfig(weight_bits=4))
    assert (grids.scales["block3.0.attn.q"] > 0).all()
    assert grids.exponents["block3.0"] == 0


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("max_count", [1, 4, 15])
def test_frozen_training_form_is_the_integer_form(max_count, bits, rounding):
    quantised = random_quantised(
        max_count + bits, bits=bits, max_count=max_count, rounding=rounding
    )
    images = random_images(12)
    training = QuantisedArithmetic(quantised.shape, quantised.grids, weight_bits=bits)
    with torch.no_grad():
        scores = quantised.network(to_maps(images).double(), training).numpy()
    logits = quantised.run(images)["logits"]
    assert (scores.argmax(1) == logits.argmax(1)).all()
    scale = float(quantised.grids.scales["head"])
    assert (np.rint(scores / scale) == logits).all()


def test_unfolded_training_weights_are_integers_once_folded():
    network = random_network(6).train()
    grids = find_grids(network, QuantiseConfig(weight_bits=4))
    seen = {}

    class Watching(QuantisedArithmetic):
        def written(self, name, conv, norm, inputs, *, divisor):
            seen[name] = norm.training
            return super().written(name, conv, norm, inputs, divisor=divisor)

    watching = Watching(network.network, grids, weight_bits=4)
    network(to_maps(random_images(16)), watching).sum().backward()
    assert all(seen.values())
    assert set(seen) == set(grids.exponents)
    gradient = network.block3[0].attn.proj_conv[0].weight.grad
    assert gradient.abs().sum() > 0


def test_a_slope_of_zero_does_not_divide_by_zero():
    network = random_network(7).train()
    network.block3[0].mlp.fc2_bn.weight.data[0] = 0
    grids = find_grids(network, QuantiseConfig(weight_bits=4))
    arithmetic = QuantisedArithmetic(network.network, grids, weight_bits=4)
    assert network(to_maps(random_images(16)), arithmetic).isfinite().all()


def test_a_stream_that_leaves_its_grid_is_noticed():
    quantised = random_quantised(8)
    arithmetic = IntegerArithmetic(quantised.shape, quantised.grids, weight_bits=8, trace={})
    with pytest.raises(ArithmeticError, match="^pixels must be whole numbers$"):
        arithmetic.pixels(torch.tensor([0.5]))
