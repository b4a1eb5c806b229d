"""How pictures and classes come to a model: what the note says, at export and in every command."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import golden
from golden.__main__ import main as golden_main
from golden.analysis.synthetic import random_model
from golden.cli.source import load_source, open_source
from golden.data.tree import open_tree
from golden.model.input import ModelInput
from hw.build import main as build_main
from hw.explore import main as explore_main
from tests.pictures import write_tree
from tests.training import run_config, to_toml
from train.__main__ import main as train_main
from train.data.pictures import TrainingPictures


SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def plain():
    """A model of two classes that says nothing about its input."""
    return random_model(3, image_shape=SHAPE, classes=2)


def taking(model, pictures, classes=None):
    names = {} if classes is None else {"logits": classes}
    return replace(model, input=replace(model.input, pictures=pictures), class_names=names)


def sized(model):
    return replace(model, input=replace(model.input, shape=(224, 224, 3)))


def test_a_model_that_says_nothing_takes_what_it_always_took(plain):
    assert ModelInput.of(plain) == ModelInput(SHAPE, None, None, 2, None)
    large = sized(plain)
    assert ModelInput.of(large) == ModelInput((224, 224, 3), 232, (224, 224), 2, None)


def test_pictures_and_classes_are_written_and_read(tmp_path, plain):
    takes = ModelInput(SHAPE, 9, (8, 8), 2, ("ant", "bee"))
    model = takes.onto(plain)
    assert model.input.pictures == {"resize": 9, "crop": [8, 8]}
    assert model.class_names == {"logits": ("ant", "bee")}
    golden.save(model, tmp_path / "m.safetensors")
    assert ModelInput.of(golden.load(tmp_path / "m.safetensors")) == takes
    nothing = {"resize": None, "crop": None}
    assert ModelInput.of(taking(plain, nothing)) == ModelInput(SHAPE, None, None, 2, None)
    # What the file says decides, for the published size, too.
    large = sized(taking(plain, nothing))
    assert ModelInput.of(large).resize is None


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        ("photos", "must be null or an object of resize and crop, not photos"),
        ([8, 8], "must be null or an object of resize and crop, not [8, 8]"),
        ({"resise": 9}, "must be null or an object of resize and crop, not {'resise': 9}"),
        ({"resize": "9"}, "resize must be null or 1 to 65536 pixels, not '9'"),
        ({"resize": True}, "resize must be null or 1 to 65536 pixels, not True"),
        ({"resize": 9.0}, "resize must be null or 1 to 65536 pixels, not 9.0"),
        ({"resize": 0}, "resize must be null or 1 to 65536 pixels, not 0"),
        ({"resize": 2**40}, "resize must be null or 1 to 65536 pixels, not 1099511627776"),
        (
            {"resize": 7, "crop": [8, 8]},
            "resize must be at least 8 pixels for images of 8x8, not 7",
        ),
        ({"crop": 8}, "crop must be null or the image's [8, 8], not 8"),
        ({"crop": [8]}, "crop must be null or the image's [8, 8], not [8]"),
        ({"crop": [9, 8]}, "crop must be null or the image's [8, 8], not [9, 8]"),
        ({"crop": [8, 8.0]}, "crop must be null or the image's [8, 8], not [8, 8.0]"),
    ],
)
def test_pictures_of_another_type_are_refused(tmp_path, plain, pictures, sentence):
    refused(tmp_path / "m.safetensors", taking(plain, pictures), "The input's pictures", sentence)


@pytest.mark.parametrize(
    "classes", ["ab", ("ant",), ("ant", "ant"), ("ant", 2), ("ant", ""), ("ant", "\udcff")]
)
def test_classes_of_another_type_are_refused(tmp_path, plain, classes):
    refused(
        tmp_path / "m.safetensors",
        taking(plain, None, classes),
        "The classes of output logits",
        "must be null or 2 names of whole characters that differ, not ",
    )


def test_classes_belong_to_an_output(tmp_path, plain):
    refused(
        tmp_path / "m.safetensors",
        replace(plain, class_names={"boxes": ("a", "b")}),
        "The classes of output boxes",
        "must be those of an output",
    )


def refused(path, model, start, sentence):
    with pytest.raises(golden.ModelError) as caught:
        golden.save(model, path)
    assert str(caught.value).startswith(f"{path}: {start}")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize(
    ("size", "resize", "crop", "box"),
    [
        ((8, 8), None, None, (0, 0)),
        ((11, 14), None, (8, 8), (1, 3)),
        ((9, 13), 9, (8, 8), (0, 2)),
    ],
)
def test_pictures_are_cut_where_the_note_says(size, resize, crop, box):
    pixels = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    found = ModelInput(SHAPE, resize, crop).fit(Image.fromarray(pixels), "a.png")
    top, left = box
    assert np.array_equal(np.asarray(found), pixels[top : top + 8, left : left + 8])


@pytest.mark.parametrize(
    ("takes", "size", "sentence"),
    [
        (ModelInput(SHAPE), (8, 9), "the image must have 8x8 pixels (height x width), not 9x8"),
        (
            ModelInput(SHAPE, None, (8, 8)),
            (7, 20),
            "must have 8x8 pixels (height x width), not 20x7",
        ),
        (ModelInput(SHAPE, 8, None), (20, 16), "must have 8x8 pixels (height x width), not 8x10"),
        (
            ModelInput(SHAPE, 99, (8, 8)),
            (1, 2**16),
            "the image is too long: with a shorter side of 99",
        ),
        (ModelInput((8, 20, 1), 9, (8, 20)), (8, 8), "have 8x20 pixels (height x width), not 9x9"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(takes, size, sentence):
    with pytest.raises(ValueError) as caught:
        takes.fit(Image.new("L", size), "a.png")
    assert str(caught.value).startswith("a.png: ")
    assert sentence in str(caught.value)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Pictures of 60 x 80 pixels, and the model of a network that was trained on them at 48."""
    folder = tmp_path_factory.mktemp("photographs")
    write_tree(folder / "data", size=(60, 80), channels=1)
    config = run_config(
        data={"name": "images", "resize": True},
        image=(48, 48, 1),
        strides=(2, 2, 2, 2, 1),
        classes=2,
        batch=4,
        quantised_epochs=1,
    )
    (folder / "c.toml").write_text(to_toml(config))
    data = ["--data", str(folder / "data")]
    assert (
        train_main(["fit", "--config", str(folder / "c.toml"), *data, "--out", str(folder / "run")])
        == 0
    )
    assert (
        train_main([
            "export",
            str(folder / "run" / "checkpoint.pt"),
            *data,
            "--out",
            str(folder / "m.safetensors"),
        ])
        == 0
    )
    return folder


