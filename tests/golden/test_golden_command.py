"""The command line of golden, as a user sees it."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import golden
from golden import SpikeCode, run, save
from golden.__main__ import main
from golden.analysis.synthetic import random_images, random_model


@pytest.fixture(scope="module")
def model():
    return random_model(12)


@pytest.fixture
def folder(model, tmp_path):
    save(model, tmp_path / "model.safetensors")
    images = random_images(2, 5, model.image_shape)
    np.save(tmp_path / "images.npy", images)
    labels = golden.classify(run(model, images).logits)
    labels[-1] += 1
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    return tmp_path


def test_run_prints_a_class_per_image(folder, model, capsys):
    assert main(["run", f"{folder}/model.safetensors", f"{folder}/images.npy"]) == 0
    classes = golden.classify(run(model, np.load(folder / "images.npy")).logits)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"images.npy[{index}]\t{label}" for index, label in enumerate(classes)
    ]
    assert printed.err == f"{folder}/images.npy: 5 images, without classes\n"


@pytest.mark.parametrize("code", [None, *SpikeCode])
def test_trace_holds_every_tensor(folder, model, code):
    options = ["--code", code.value] if code else []
    assert (
        main([
            "run",
            f"{folder}/model.safetensors",
            f"{folder}/images.npy",
            "--out",
            f"{folder}/out.npz",
            "--trace",
            *options,
        ])
        == 0
    )
    expected = run(model, np.load(folder / "images.npy"), trace=True).tensors
    with np.load(folder / "out.npz") as written:
        assert set(written) == {*expected, "logit_scale"}
        for name, tensor in expected.items():
            assert np.array_equal(written[name], tensor), name
        assert written["logit_scale"] == model.head.epilogue.scale


def test_out_without_trace_holds_logits_only(folder):
    assert (
        main([
            "run",
            f"{folder}/model.safetensors",
            f"{folder}/images.npy",
            "--out",
            f"{folder}/out.npz",
        ])
        == 0
    )
    with np.load(folder / "out.npz") as written:
        assert set(written) == {"logits", "logit_scale"}


def test_evaluate_prints_the_accuracy(folder, capsys):
    assert main(["evaluate", f"{folder}/model.safetensors", f"{folder}/data.npz"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "accuracy 80.00 % (4 of 5 images)\n"
    classes = len(np.unique(np.load(folder / "data.npz")["labels"]))
    assert printed.err == f"{folder}/data.npz: 5 images of {classes} classes\n"


def test_evaluate_knows_the_digits(folder, capsys):
    pytest.importorskip("sklearn")
    assert main(["evaluate", f"{folder}/model.safetensors", "digits"]) == 0
    assert "of 360 images" in capsys.readouterr().out


def one_sentence(capsys, arguments, sentence):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.err.endswith(".\n")


def test_errors_are_one_sentence(folder, model, capsys):
    path = f"{folder}/model.safetensors"
    images = f"{folder}/images.npy"
    one_sentence(
        capsys, ["run", "none.safetensors", images], "none.safetensors: there is no such file."
    )
    one_sentence(capsys, ["run", path, f"{folder}/none.npy"], "none.npy: the file cannot be read")
    one_sentence(capsys, ["run", path, images, "--trace"], "--trace needs --out")
    one_sentence(capsys, ["run", path, images, "--out", "o.txt"], "o.txt: the output must be")
    Image.fromarray(np.zeros((9, 8), np.uint8)).save(folder / "a.png")
    one_sentence(capsys, ["run", path, f"{folder}/a.png"], "a.png: the image must have 8x8 pixels")
    one_sentence(capsys, ["evaluate", path, images], "images.npy: accuracy needs labels")
    save(random_model(1, image_shape=(9, 9, 1)), folder / "other.safetensors")
    one_sentence(
        capsys,
        ["evaluate", f"{folder}/other.safetensors", "digits"],
        "digits have shape (8, 8, 1), and the model takes (9, 9, 1).",
    )


def test_overflow_is_one_sentence(folder, model, capsys, monkeypatch):
    narrow = replace(model, widths={"block3.0": {"stream": 2}})
    monkeypatch.setattr(golden.__main__, "load", lambda path: narrow)
    one_sentence(
        capsys, ["run", "m.safetensors", f"{folder}/images.npy"], "Layer block3.0: the stream of"
    )


def test_a_failed_run_leaves_nothing_behind(folder, capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    before = sorted(folder.iterdir())
    monkeypatch.setattr(np, "savez", interrupt)
    arguments = [
        "run",
        f"{folder}/model.safetensors",
        f"{folder}/images.npy",
        "--out",
        f"{folder}/out.npz",
    ]
    assert main(arguments) == 130
    assert capsys.readouterr().err == "\nInterrupted, nothing was written.\n"
    assert sorted(folder.iterdir()) == before


def test_the_module_runs_without_torch(folder, project_root):
    script = (
        "import runpy, sys; sys.modules['torch'] = None; "
        "sys.argv = ['golden', *sys.argv[1:]]; "
        "runpy.run_module('golden', run_name='__main__')"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script, "run", folder / "model.safetensors", folder / "images.npy"],
        cwd=project_root,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr
    assert len(finished.stdout.splitlines()) == 5


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], ["run", "evaluate", "examples:"]),
        (["run"], ["IMAGES is a .npy array", "logit_scale", "--code"]),
        (["evaluate"], ["DATA is a .npz file", "digits"]),
    ],
)
def test_help_teaches(command, words, capsys):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in words)
