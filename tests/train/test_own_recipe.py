"""A recipe with a user's own module: from training to simulated hardware."""

import json
import shutil

import pytest
import torch

import golden
from addend.__main__ import run
from tests.own import MYNET, RECIPE
from tests.training import Stopping
from train.data.sets import DataSplit, load_split
from train.network.build import build, layered
from train.run import checkpoint
from train.run.config import (
    ConfigError,
    OwnConfig,
    from_builtins,
    load,
    to_builtins,
    with_epochs,
)
from train.run.fit import fit as train


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A narrow network beside its recipe, and few digits to train it on."""
    shutil.copy(MYNET, tmp_path)
    path = tmp_path / "mynet.toml"
    path.write_text(RECIPE.read_text().replace("width = 8", "width = 4"))
    split = load_split(load(path))
    few = DataSplit(
        split.train_images[:260],
        split.train_labels[:260],
        split.test_images[:40],
        split.test_labels[:40],
    )
    for module in (
        "train.run.fit",
        "train.run.evaluate",
        "train.cli.exports",
        "train.cli.commands",
    ):
        monkeypatch.setattr(f"{module}.load_split", lambda *_: few, raising=False)
    return path


def fit(recipe, out, *options, epochs=("2", "2")):
    folder = recipe.parent / out
    arguments = ["train", "fit", "--config", str(recipe), "--out", str(folder), "--seed", "0"]
    assert run([*arguments, "--epochs", *epochs, *options]) == 0
    return folder / "checkpoint.pt"


def test_a_module_lies_beside_its_recipe(recipe):
    config = load(recipe)
    assert isinstance(config, OwnConfig)
    assert config.network.module == f"{recipe.parent}/mynet.py:build"
    assert config.network.keywords == {"width": 4}
    assert (config.network.image, config.network.classes) == ((8, 8, 1), 10)
    assert from_builtins(to_builtins(config)) == config


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("mynet.py:build", "mynet.build", "module must be FILE.py:FUNCTION, not 'mynet.build'"),
        ("width = 4", "classes = 1", "classes must be 2 or more, not 1"),
        ("width = 4", "image = [8, 8]", r"image must be height, width and channels, not \[8, 8\]"),
    ],
)
def test_a_recipe_is_checked(recipe, old, new, sentence):
    recipe.write_text(recipe.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=sentence):
        load(recipe)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("width = 4", "height = 4", "cannot be called with height=4: TypeError"),
        ("mynet.py:build", "mynet.py:make", "has no function 'make'"),
        ("mynet.py:build", "none.py:build", "there is no file"),
    ],
)
def test_a_module_that_gives_no_network_is_told_in_one_sentence(recipe, capsys, old, new, sentence):
    recipe.write_text(recipe.read_text().replace(old, new))
    arguments = ["train", "fit", "--config", str(recipe), "--out", str(recipe.parent / "out")]
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("widht = 4", "mynet.py:build cannot be called with widht=4: TypeError: build() got an"),
        ("classes = 3", "digits have shape (8, 8, 1) and 10 classes, and the network takes (8, 8,"),
        ("classes = 12\nwidth = 0", "mynet.py:build cannot be called with classes=12, width=0: "),
    ],
)
def test_a_network_table_that_does_not_fit_is_told_in_a_sentence(
    recipe, capsys, monkeypatch, table, sentence
):
    recipe.write_text(recipe.read_text().replace("width = 4", table))
    monkeypatch.setattr("train.run.fit.load_split", load_split)
    out = ["--out", str(recipe.parent / "out")]
    assert run(["train", "fit", "--config", str(recipe), *out]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_class_scores_are_as_many_as_classes(recipe):
    config = load(recipe)
    network = build(config.network)
    network.fc = torch.nn.Linear(8, 4)
    with pytest.raises(ValueError, match="^the network computes 4 class scores of 10 classes$"):
        layered(network)


@pytest.mark.parametrize("command", ["sweep", "pretrain"])
def test_commands_of_families_refuse_a_module(recipe, capsys, command):
    out = recipe.parent / "out"
    assert run(["train", command, "--config", str(recipe), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert f"{command} needs a network of a family, and module names another one" in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_resumed_run_goes_on_to_the_same_weights(recipe):
    whole = checkpoint.load(fit(recipe, "whole"))

    config = with_epochs(load(recipe), 2, 2)
    with pytest.raises(KeyboardInterrupt):
        train(config, recipe.parent / "parts", seed=0, progress=Stopping(3))
    resumed = checkpoint.load(fit(recipe, "parts", "--resume"))
    assert (whole.epoch, resumed.epoch) == (4, 4)
    assert whole.network.keys() == resumed.network.keys()
    for name, values in whole.network.items():
        assert torch.equal(values, resumed.network[name]), name


@pytest.mark.sim
def test_training_ends_in_simulated_hardware_without_a_mismatch(recipe, project_root, capsys):
    path = fit(recipe, "run")
    folder, model = recipe.parent / "core", recipe.parent / "mynet.safetensors"
    assert run(["train", "export", str(path), "--out", str(model)]) == 0
    assert len(golden.load(model).layers) == 8
    build = ["build", "--model", str(model), "--out", str(folder), "--target", "sim"]
    assert run(build) == 0
    capsys.readouterr()
    report = recipe.parent / "sim.json"
    cache = ["--cache", str(project_root / "build" / "sim")]
    images = ["--images", "digits", "--count", "4", "--report", str(report)]
    assert run(["sim", str(folder), str(model), *images, *cache]) == 0
    figures = json.loads(report.read_text())
    assert (figures["images"], figures["mismatches"], figures["first_mismatch"]) == (4, 0, None)
    assert figures["values"] > 4 * 8 * 8 * 4
