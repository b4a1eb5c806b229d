"""An operator in one file per package reaches file, golden model and RTL; nothing else knows it."""

from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import Fire, ModelError, Neuron, Rounding, SpikeCode
from golden.analysis.synthetic import random_images
from golden.ops import OPERATORS
from hw.build import build
from hw.compiler import compile_model
from hw.compiler.layouts import LAYOUTS
from sim.verify import verify
from tests.models import small
from tests.new_operator import reverse_layout
from tests.new_operator.reverse import Reverse


@pytest.fixture
def reversed_model(monkeypatch):
    """The small model, of which attention reads channels in reverse order."""
    monkeypatch.setitem(OPERATORS, Reverse.KIND, Reverse)
    monkeypatch.setitem(LAYOUTS, Reverse, reverse_layout)
    model = small()
    stem, *others = model.layers
    ladder = np.arange(1, model.max_count + 1)[np.newaxis]
    reverse = Reverse("reverse", "stem.counts", Fire(Neuron(ladder, Rounding.HALF_UP)))
    changed = [
        replace(layer, sources=("reverse.counts",)) if "stem.counts" in layer.reads else layer
        for layer in others
    ]
    return replace(model, layers=(stem, reverse, *changed), mean_counts={}, widths={})


def test_the_file_knows_the_operator(reversed_model, tmp_path):
    golden.save(reversed_model, tmp_path / "m.safetensors")
    images = random_images(3, 2, reversed_model.image_shape)
    before, after = (
        golden.run(model, images, trace=True).tensors
        for model in (reversed_model, golden.load(tmp_path / "m.safetensors"))
    )
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    counts = before["stem.counts"]
    assert np.array_equal(before["reverse.counts"], counts[:, ::-1])
    assert (counts != counts[:, ::-1]).any()


def test_a_release_without_it_says_so(reversed_model, tmp_path, monkeypatch):
    golden.save(reversed_model, tmp_path / "m.safetensors")
    monkeypatch.delitem(OPERATORS, Reverse.KIND)
    with pytest.raises(ModelError, match="reverse"):
        golden.load(tmp_path / "m.safetensors")


@pytest.mark.sim
def test_the_hardware_computes_it(reversed_model, tmp_path, project_root):
    model = replace(
        reversed_model,
        mean_counts=golden.mean_counts(
            reversed_model, random_images(4, 4, reversed_model.image_shape)
        ),
    )
    plan = compile_model(model, columns=1, lanes=4, spike_code=SpikeCode.SPLIT)
    build(plan, tmp_path / "core")
    figures = verify(
        tmp_path / "core",
        model,
        random_images(5, 4, model.image_shape),
        cache=project_root / "build" / "sim",
    )
    assert figures["mismatches"] == 0
    assert "reverse" in [layer["name"] for layer in figures["layers"]]