def test_every_command_takes_the_pictures_that_training_took(photographs, capsys):
    data, path = photographs / "data", photographs / "m.safetensors"
    model = golden.load(path)
    assert model.input.pictures == {"resize": 50, "crop": [48, 48]}
    assert model.class_names == {"logits": ("ant", "bee")}
    found = open_source(data, model)
    takes = ModelInput.resized((48, 48, 1), 2)
    images = TrainingPictures(open_tree(data)[1], takes)[:]
    assert np.array_equal(found.images[:], images)
    classes = golden.classify(golden.run(model, images).logits)
    right = (classes == found.labels).sum()
    capsys.readouterr()

    assert golden_main(["evaluate", str(path), str(data)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"accuracy {100 * right / 6:.2f} % ({right} of 6 images)\n"
    assert printed.err == f"{data}: 6 images of 2 classes\n"
    assert golden_main(["run", str(path), str(data / "test" / "bee")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"000{index}.png\t{('ant', 'bee')[classes[index]]}" for index in (3, 4, 5)
    ]
    report = photographs / "report"
    assert train_main(["report", str(path), "--data", str(data), "--out", str(report)]) == 0
    assert json.loads((report / "report.json").read_text())["accuracy"]["golden"] == right / 6
    for command in (
        [build_main, "--dry-run"],
        [explore_main, "--trials", "12", "--workers", "1", "--out", str(photographs / "explore")],
    ):
        assert (
            command[0]([*command[1:], "--model", str(path), "--images", str(data), "--count", "2"])
            == 0
        )
        assert f"{data}: 6 images of 2 classes, 2 taken\n" in capsys.readouterr().err


def test_a_checkpoint_remembers_its_classes(photographs, tmp_path, capsys):
    checkpoint = photographs / "run" / "checkpoint.pt"
    test_only = tmp_path / "good"
    write_tree(test_only, size=(60, 80), channels=1, parts=("val",))
    assert train_main(["evaluate", str(checkpoint), "--data", str(test_only)]) == 0
    assert f"{test_only}: 6 test images of 2 classes\n" in capsys.readouterr().err
    assert (
        train_main([
            "export",
            str(checkpoint),
            "--data",
            str(test_only),
            "--out",
            str(tmp_path / "m.safetensors"),
        ])
        == 0
    )
    ours, again = (golden.load(folder / "m.safetensors") for folder in (photographs, tmp_path))
    assert (ours.input, ours.class_names) == (again.input, again.class_names)
    write_tree(tmp_path / "bad", size=(60, 80), channels=1, classes=("ant", "wasp"))
    capsys.readouterr()
    out = ["--out", str(tmp_path / "bad.safetensors")]
    for command in (
        ["evaluate", str(checkpoint)],
        ["export", str(checkpoint), *out],
        [
            "fit",
            "--config",
            str(photographs / "c.toml"),
            "--out",
            str(photographs / "run"),
            "--resume",
        ],
    ):
        assert train_main([*command, "--data", str(tmp_path / "bad")]) == 2
        assert "it must not have wasp and must have bee.\n" in capsys.readouterr().err
    assert not (tmp_path / "bad.safetensors").exists()


def test_training_needs_both_parts(photographs, tmp_path, capsys):
    write_tree(tmp_path / "data", size=(60, 80), channels=1, parts=("test",))
    assert (
        train_main([
            "fit",
            "--config",
            str(photographs / "c.toml"),
            "--data",
            str(tmp_path / "data"),
            "--out",
            str(tmp_path / "run"),
        ])
        == 2
    )
    assert "the data must hold train/CLASS/IMAGE with .png, " in capsys.readouterr().err


def test_the_digits_have_the_names_of_digits(tmp_path):
    digits = load_source("digits", ModelInput.usual(SHAPE, 10, tuple("0123456789")), count=20)
    assert (
        digits.labels.tolist()
        == load_source("digits", ModelInput.usual(SHAPE, 10), count=20).labels.tolist()
    )
