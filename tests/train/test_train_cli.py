"""The command line of training: what it writes, says and refuses."""

import errno
import json
import tomllib

import pytest

import golden
from train.__main__ import main
from train.data.sets import DataSplit, load_split
from train.run.config import from_builtins


CONFIG = """
name = "tiny"
[data]
name = "digits"
[network]
image = [8, 8, 1]
classes = 10
dims = [4, 4, 6, 6]
depths = [1, 1]
heads = 2
strides = [1, 2, 1, 1, 1]
stem_kernel = 3
[quantise]
weight_bits = 4
[fit]
float_epochs = 1
quantised_epochs = 1
frozen_epochs = 1
batch = 128
float_rate = 5e-3
quantised_rate = 2e-3
"""


def status(*arguments):
    """Exit status of a command."""
    return main([str(argument) for argument in arguments])


def refused(capsys, arguments, *phrases):
    """Run a command that must fail; its one sentence holds every phrase."""
    capsys.readouterr()
    assert status(*arguments) == 2
    sentence = capsys.readouterr().err
    assert sentence.count("\n") == 1
    assert sentence.endswith(".\n")
    for phrase in phrases:
        assert phrase in sentence


@pytest.fixture(autouse=True, scope="module")
def few_digits():
    split = load_split(from_builtins(tomllib.loads(CONFIG)))
    few = DataSplit(
        split.train_images[:256],
        split.train_labels[:256],
        split.test_images[:30],
        split.test_labels[:30],
    )
    with pytest.MonkeyPatch.context() as patch:
        for module in ("train.run.fit", "train.data.sets", "train.run.pretrain"):
            patch.setattr(f"{module}.load_split", lambda *_: few)
        patch.setattr("train.data.sets.load_test_set", lambda *_: few)
        yield few


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A finished run, and the configuration beside it."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "tiny.toml").write_text(CONFIG)
    assert (
        status("fit", "--config", folder / "tiny.toml", "--out", folder / "run", "--seed", "1") == 0
    )
    return folder


def test_fit_writes_its_report(run_folder):
    report = json.loads((run_folder / "run" / "fit.json").read_text())
    assert report["seed"] == 1
    assert report["epochs"] == 2
    assert report["seconds"] > 0
    assert set(report["accuracy"]) == {"float", "quantised", "golden"}


def test_evaluate_prints_accuracies(run_folder, tmp_path, capsys):
    checkpoint = run_folder / "run" / "checkpoint.pt"
    report = tmp_path / "report.json"
    assert status("evaluate", checkpoint, "--report", report) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["quantised", "golden"]
    assert set(json.loads(report.read_text())["accuracy"]) == {"quantised", "golden"}
    assert status("evaluate", run_folder / "run" / "float.pt") == 0
    assert capsys.readouterr().out.split()[0] == "float"


@pytest.mark.parametrize("rounding", ["half-up", "half-even"])
def test_export_writes_model_and_report(run_folder, tmp_path, rounding, few_digits):
    path = tmp_path / "new" / "tiny.safetensors"
    assert (
        status(
            "export", run_folder / "run" / "checkpoint.pt", "--out", path, "--rounding", rounding
        )
        == 0
    )
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        "tiny.json",
        "tiny.safetensors",
    ]
    model = golden.load(path)
    assert model.layers[0].epilogue.neuron.rounding.value == rounding
    report = json.loads(path.with_suffix(".json").read_text())
    assert report["mismatches"] == 0
    assert report["images"] == 30
    assert report["rounding"] == rounding
    found = golden.accuracy(model, few_digits.test_images, few_digits.test_labels)
    assert report["accuracy"]["golden"] == found == model.notes["accuracy"]["golden"]
    assert model.notes["test_images"] == 30


def test_options_of_fit(run_folder, tmp_path, capsys):
    arguments = ["fit", "--config", run_folder / "tiny.toml", "--out"]
    assert (
        status(*arguments, tmp_path / "taught", "--teacher", run_folder / "run" / "checkpoint.pt")
        == 0
    )
    assert (
        status(
            *arguments,
            tmp_path / "tuned",
            "--epochs",
            "0",
            "1",
            "--init",
            run_folder / "run" / "float.pt",
        )
        == 0
    )
    assert (tmp_path / "tuned" / "checkpoint.pt").exists()
    refused(
        capsys,
        [*arguments, tmp_path / "x", "--teacher", "nowhere:teacher"],
        "teacher nowhere:teacher must give a torch classifier",
    )
    refused(
        capsys,
        [*arguments, tmp_path / "x", "--teacher", tmp_path / "no.pt"],
        "no.pt: no such file or directory",
    )
    refused(
        capsys,
        [*arguments, tmp_path / "x", "--init", run_folder / "tiny.toml"],
        "tiny.toml: must be a state_dict that torch saved",
    )
    refused(capsys, [*arguments, tmp_path / "x", "--device", "cuda"], "--device cuda needs a GPU")
    assert not (tmp_path / "x").exists()


