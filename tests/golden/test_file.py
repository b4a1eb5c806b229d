"""The model file: round trip, bytes, and every rule that a graph can break."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from golden import ModelError, Rounding, load, run, save
from golden.analysis.synthetic import random_images, random_model
from tests.model_files import refused, rewritten
from tests.models import changed


@pytest.fixture(scope="module")
def model():
    return replace(random_model(6), notes={"seed": 6, "accuracy": [0.5, None], "name": "Zoë"})


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    save(model, path)
    return path


@pytest.mark.parametrize("rounding", Rounding)
def test_round_trip_gives_the_same_model(rounding, tmp_path):
    model = random_model(8, image_shape=(6, 7, 3), max_count=5, rounding=rounding)
    save(model, tmp_path / "a.safetensors")
    loaded = load(tmp_path / "a.safetensors")
    for name in ("name", "input", "class_names", "mean_counts", "notes", "widths"):
        assert getattr(loaded, name) == getattr(model, name)
    for ours, theirs in zip(model.layers, loaded.layers, strict=True):
        assert type(ours) is type(theirs)
        assert_equal_fields(ours, theirs)
    images = random_images(1, 4, model.image_shape)
    assert np.array_equal(run(loaded, images).logits, run(model, images).logits)


def assert_equal_fields(ours, theirs):
    for name, value in vars(ours).items():
        other = getattr(theirs, name)
        if isinstance(value, np.ndarray):
            assert value.dtype == other.dtype
            assert np.array_equal(value, other)
        elif hasattr(value, "__dataclass_fields__"):
            assert type(value) is type(other)
            assert_equal_fields(value, other)
        else:
            assert value == other


def test_saving_a_loaded_model_gives_the_same_bytes(saved, tmp_path):
    save(load(saved), tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_bytes_do_not_depend_on_the_order_of_notes(model, saved, tmp_path):
    shuffled = dict(reversed(model.notes.items()))
    save(replace(model, notes=shuffled), tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_bytes_do_not_depend_on_hash_seeds(project_root, tmp_path):
    script = (
        "import sys; from golden import save; "
        "from golden.analysis.synthetic import random_model; "
        "save(random_model(6), sys.argv[1])"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / seed)],
            check=True,
            cwd=project_root,
            env=os.environ | {"PYTHONHASHSEED": seed},
            timeout=60,
        )
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_metadata_has_one_key(saved):
    with safetensors.safe_open(saved, framework="np") as file:
        assert list(file.metadata()) == ["addend"]
        header = json.loads(file.metadata()["addend"])
    assert list(header) == ["format", "version", "digest", "graph"]
    assert header["version"] == "2.0"


def test_a_shift_of_the_logits_is_kept(tmp_path):
    model = random_model(6, logit_shift=5)
    save(model, tmp_path / "shifted.safetensors")
    loaded = load(tmp_path / "shifted.safetensors")
    assert loaded.layers[-1].epilogue.shift == 5
    images = random_images(1, 3, model.image_shape)
    result = run(loaded, images, trace=True)
    head = loaded.layers[-1]
    sums = result.tensors[head.source][:, :, 0, 0] @ head.weight[:, :, 0, 0].T.astype(np.int64)
    assert np.array_equal(result.logits, 32 * sums + head.epilogue.bias)


def test_a_pixel_constant_is_kept(tmp_path):
    save(random_model(6, pixel_constant=77), tmp_path / "constant.safetensors")
    loaded = load(tmp_path / "constant.safetensors")
    images = random_images(1, 3, loaded.image_shape)
    pixels = run(loaded, images, trace=True).tensors["pixels"]
    assert np.array_equal(pixels[:, :-1].transpose(0, 2, 3, 1), images)
    assert (pixels[:, -1] == 77).all()
    with pytest.raises(ModelError, match="Pixel constant must be 0 to 255, not 256"):
        save(
            replace(loaded, input=replace(loaded.input, constant=256)),
            tmp_path / "wrong.safetensors",
        )


def test_widths_are_derived_when_a_model_has_none(model, saved, tmp_path):
    save(replace(model, widths={}), tmp_path / "bare.safetensors")
    assert (tmp_path / "bare.safetensors").read_bytes() == saved.read_bytes()


def layer_entry(header, name):
    return next(layer for layer in header["graph"]["layers"] if layer["name"] == name)


def neuron_entry(header, name):
    return layer_entry(header, name)["epilogue"]["neuron"]


BROKEN_GRAPHS = {
    "missing field": (
        lambda h, t: layer_entry(h, "head").pop("groups"),
        "Layer head: the field groups must be given with the right type",
    ),
    "wrong type": (
        lambda h, t: layer_entry(h, "head").update(groups="1"),
        "Layer head: the field groups must be given with the right type, not as '1'",
    ),
    "boolean": (
        lambda h, t: layer_entry(h, "head").update(groups=True),
        "Layer head: the field groups must be given with the right type, not as True",
    ),
    "no previous": (
        lambda h, t: layer_entry(h, "block3.0")["epilogue"].pop("previous"),
        "Layer block3.0: the field previous must be given",
    ),
    "unknown kind": (
        lambda h, t: layer_entry(h, "head").update(kind="pool"),
        "Layer head: the kind must be one of conv, key_value, query, mask, max, sum",
    ),
    "unknown epilogue": (
        lambda h, t: layer_entry(h, "head")["epilogue"].update(kind="sink"),
        "Layer head: the kind must be one of fire, write, output, not 'sink'",
    ),
    "no epilogue": (
        lambda h, t: layer_entry(h, "head").pop("epilogue"),
        "Layer head: the field epilogue must be given",
    ),
    "null epilogue": (
        lambda h, t: layer_entry(h, "head.sum").update(epilogue=None),
        "Layer head.sum: the epilogue must be one of fire, write, output, not None",
    ),
    "levels": (
        lambda h, t: neuron_entry(h, "head.sum").update(levels=3),
        "Layer head.sum: the neuron must have 3 levels, not 4, which its thresholds or",
    ),
    "axis": (
        lambda h, t: layer_entry(h, "head")["axes"].append(3),
        "Layer head: an axis must be an object, not 3",
    ),
    "kernel": (
        lambda h, t: layer_entry(h, "head")["axes"][0].pop("kernel"),
        "Layer head: an axis: the field kernel must be given with the right type",
    ),
    "sources": (
        lambda h, t: layer_entry(h, "head").update(sources=[3]),
        "Layer head: each source must have the right type, not 3",
    ),
    "outputs": (
        lambda h, t: h["graph"]["outputs"].clear(),
        "The outputs must be those of the layers, [('logits', 'head')], in their order",
    ),
    "encoder": (
        lambda h, t: h["graph"]["input"].update(encoder={"kind": "poisson"}),
        "The encoder of the input must be {\"kind\": \"bytes\"}, not {'kind': 'poisson'}",
    ),
    "steps": (
        lambda h, t: h["graph"]["input"].update(steps=0),
        "Steps of the input must be 1 to 65536, not 0",
    ),
    "rounding": (
        lambda h, t: neuron_entry(h, "head.sum").update(rounding="down"),
        "Layer head.sum: the rounding rule must be half-up or half-even, not 'down'",
    ),
    "no layers": (
        lambda h, t: h["graph"].update(layers=[], outputs=[]),
        "A model must have at least one layer with an output",
    ),
    "no name": (lambda h, t: h["graph"]["layers"][0].pop("name"), "the field name must be given"),
    "no layer": (lambda h, t: h["graph"]["layers"].append(3), "the field kind must be given"),
    "no graph": (
        lambda h, t: h.update(graph=[1]),
        "the graph must be the last field of the header (it must be a JSON o",
    ),
    "shape": (
        lambda h, t: h["graph"]["input"].update(shape=[8, 8]),
        "input's shape must be three integers",
    ),
    "missing tensor": (
        lambda h, t: t.pop("head.bias"),
        "Layer head: the tensor head.bias must be in the file",
    ),
    "no weight": (
        lambda h, t: t.pop("head.weight"),
        "Layer head: the tensor head.weight must be in the file",
    ),
    "no widths": (
        lambda h, t: layer_entry(h, "head").pop("widths"),
        "Layer head: the field widths must be given",
    ),
    "small width": (
        lambda h, t: layer_entry(h, "block3.0")["widths"].update(stream=3),
        "Layer block3.0: the stream width must be at least",
    ),
    "odd width": (
        lambda h, t: layer_entry(h, "block3.0")["widths"].update(stream="wide"),
        "Layer block3.0: the stream width must be at least",
    ),
    "weight range": (
        lambda h, t: t["head.weight"].fill(100),
        "Layer head: weights of 4 bits must be -7 to 7, not 100",
    ),
    "threshold order": (
        lambda h, t: t["block3.0.attn.q.thresholds"].__imul__(-1),
        "Layer block3.0.attn.q: thresholds must not decrease",
    ),
    "mean counts": (lambda h, t: h["graph"].update(mean_counts=[]), "the field mean_counts must"),
}


@pytest.mark.parametrize("case", BROKEN_GRAPHS)
def test_a_broken_rule_names_file_layer_and_rule(saved, tmp_path, case):
    change, sentence = BROKEN_GRAPHS[case]
    refused(rewritten(saved, tmp_path / "m.safetensors", change), sentence)


def test_a_broken_model_is_not_written(model, tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(ModelError, match=r"m\.safetensors: Layer head: .* must be 2 to 16 bits"):
        save(changed(model, "head", weight_bits=17), path)
    with pytest.raises(ModelError, match=r"m\.safetensors: .*not JSON"):
        save(replace(model, notes={"path": Path()}), path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_is_one_sentence(model, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"m\.safetensors: the model cannot be written \(Not a"):
        save(model, tmp_path / "file" / "m.safetensors")


def test_a_folder_that_is_missing_is_made(model, saved, tmp_path):
    save(model, tmp_path / "new" / "m.safetensors")
    assert (tmp_path / "new" / "m.safetensors").read_bytes() == saved.read_bytes()


def test_the_documented_reader_reads_the_file(project_root, saved, model):
    page = (project_root / "docs" / "format.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=saved.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == f"{[layer.name for layer in model.layers]}\n"
    # The same reader finds a flipped bit.
    (saved.parent / "flipped").mkdir()
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    (saved.parent / "flipped" / "model.safetensors").write_bytes(content)
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=saved.parent / "flipped",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "AssertionError" in finished.stderr
