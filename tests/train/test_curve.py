"""Accuracy over additions: what ``train report --curve`` draws, prints and refuses."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import golden
from golden import SpikeCode
from golden.data.digits import load_digits
from tests.documents import tables
from train.__main__ import main
from train.export.curve import pareto, picture, table


pytest.importorskip("sklearn")

IMAGES = 30


@pytest.fixture
def models(project_root, tmp_path):
    """A model file, and a folder with a model that says its penalty."""
    data = project_root / "tests" / "data"
    folder = tmp_path / "sparse"
    folder.mkdir()
    model = golden.load(data / "digits-tiny.safetensors")
    golden.save(
        replace(model, notes=model.notes | {"spike_penalty": 0.03}), folder / "m.safetensors"
    )
    return [data / "digits.safetensors", folder]


def report(models, *options):
    return main(["report", *map(str, models), "--images", str(IMAGES), *map(str, options)])


@pytest.mark.parametrize("code", [None, SpikeCode.BIT_SERIAL])
def test_every_model_is_a_point_a_row_and_an_object(models, tmp_path, capsys, code):
    out = tmp_path / "new" / "curve.svg"
    assert report(models, "--curve", out, *(["--code", code.value] if code else [])) == 0
    code = code or SpikeCode.SPLIT
    points = json.loads(out.with_suffix(".json").read_text())
    (rows,) = tables(capsys.readouterr().out)
    drawn = out.read_text()
    *_, images, labels = load_digits()
    files = [models[0], models[1] / "m.safetensors"]
    for path, point, row in zip(files, points, rows[2:], strict=True):
        model = golden.load(path)
        tensors = golden.run(model, images[:IMAGES], trace=True).tensors
        added = sum(golden.additions(model, tensors, code).values()) / IMAGES
        assert point["additions"] == added
        assert point["accuracy"] == golden.accuracy(model, images[:IMAGES], labels[:IMAGES])
        assert (row[2], row[4]) == (f"{added:,.0f}", f"{point['accuracy']:.2%}")
    assert rows[0][2] == f"additions per image, {code.value}"
    assert [row[:2] for row in rows[2:]] == [["digits", ""], ["sparse", "0.03"]]
    assert drawn.count("<circle") == 2 + len(pareto(points))
    assert ">digits</text>" in drawn
    assert ">sparse, penalty 0.03</text>" in drawn


def point(additions, accuracy, **changes):
    fixed = {"name": "m", "penalty": None, "code": "split", "images": 10}
    return fixed | {"additions": additions, "accuracy": accuracy} | changes


def test_the_front_leaves_out_what_another_model_beats():
    cheap, worse, best, dear = point(1, 0.5), point(2, 0.4), point(3, 0.9), point(4, 0.9)
    assert pareto([dear, best, worse, cheap]) == [cheap, best]


def test_shares_are_of_the_most_accurate_model():
    (rows,) = tables(table([point(50, 0.8), point(100, 0.9), point(300, 0.7)]))
    assert [row[3] for row in rows[2:]] == ["50.0%", "100.0%", "300.0%"]


def test_one_model_without_a_spike_is_drawn_and_written_too():
    silent = point(0, 0.1, name="<silent>")
    assert "| <silent> |  | 0 | 0.0% | 10.00% |" in table([silent])
    assert "&lt;silent&gt;" in picture([silent])
    assert "nan" not in picture([silent])


REFUSED = {
    "several for a page": SimpleNamespace(
        models=2, options=(), sentence="MODEL must be one for a page, not 2: pass --curve FILE.svg"
    ),
    "a code of the page": SimpleNamespace(
        models=1, options=("--code", "split"), sentence="--code must come with --curve"
    ),
    "no picture": SimpleNamespace(
        models=1, options=("--curve", "c.png"), sentence="--curve must name a .svg file, not c.png"
    ),
    "twice the same": SimpleNamespace(
        models=3, options=("--curve", "c.svg"), sentence="MODEL must hold each value once, not "
    ),
    "no labels": SimpleNamespace(
        models=1,
        options=("--curve", "c.svg", "--data", "images.npy"),
        sentence="images.npy: accuracy needs labels, which these images do not have",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_curve_is_one_sentence(models, tmp_path, monkeypatch, capsys, case):
    monkeypatch.chdir(tmp_path)
    *_, images, _ = load_digits()
    np.save("images.npy", images[:IMAGES])
    assert report((models + models[:1])[: case.models], *case.options) == 2
    said = capsys.readouterr().err
    assert case.sentence in said
    assert said.endswith(".\n")
    assert not (tmp_path / "c.svg").exists()


def test_a_folder_must_hold_one_model(models, tmp_path, capsys):
    shutil.copy(models[0], models[1])
    assert report(models[1:], "--curve", tmp_path / "c.svg") == 2
    assert "sparse: must hold one model (.safetensors), as train export writes it, not 2" in (
        capsys.readouterr().err
    )
