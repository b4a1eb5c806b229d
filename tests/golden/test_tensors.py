"""Model files at and beyond their limits, and containers that lie."""

import json
from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import ModelError, validate
from golden.analysis.synthetic import random_model
from golden.data.tensors import read_tensors
from golden.model import shapes
from tests.models import changed


@pytest.fixture(scope="module")
def model():
    return random_model(6)


def container(path, entries, values=b"", *, length=None):
    text = json.dumps({"__metadata__": {"addend": "{}"}} | entries).encode()
    path.write_bytes(
        (len(text) if length is None else length).to_bytes(8, "little") + text + values
    )
    return path


def entry(dtype="I8", shape=(4,), begin=0, end=4):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def test_tensors_are_those_of_the_file(tmp_path):
    path = container(
        tmp_path / "a",
        {
            "b": entry("I64", (1, 2), 4, 20),
            "a": entry(),
            "empty": entry(shape=(0, 3), begin=4, end=4),
        },
        bytes([1, 2, 3, 255]) + np.array([5, -6], "<i8").tobytes(),
    )
    text, tensors = read_tensors(path, "addend")
    assert text == "{}"
    assert tensors["a"].tolist() == [1, 2, 3, -1]
    assert tensors["b"].tolist() == [[5, -6]]
    assert tensors["empty"].shape == (0, 3)


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({"a": entry(end=5)}, "truncated"),
        ({"a": entry(begin=1, end=5)}, "truncated"),
        ({"a": entry(), "b": entry(shape=(0,), begin=3, end=3)}, "truncated"),
        ({"a": entry(), "b": entry()}, "truncated"),
        ({"a": entry(shape=(2,), end=2)}, "truncated"),
        ({"a": entry(shape=(-4,))}, "truncated"),
        ({"a": entry(shape=(True, 4))}, "truncated"),
        ({"a": entry(shape=("4",))}, "truncated"),
        ({"a": {"dtype": "I8"}}, "truncated"),
        ({"a": [1, 2]}, "truncated"),
        ({"a": 7}, "truncated"),
        ({"a": entry("F32", (1,))}, "must hold int8, int16 and int64 tensors only"),
        ({"a": entry("I8", (2**20, 2**20), 0, 2**40)}, "must have at most 4294967296 bytes"),
        ({"a": entry("I8", (0, 2**62), 0, 0)}, "must have at most 4294967296 bytes"),
        ({"a": entry("I8", (1,) * 9, 0, 1)}, "and 8 axes, not shape"),
        ({str(n): entry(shape=(0,), end=0) for n in range(12_289)}, "at most 12288 tensors"),
    ],
)
def test_headers_that_lie_are_refused(tensors, sentence, tmp_path):
    path = container(tmp_path / "a", tensors, bytes(4))
    with pytest.raises(ModelError, match=sentence):
        read_tensors(path, "addend")
    with pytest.raises(ModelError, match=f"{path}: "):
        golden.load(path)


@pytest.mark.parametrize("length", [0, 2, 2**20, 2**63, 2**64 - 1])
def test_a_length_that_lies_is_refused(length, tmp_path):
    path = container(tmp_path / "a", {"a": entry()}, bytes(4), length=length)
    with pytest.raises(ModelError, match="truncated or no safetensors file"):
        golden.load(path)


def test_a_long_header_is_refused(tmp_path):
    path = container(tmp_path / "a", {"x" * 2**23: entry()}, bytes(4))
    with pytest.raises(ModelError, match="the header must have at most 8388608 bytes"):
        golden.load(path)


@pytest.mark.parametrize("bits", [49, 10**11, 0, True, 8.0, "8", None])
@pytest.mark.parametrize("noun", ["potential", "more"])
def test_widths_are_at_most_48_bits(model, bits, noun):
    widths = {name: dict(entry) for name, entry in model.widths.items()}
    widths["head"][noun] = 48
    validate(replace(model, widths=widths))
    widths["head"][noun] = bits
    with pytest.raises(ModelError, match=f"Layer head: the {noun} width must be"):
        validate(replace(model, widths=widths))


@pytest.mark.parametrize(
    "shape",
    [
        (2**36, 1, 1),
        (2**16 + 1, 1, 1),
        (1, 2**16 + 1, 1),
        (1, 1, 2**16 + 1),
        (2**13, 2**13 + 1, 1),
        (2**13, 2**13, 9),
    ],
)
def test_images_obey_the_limits_of_pictures(model, shape):
    with pytest.raises(ModelError, match="Image shape must be at most 65536 along every axis"):
        validate(replace(model, input=replace(model.input, shape=shape)))


def test_layers_and_maps_have_limits(model, monkeypatch):
    monkeypatch.setattr(shapes, "MAX_LAYERS", len(model.layers))
    validate(model)
    monkeypatch.setattr(shapes, "MAX_LAYERS", len(model.layers) - 1)
    with pytest.raises(ModelError, match=f"at most {len(model.layers) - 1} layers"):
        validate(model)
    monkeypatch.undo()
    largest = max(np.prod(shape) for shape in shapes.shapes(model).values())
    monkeypatch.setattr(shapes, "MAX_MAP", int(largest))
    validate(model)
    monkeypatch.setattr(shapes, "MAX_MAP", int(largest) - 1)
    with pytest.raises(ModelError, match=f"must have at most {largest - 1} values"):
        validate(model)


@pytest.mark.parametrize("name", ["", "x\ny", "\ud800", "\x1b[2J", "x" * 201])
def test_names_are_printable(model, name):
    with pytest.raises(ModelError, match="printable"):
        validate(changed(model, "head", name=name))
    if name:
        with pytest.raises(ModelError, match="The model's name must be at most 200 printable"):
            validate(replace(model, name=name))


@pytest.mark.parametrize("scale", [10**400, -1, float("nan")])
def test_scales_fit_a_float(model, scale):
    with pytest.raises(ModelError, match="scale of an output must be positive and finite"):
        validate(changed(model, "head", epilogue={"scale": scale}))
    with pytest.raises(ModelError, match="must be a number"):
        validate(replace(model, mean_counts={"pixels": scale}))


def test_what_could_not_be_read_again_is_not_written(model, tmp_path):
    deep = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ModelError, match="must not be nested deeper than 32 levels"):
        golden.save(replace(model, notes={"deep": deep}), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
