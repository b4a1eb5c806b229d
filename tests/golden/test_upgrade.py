"""Files of format 1.x: the committed models compute what they computed when they were written."""

import hashlib
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

import golden
from golden import ModelError
from golden.analysis.synthetic import random_images
from golden.data.description import parse_json
from golden.data.tensors import read_tensors
from golden.model.graph import from_graph, to_graph
from golden.model.upgrade import upgraded


DATA = Path(__file__).parents[1] / "data"

#: Digests of all tensors, logits included, by the executor of format 1.2.
TENSORS = {
    "digits": "794def99d54dbd07a2bc462acc09f7dc4bd48f7ef245b9698d9c3a602e9a8a5e",
    "digits-half-even": "2eda7b8ba6fe143fbd6546eea353a200f1b6172e44802886343983bea8f56d4b",
    "cifar10-nano": "6076b411158ff9ffc0711886a8fbeee565f28747acc66bd2c5efc6e5058f905d",
    "cifar10-nano-d8": "cf22316a823587ffa01ddb07feeba0a0c5b9f67b7a0dcd73afd8870f2b89cc00",
}


def digest(model):
    """Digest of every tensor that a model makes of some random images."""
    images = random_images(5, 6 if model.image_shape[0] < 32 else 2, model.image_shape)
    result = hashlib.sha256()
    for name, values in golden.run(model, images, trace=True).tensors.items():
        result.update(f"{name} {values.shape}".encode())
        result.update(np.ascontiguousarray(values.astype("<i8")).tobytes())
    return result.hexdigest()


@pytest.fixture(scope="module")
def old():
    """Graph and tensors of a file of format 1.0."""
    header, tensors = read_tensors(DATA / "digits.safetensors", "addend")
    header = parse_json(header, "it")
    assert header["version"].startswith("1.")
    return header["graph"], tensors


@pytest.mark.parametrize("name", TENSORS)
def test_committed_models_compute_what_they_did(name):
    assert digest(golden.load(DATA / f"{name}.safetensors")) == TENSORS[name]


def test_an_upgraded_model_is_saved_as_2_0_and_stays_the_same(tmp_path):
    model = golden.load(DATA / "digits.safetensors")
    golden.save(model, tmp_path / "new.safetensors")
    header, tensors = read_tensors(tmp_path / "new.safetensors", "addend")
    header = parse_json(header, "it")
    assert header["version"] == "2.0"
    assert digest(golden.load(tmp_path / "new.safetensors")) == TENSORS["digits"]
    graph, again = to_graph(from_graph(header["graph"], tensors))
    assert graph == header["graph"]
    assert again.keys() == tensors.keys()


def test_the_step_is_pure_and_leaves_tensors_alone(old):
    graph, tensors = old
    before = deepcopy(graph)
    new = upgraded(graph, tensors)
    assert graph == before
    written, arrays = to_graph(from_graph(new, tensors))
    assert arrays.keys() == tensors.keys()
    assert all(np.array_equal(arrays[name], tensors[name]) for name in tensors)
    assert [layer["name"] for layer in written["layers"]] == [
        layer["name"] for layer in graph["layers"]
    ]


def test_the_note_becomes_pictures_and_classes(old):
    graph, tensors = deepcopy(old[0]), old[1]
    names = [str(number) for number in range(10)]
    graph["notes"] = {"seed": 3, "input": {"resize": 9, "crop": [8, 8], "classes": names}}
    new = upgraded(graph, tensors)
    assert new["input"] == {
        "shape": [8, 8, 1],
        "steps": 1,
        "constant": 0,
        "encoder": {"kind": "bytes"},
        "pictures": {"resize": 9, "crop": [8, 8]},
    }
    assert new["outputs"] == [
        {"name": "logits", "layer": graph["layers"][-1]["name"], "classes": names}
    ]
    assert new["notes"] == {"seed": 3}
    graph["notes"] = {"input": {}}
    assert upgraded(graph, tensors)["input"]["pictures"] == {"resize": None, "crop": None}
    graph["notes"] = {"input": None}
    assert upgraded(graph, tensors)["input"]["pictures"] is None
    # Constants and shifts of logits came with 1.2.
    graph["pixel_constant"] = 7
    graph["layers"][-1]["drain"]["shift"] = 5
    new = upgraded(graph, tensors)
    assert (new["input"]["constant"], new["layers"][-1]["epilogue"]["shift"]) == (7, 5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda graph: graph.pop("max_count"), "The graph: the field max_count must be given"),
        (lambda graph: graph.update(max_count=16), "Largest count D must be 1 to 15, not 16"),
        (lambda graph: graph.update(classes=9), "logits must have shape (9, 1, 1)"),
        (
            lambda graph: graph["layers"][-1].update(kind="token_sum"),
            "logits must have shape (10, 1",
        ),
        (lambda graph: graph["layers"].pop(), "The last layer of a model must emit logits"),
        (lambda graph: graph.update(layers=[]), "The last layer of a model must emit logits"),
        (lambda graph: graph.update(layers=[3]), "A layer: the field kind must be given"),
        (
            lambda graph: graph["layers"][0].update(kind="max"),
            "the kind must be one of conv, key_value, query, token_sum, analog_head, not 'max'",
        ),
        (
            lambda graph: graph["layers"][0].update(stride="1"),
            "the field stride must be given with",
        ),
        (
            lambda graph: graph["layers"][0].update(name="x"),
            "the tensor x.weight must be in the file",
        ),
        (lambda graph: graph["layers"][0].pop("drain"), "the field drain must be given"),
        (
            lambda graph: graph["notes"].update(input=[8]),
            "The note input must be an object of resize",
        ),
    ],
)
def test_a_broken_graph_of_1_x_is_one_sentence(old, change, sentence):
    graph = deepcopy(old[0])
    change(graph)
    with pytest.raises(ModelError) as caught:
        upgraded(graph, old[1])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
