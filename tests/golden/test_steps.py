"""Models of several steps with every operator, against loops over single products."""

from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import (
    PIXELS,
    Axis,
    Conv,
    Fire,
    Input,
    IntegerModel,
    Leak,
    LeakKind,
    Membrane,
    ModelError,
    Neuron,
    Output,
    Reset,
    Rounding,
    SpikeCode,
    validate,
)
from golden.model.ranges import analyse
from golden.model.shapes import tensor_infos
from tests.stepped import SIZE, STEPS, expected, stepped


@pytest.fixture(scope="module")
def model():
    return stepped()


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(1).integers(0, 256, (5, STEPS, *SIZE, 1)).astype(np.uint8)


@pytest.mark.parametrize("code", [None, *SpikeCode])
def test_every_tensor_equals_that_of_single_products(model, frames, code):
    tensors = golden.run(model, frames, trace=True, code=code).tensors
    for name, wanted in expected(model, frames).items():
        assert np.array_equal(tensors[name].ravel(), wanted.ravel()), name
        # The loops leave nothing at one value, so that equality says something.
        assert len(np.unique(wanted)) > 1, name


def test_shapes_have_an_axis_of_steps_where_there_are_several(model, frames):
    result = golden.run(model, frames, trace=True)
    shapes = {name: values.shape[1:] for name, values in result.tensors.items()}
    assert shapes["pixels"] == (3, 2, 4, 3)
    assert shapes["stem.state"] == (3, 4, 4, 3)
    assert shapes["space.kv"] == (3, 2, 2, 3)
    assert shapes["time.kv"] == (12, 2, 2, 3)
    assert shapes["both.kv.counts"] == (2, 2, 3)
    assert shapes["pool.counts"] == (3, 6, 2, 3)
    assert shapes["late.counts"] == (4, 4, 3)
    assert {name: values.shape[1:] for name, values in result.outputs.items()} == {
        "totals": (4,),
        "map": (3, 2, 8, 1),
        "logits": (5,),
        "rate": (2, 4, 3),
    }
    assert np.array_equal(result.logits, result.outputs["totals"])
    assert "both.kv" not in shapes
    assert not any(name.endswith(".carry") for name in shapes)


def test_an_image_is_shown_in_every_step(model, frames):
    still = frames[:, 0]
    whole = np.repeat(still[:, None], STEPS, axis=1)
    assert np.array_equal(golden.run(model, still).logits, golden.run(model, whole).logits)


