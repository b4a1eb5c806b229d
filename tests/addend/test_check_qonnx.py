"""`addend check` and `addend convert` of QONNX files."""

import json

import numpy as np
import onnx
import pytest

import addend
import golden
from addend.__main__ import run
from golden.data.digits import load_digits


FILES = ("brevitas-digits", "brevitas-digits-dynamo", "residual-qonnx")


@pytest.fixture
def data(project_root):
    return project_root / "tests" / "data"


@pytest.mark.parametrize("name", FILES)
def test_hardware_runs_the_fixtures(data, capsys, name):
    path = data / f"{name}.onnx"
    assert run(["check", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: hardware runs ")


def test_a_file_of_two_dynamic_shapes_gets_a_sentence(data, tmp_path, capsys):
    model = onnx.load(data / "residual-qonnx.onnx")
    for place, name in ((2, "height"), (3, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
    path, rows = tmp_path / "dynamic.onnx", tmp_path / "rows.json"
    onnx.save(model, path)
    assert run(["check", str(path), "--json", str(rows)]) == 1
    output = capsys.readouterr()
    assert output.err == ""
    sentence, summary = output.out.splitlines()
    assert "must have a fixed shape" in sentence
    assert sentence.endswith(": export with the shape of one picture.")
    assert summary == f"{path}: hardware runs 0 of 1 nodes"
    (row,) = json.loads(rows.read_text())
    assert row["runs"] == "no"
    assert row.keys() == {"node", "kind", "runs", "reason", "remedy"}


def test_what_is_no_network_is_misuse(tmp_path, capsys):
    assert run(["check", str(tmp_path / "none.onnx")]) == 2
    (tmp_path / "text.onnx").write_text("no network")
    assert run(["check", str(tmp_path / "text.onnx")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "none.onnx: cannot be read" in first
    assert second.endswith("text.onnx: is no ONNX file")
    with pytest.raises(SystemExit) as caught:
        run(["check", str(tmp_path / "other.txt")])
    assert caught.value.code == 2
    assert "must be FILE.py:FUNCTION or a QONNX file" in capsys.readouterr().err


def test_a_converted_file_classifies_digits(data, tmp_path, capsys):
    out = tmp_path / "m.safetensors"
    arguments = ["convert", str(data / "brevitas-digits.onnx"), "--out", str(out)]
    assert run([*arguments, "--calibrate", "digits", "--count", "20"]) == 0
    assert "same class on 20 of 20 images" in capsys.readouterr().out
    *_, images, labels = load_digits()
    found = golden.classify(addend.run(addend.load(out), images).logits)
    # 98.33 % of the test set, as Brevitas measured when it wrote the file.
    assert np.count_nonzero(found == labels) == 354
