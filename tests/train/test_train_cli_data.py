"""Bad image files at the command line: one sentence, exit status 2, nothing lost."""

import shutil

import pytest
import torch
from PIL import Image

from tests.pictures import write_tree
from tests.training import run_config, to_toml
from train.__main__ import main
from train.run import checkpoint
from train.run.config import CHECKPOINT


def missing(folder):
    shutil.rmtree(folder)


def empty_class(folder):
    shutil.rmtree(folder / "train" / "ant")
    (folder / "train" / "ant").mkdir()


def unreadable(folder):
    (folder / "train" / "bee" / "0004.png").write_bytes(b"no picture")


def third_class(folder):
    for part in ("train", "test"):
        shutil.copytree(folder / part / "ant", folder / part / "cat")


def wrong_size(folder):
    Image.new("L", (9, 8)).save(folder / "test" / "bee" / "0004.png")


def run(tmp_path, data, **changes):
    config = run_config(
        data={"name": "images"} | changes, classes=2, batch=4, float_epochs=1, quantised_epochs=1
    )
    (tmp_path / "c.toml").write_text(to_toml(config))
    return main([
        "fit",
        "--config",
        str(tmp_path / "c.toml"),
        "--data",
        str(data),
        "--out",
        str(tmp_path / "run"),
        "--resume",
    ])


FAULT = "it is truncated or no image of PNG, JPEG, BMP, TIFF, WEBP or GIF"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (missing, "data: the data cannot be read (No such file or directory)"),
        (empty_class, "data: class ant must have at least one image in train"),
        (unreadable, f"train/bee/0004.png: the image cannot be read ({FAULT})"),
        (third_class, "data: there must be 2 classes, as the model has, not 3 (ant, bee, cat)"),
        (wrong_size, "test/bee/0004.png: the image must have 8x8 pixels (height x width), not 8x9"),
    ],
)
def test_bad_data_is_one_sentence(tmp_path, capsys, damage, sentence):
    data = tmp_path / "data"
    write_tree(data, size=(8, 8), channels=1)
    damage(data)
    assert run(tmp_path, data) == 2
    said = capsys.readouterr().err
    assert said.endswith(f"{sentence}.\n")
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_picture_that_breaks_during_training_loses_nothing(tmp_path, capsys):
    data = tmp_path / "data"
    write_tree(data, size=(12, 9), channels=1)
    picture = data / "train" / "bee" / "0004.png"
    whole = picture.read_bytes()
    assert run(tmp_path, data, resize=True) == 0
    expected = checkpoint.load(tmp_path / "run" / CHECKPOINT)
    assert expected.accuracy["quantised"] == expected.accuracy["golden"]
    shutil.rmtree(tmp_path / "run")
    picture.write_bytes(whole[:50])
    capsys.readouterr()
    assert run(tmp_path, data, resize=True) == 2
    assert "train/bee/0004.png: the image cannot be read" in capsys.readouterr().err
    picture.write_bytes(whole)
    assert run(tmp_path, data, resize=True) == 0
    found = checkpoint.load(tmp_path / "run" / CHECKPOINT)
    for name, values in expected.network.items():
        assert torch.equal(found.network[name], values), name