def test_the_file_keeps_everything(model, frames, tmp_path):
    golden.save(model, tmp_path / "a.safetensors")
    loaded = golden.load(tmp_path / "a.safetensors")
    golden.save(loaded, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    ours, theirs = (golden.run(one, frames, trace=True).tensors for one in (model, loaded))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_no_value_leaves_its_range(model, frames):
    ranges, known = analyse(model), tensor_infos(model)
    white = np.full_like(frames[:1], 255)
    tensors = golden.run(model, np.concatenate([frames, white, 0 * white]), trace=True).tensors
    for name, (low, high) in [
        *((f"{name}.stream", ends) for name, ends in ranges.stream.items()),
        *((model_output(model, name), ends) for name, ends in ranges.outputs.items()),
    ]:
        values = tensors[name].reshape(7, known[name].steps, len(low), -1)
        assert (values.min(axis=(0, 1, 3)) >= low).all(), name
        assert (values.max(axis=(0, 1, 3)) <= high).all(), name
    for name in ("stem", "q"):
        states, (low, high) = tensors[f"{name}.state"], ranges.state[name]
        assert low.min() <= states.min()
        assert states.max() <= high.max()


def model_output(model, layer_name):
    return next(name for name, layer in model.outputs.items() if layer.name == layer_name)


def test_additions_are_spikes_times_what_they_reach(model, frames):
    tensors = golden.run(model, frames, trace=True).tensors
    counted = golden.additions_per_image(model, tensors, SpikeCode.THERMOMETER)

    def spikes(name):
        return tensors[name].reshape(5, -1).sum(axis=1)

    assert counted["q"].tolist() == (4 * spikes("stem.counts")).tolist()
    assert counted["k"].tolist() == (2 * spikes("stem.counts")).tolist()
    assert counted["v"].tolist() == (6 * (spikes("stem.counts") + spikes("k.counts"))).tolist()
    assert (
        counted["time.kv"].tolist()
        == counted["both.kv"].tolist()
        == (3 * spikes("k.counts")).tolist()
    )
    assert counted["both"].tolist() == (3 * spikes("q.counts")).tolist()
    assert counted["mask"].tolist() == (2 * spikes("gate.counts")).tolist()
    for name in ("pool", "code", "late", "all"):
        assert not counted[name].any()


def test_operands_multiply_to_potentials(model, frames):
    """The dense engine's rows, of every operator that has them."""
    tensors, known = golden.run(model, frames[:1], trace=True).tensors, tensor_infos(model)
    for layer in model.layers:
        if not layer.SPIKING:
            continue
        *_, potentials = layer.potentials(tensors, max_count=model.max_count)
        rows, outputs, terms = layer.products(known)
        by_row = layer.by_row(potentials)
        assert by_row.shape == (rows, outputs), layer.name
        for row in range(rows):
            counts, factors = layer.operands(tensors, row)
            assert counts.shape == factors.shape == (outputs, terms), layer.name
            assert (counts * factors).sum(axis=1).tolist() == by_row[row].tolist(), layer.name


def test_a_state_goes_from_layer_to_layer():
    """Two layers of one step that share a state are one layer of two steps."""
    membrane = Membrane((Leak(LeakKind.SHIFT, 1),), Reset.ZERO, state="shared")
    neuron = Neuron(np.array([[200, 256]]), Rounding.HALF_UP, membrane)
    weight = np.array([[[[1]]]], np.int8)
    axes = (Axis(1), Axis(1))
    head = Conv("head", ("two.counts",), weight, 2, axes, 1, Output(np.zeros(1, np.int64), 1.0))
    one, two = (Conv(name, (PIXELS,), weight, 2, axes, 1, Fire(neuron)) for name in ("one", "two"))
    model = IntegerModel("apart", Input((1, 1, 1)), (one, two, head))
    validate(model)
    together = IntegerModel(
        "together", Input((1, 1, 1), 2), (one, replace(head, sources=("one.counts",)))
    )
    validate(together)
    images = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1, 1)
    apart = golden.run(model, images, trace=True).tensors
    steps = golden.run(together, images, trace=True).tensors
    for index, name in enumerate(("one", "two")):
        for noun in ("counts", "state"):
            assert np.array_equal(apart[f"{name}.{noun}"], steps[f"one.{noun}"][:, index])
    assert set(np.unique(apart["one.counts"])) == {0, 1}
    assert set(np.unique(apart["two.counts"])) == {0, 1, 2}
    other = replace(
        two,
        epilogue=Fire(
            replace(
                neuron, membrane=replace(membrane, reset=Reset.SUBTRACT, order=golden.Order.LATE)
            )
        ),
    )
    with pytest.raises(ModelError, match="Layer two: the state shared must have shape"):
        validate(replace(model, layers=(one, other, head)))


def test_weights_may_be_shared(tmp_path):
    weight, axes = np.array([[[[1]]]], np.int8), (Axis(1), Axis(1))
    layers = tuple(
        Conv(name, (PIXELS,), weight, 2, axes, 1, Output(np.zeros(1, np.int64), 1.0, name=name))
        for name in ("a", "b")
    )
    model = IntegerModel("twins", Input((1, 1, 1)), layers)
    graph, tensors = golden.model.graph.to_graph(model)
    assert [layer["weight"] for layer in graph["layers"]] == ["a.weight", "a.weight"]
    assert set(tensors) == {"a.weight", "a.bias", "b.bias"}
    golden.save(model, tmp_path / "m.safetensors")
    first, second = golden.load(tmp_path / "m.safetensors").layers
    assert first.weight is second.weight