def test_pretraining_prints_how_the_loss_fell(run_folder, tmp_path, capsys):
    config = tmp_path / "c.toml"
    config.write_text(CONFIG + "[pretrain]\nepochs = 2\ndecoder_width = 16\n")
    out = tmp_path / "out"
    assert status("pretrain", "--config", config, "--out", out) == 0
    said = capsys.readouterr().out
    assert "after 1 epoch" in said
    assert f"{out / 'pretrained.pt'}: pass it to fit --init" in said
    refused(
        capsys,
        ["pretrain", "--config", config, "--out", out],
        "pretrained.pt: already there, so pass --resume",
    )


def test_exporting_twice_gives_the_same_bytes(run_folder, tmp_path):
    checkpoint = run_folder / "run" / "checkpoint.pt"
    for name in ("one", "two"):
        status("export", checkpoint, "--out", tmp_path / f"{name}.safetensors")
    one, two = (tmp_path / f"{name}.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_errors_are_one_sentence(run_folder, tmp_path, capsys):
    checkpoint = run_folder / "run" / "checkpoint.pt"
    config = run_folder / "tiny.toml"
    refused(
        capsys,
        ["fit", "--config", tmp_path / "no.toml", "--out", tmp_path / "x"],
        "no.toml: cannot be read",
    )
    refused(
        capsys,
        ["fit", "--config", config, "--out", run_folder / "run", "--seed", "1"],
        "checkpoint.pt: already there",
        "--resume",
    )
    refused(capsys, ["evaluate", tmp_path / "no.pt"], "no.pt: no such file or directory")
    refused(capsys, ["evaluate", config], "must be a complete checkpoint")
    refused(
        capsys, ["export", checkpoint, "--out", tmp_path / "model.bin"], "must end in .safetensors"
    )
    refused(
        capsys,
        ["export", run_folder / "run" / "float.pt", "--out", tmp_path / "m.safetensors"],
        "quantised evaluation needs",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing(run_folder, tmp_path, capsys, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("golden.data.atomic.os.fsync", full)
    refused(
        capsys,
        ["export", run_folder / "run" / "checkpoint.pt", "--out", tmp_path / "m.safetensors"],
        "m.safetensors: the model cannot be written (No space left on device)",
    )
    assert list(tmp_path.iterdir()) == []
    refused(
        capsys,
        ["fit", "--config", run_folder / "tiny.toml", "--out", tmp_path / "run"],
        "float.pt: no space left on device",
    )
    assert not (tmp_path / "run").exists()


def test_a_difference_is_one_sentence_and_leaves_nothing(run_folder, tmp_path, capsys, monkeypatch):
    def differ(*arguments, **named):
        raise golden.ModelError("block3.0.attn.q.counts must be 1, not 2")

    monkeypatch.setattr("train.export.export.compare", differ)
    refused(
        capsys,
        ["export", run_folder / "run" / "checkpoint.pt", "--out", tmp_path / "m.safetensors"],
        "block3.0.attn.q.counts must be 1",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["fit", "accuracy"])
def test_epochs_and_contract(run_folder, tmp_path, capsys, command):
    arguments = [
        command,
        "--config",
        run_folder / "tiny.toml",
        "--out",
        tmp_path,
        "--epochs",
        "1",
        "2",
    ]
    if command == "accuracy":
        # Two epochs do not reach 96 %.
        assert status(*arguments, "--seeds", "0") == 1
        assert "must be at least 96%" in capsys.readouterr().out
        report = json.loads((tmp_path / "accuracy.json").read_text())
        assert report["failures"]
        assert list(report["accuracy"]) == ["0"]
    else:
        assert status(*arguments) == 0
        assert json.loads((tmp_path / "fit.json").read_text())["epochs"] == 3
