"""Neurons of a smaller D than the core's: thresholds that are never reached stand for the rest."""

from dataclasses import replace

import pytest

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_images, random_model
from golden.ops import Fire
from hw.build import build
from hw.compiler import compile_model
from sim.verify import verify


def cut(model, levels):
    """Every second neuron of a branch, and those of token sums, fire ``levels`` spikes at most."""
    fires = [layer for layer in model.layers if isinstance(layer.epilogue, Fire)]
    branches = [layer.name for layer in fires if layer.KIND == "conv"]
    sums = [layer.name for layer in fires if layer.KIND == "sum"]
    layers = [
        _cut(layer, levels) if layer.name in (*branches[::2], *sums) else layer
        for layer in model.layers
    ]
    return replace(model, layers=tuple(layers), widths={})


def _cut(layer, levels):
    neuron = layer.epilogue.neuron
    neuron = replace(neuron, thresholds=neuron.thresholds[:, :levels])
    return replace(layer, epilogue=replace(layer.epilogue, neuron=neuron))


@pytest.mark.sim
@pytest.mark.parametrize(
    "code", [SpikeCode.BIT_SERIAL, pytest.param(SpikeCode.SPLIT, marks=pytest.mark.full)]
)
def test_a_model_of_several_counts_equals_golden(project_root, tmp_path, code):
    model = cut(random_model(3, dims=(4, 4, 4, 4), heads=1, image_shape=(6, 5, 1)), 2)
    golden.validate(model)
    assert {
        layer.epilogue.neuron.levels for layer in model.layers if isinstance(layer.epilogue, Fire)
    } - {model.max_count} == {2}
    plan = compile_model(model, columns=1, lanes=4, spike_code=code)
    build(plan, tmp_path)
    images = random_images(3, 3, model.image_shape)
    figures = verify(tmp_path, model, images, cache=project_root / "build" / "sim")
    assert figures["first_mismatch"] is None
    assert figures["images"] == 3
    assert figures["cycles"] == figures["predicted_cycles"]
