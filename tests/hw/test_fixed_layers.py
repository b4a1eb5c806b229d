"""The fixed layers of the benchmark: what they read, and the published block."""

import numpy as np
import pytest

import golden
from golden.cli.source import open_source
from tests.benchmark.layers import FIXED, block, counts_of, image, recorded, synthetic


@pytest.mark.parametrize("layer", FIXED, ids=lambda layer: layer.name)
def test_a_fixed_layer_reads_the_counts_of_its_image(layer):
    counts = counts_of(synthetic(layer), 0.6)
    tensors = golden.run(layer.model(), image(layer, counts)[np.newaxis], trace=True).tensors
    if layer.heads:
        read = np.concatenate([tensors[f"{name}.counts"][0] for name in "qkv"])
    else:
        read = tensors["inputs.counts"][0]
    assert np.array_equal(read, counts)
    assert tensors["layer.counts"].shape[1:] == (layer.outputs, layer.size, layer.size)


def test_counts_have_the_mean_that_is_asked_for_and_recorded_ones_are_correlated():
    model = golden.load("tests/data/cifar10-nano.safetensors")
    images = open_source("tests/data/cifar10.npz", model).images
    potentials = recorded(FIXED[1], model, images)
    assert potentials.shape == (384, 8, 8)
    for mean in (0.05, 0.6, 2.5, 4):
        counts = counts_of(potentials, mean)
        assert counts.mean() == pytest.approx(mean, abs=0.03)
        assert 0 <= counts.min() <= counts.max() <= 4
    flat = counts_of(potentials, 1.0).reshape(384, -1)
    together = np.corrcoef(flat[flat.std(axis=1) > 0])
    assert np.abs(together[~np.eye(len(together), dtype=bool)]).mean() > 0.12
    with pytest.raises(ValueError, match="Images must be at least"):
        recorded(FIXED[1], model, images[:1])


def test_the_block_is_the_one_that_was_published():
    model = block()
    weights = {
        layer.name: layer.weight.shape
        for layer in model.layers
        if isinstance(layer, golden.Conv) and layer.name.startswith("block.")
    }
    assert weights == {
        **{f"block.attn.{name}": (384, 384, 1, 1) for name in "qkv"},
        "block.attn": (384, 384, 1, 1),
        "block.mlp.fc1": (1536, 384, 1, 1),
        "block.mlp": (384, 1536, 1, 1),
    }
    assert next(layer for layer in model.layers if isinstance(layer, golden.KeyValue)).heads == 12
