"""The dense engine: sums against golden under Verilator, and the words that layers take."""

import json

import numpy as np
import pytest

import golden
from golden import Conv, Sum
from hw.baseline.dense_engine import DenseSize
from hw.baseline.work import DenseWork, dense_work
from sim.dense import main, measure
from tests.engines import small_model


DATA = "tests/data"


@pytest.mark.sim
@pytest.mark.parametrize(
    ("max_count", "outputs", "inputs"),
    [
        (4, 4, 4),
        pytest.param(15, 3, 8, marks=pytest.mark.full),
        pytest.param(7, 2, 1, marks=pytest.mark.full),
    ],
)
def test_sums_of_every_layer_match_golden(project_root, tmp_path, max_count, outputs, inputs):
    model = small_model(max_count=max_count)
    engine = DenseSize(outputs=outputs, inputs=inputs)
    image = np.random.default_rng(2).integers(0, 256, (1, *model.image_shape), np.uint8)
    cycles = measure(engine, model, image, tmp_path / "run", cache=project_root / "build" / "sim")
    assert list(cycles) == [layer.name for layer in model.layers if not isinstance(layer, Sum)]
    stem = model.layers[0]
    assert isinstance(stem, Conv)
    terms = stem.weight[0].size
    rows = np.prod(golden.run(model, image, trace=True).tensors[f"{stem.name}.counts"].shape[2:])
    # Pixels have 8 bits, and counts 3.
    assert cycles[stem.name] == 3 * rows * -(-len(stem.weight) // outputs) * -(-terms // inputs)


def test_a_layer_takes_a_cycle_for_each_word():
    engine = DenseSize(outputs=8, inputs=8)
    assert DenseWork(rows=64, outputs=384, terms=384).cycles(engine) == 64 * 48 * 48
    assert DenseWork(rows=1, outputs=9, terms=9).cycles(engine) == 4
    assert DenseWork(1, 8, 8, count_digits=3, weight_digits=2).cycles(engine) == 6


def test_firing_units_bound_the_cycles_of_thin_layers():
    engine = DenseSize(outputs=8, inputs=8)
    thin, deep = DenseWork(rows=64, outputs=24, terms=12), DenseWork(rows=64, outputs=24, terms=384)
    assert [thin.cycles(engine, units=units) for units in (1, 2, 4, 8)] == [1536, 768, 384, 384]
    assert deep.cycles(engine, units=1) == deep.cycles(engine)


def test_macs_are_those_of_a_dense_network(project_root):
    model = golden.load(project_root / DATA / "digits.safetensors")
    works = dense_work(model, DenseSize(outputs=8, inputs=8))
    for layer in model.layers:
        if isinstance(layer, Conv):
            assert works[layer.name].macs == works[layer.name].rows * layer.weight.size


def test_inputs_that_make_no_tree_are_refused():
    with pytest.raises(ValueError, match="Inputs must be a power of two, not 6"):
        DenseSize(outputs=8, inputs=6)


def test_weights_that_the_engine_cannot_hold_are_refused(project_root):
    model = golden.load(project_root / DATA / "digits.safetensors")
    with pytest.raises(
        ValueError,
        match="Layer .* has weights of 4 bits: the dense engine's must have as many, not 3",
    ):
        dense_work(model, DenseSize(outputs=8, inputs=8, weight_width=3))


def test_attention_takes_more_digits_where_weights_are_narrow(project_root):
    """Entries of the memory are as wide as they are, however narrow the engine's operands."""
    model = golden.load(project_root / DATA / "digits.safetensors")
    narrow, wide = (
        dense_work(model, DenseSize(outputs=8, inputs=8, weight_width=bits)) for bits in (4, 8)
    )
    queries = [layer.name for layer in model.layers if isinstance(layer, golden.Query)]
    assert all(narrow[name].weight_digits > wide[name].weight_digits for name in queries)
    assert all(
        narrow[layer.name] == wide[layer.name] for layer in model.layers if isinstance(layer, Conv)
    )


@pytest.mark.sim
def test_command_writes_cycles_and_macs(project_root, tmp_path, capsys):
    model = project_root / DATA / "digits.safetensors"
    assert (
        main([
            str(model),
            "--out",
            str(tmp_path),
            "--outputs",
            "4",
            "--inputs",
            "4",
            "--cache",
            str(project_root / "build" / "sim"),
        ])
        == 0
    )
    written = json.loads((tmp_path / "dense.json").read_text())
    total = sum(written["cycles"].values())
    assert written["macs"] <= 16 * total
    assert f"{total:,} cycles per image" in capsys.readouterr().out
