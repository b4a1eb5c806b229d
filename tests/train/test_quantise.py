"""Quantisation-aware training: straight-through rounding, and its forms against integers."""

import numpy as np
import pytest
import torch

from golden.neuron import Rounding
from tests.training import random_images, random_network, random_quantised
from train.interpret.find import find_grids
from train.interpret.float_run import QuantisedRun
from train.interpret.integer_run import IntegerRun
from train.network.build import layered
from train.network.images import to_maps
from train.run.config import QuantiseConfig


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("max_count", [1, 4, 15])
def test_frozen_training_form_is_the_integer_form(max_count, bits, rounding):
    quantised = random_quantised(
        max_count + bits, bits=bits, max_count=max_count, rounding=rounding
    )
    images = random_images(12)
    training = QuantisedRun(quantised.grids, weight_bits=bits)
    with torch.no_grad():
        scores = quantised.network(to_maps(images).double(), training).numpy()
    logits = quantised.run(images)["logits"]
    assert (scores.argmax(1) == logits.argmax(1)).all()
    scale = float(quantised.grids.scales["head"])
    assert (np.rint(scores / scale) == logits).all()


def test_unfolded_training_weights_are_integers_once_folded():
    network = random_network(6).train()
    grids = find_grids(layered(network), QuantiseConfig(weight_bits=4))
    layers = layered(network)
    layers(to_maps(random_images(16)), QuantisedRun(grids, weight_bits=4)).sum().backward()
    assert all(norm.training for _, norm in layers.bound.values() if norm is not None)
    gradient = network.block3[0].attn.proj_conv[0].weight.grad
    assert gradient.abs().sum() > 0


def test_a_slope_of_zero_does_not_divide_by_zero():
    network = random_network(7).train()
    network.block3[0].mlp.fc2_bn.weight.data[0] = 0
    grids = find_grids(layered(network), QuantiseConfig(weight_bits=4))
    run = QuantisedRun(grids, weight_bits=4)
    assert layered(network)(to_maps(random_images(16)), run).isfinite().all()


def test_a_stream_that_leaves_its_grid_is_noticed():
    quantised = random_quantised(8)
    run = IntegerRun(quantised.network, quantised.grids, weight_bits=8, trace={})
    with pytest.raises(ArithmeticError, match="^pixels must be whole numbers$"):
        run.keep("pixels", torch.tensor([0.5]))
