"""Images for the commands, wherever they come from."""

import numpy as np
import pytest

from golden.cli.source import load_source
from golden.data.digits import load_digits
from golden.model.input import ModelInput
from tests.pictures import write_tree, zip_tree


SHAPE = (8, 8, 1)
TAKES = ModelInput.usual(SHAPE)


def test_the_digits_have_a_name_of_their_own():
    found = load_source("digits", TAKES, count=3)
    *_, expected, classes = load_digits()
    assert np.array_equal(found.images, expected[:3])
    assert found.labels.tolist() == classes[:3].tolist()
    assert len(found.names) == 3
    assert found.lines == ["digits: 360 images of 10 classes, 3 taken"]


def test_arrays_with_labels_and_without(tmp_path):
    images = np.arange(5 * 64, dtype=np.uint8).reshape(5, *SHAPE)
    np.save(tmp_path / "a.npy", images)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(5))
    found = load_source(tmp_path / "a.npy", TAKES, count=4)
    assert np.array_equal(found.images, images[:4])
    assert found.labels is None
    assert len(found.names) == 4
    found = load_source(tmp_path / "a.npz", TAKES)
    assert np.array_equal(found.images, images)
    assert found.labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("packed", [False, True])
def test_a_tree_gives_its_test_images_evenly(tmp_path, packed):
    folder = tmp_path / "data"
    expected = write_tree(folder, size=(8, 8), channels=1)["test"]
    path = zip_tree(folder, tmp_path / "data.zip") if packed else folder
    found = load_source(path, TAKES)
    assert np.array_equal(found.images[:], expected)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.names[0].endswith("test/ant/0000.png")
    assert found.lines == [f"{path}: 6 images of 2 classes"]
    some = load_source(path, TAKES, count=2)
    assert some.labels.tolist() == [0, 1]
    assert np.array_equal(some.images[:], expected[[0, 5]])
    assert some.lines == [f"{path}: 6 images of 2 classes, 2 taken"]


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize("packed", [False, True])
def test_images_to_train_on_may_be_missing(tmp_path, part, packed):
    folder = tmp_path / "data"
    expected = write_tree(folder, size=(8, 8), channels=1, parts=(part,))[part]
    path = zip_tree(folder, tmp_path / "data.zip") if packed else folder
    assert np.array_equal(load_source(path, TAKES).images[:], expected)


def test_a_folder_of_images_has_no_labels(tmp_path):
    expected = write_tree(tmp_path, size=(8, 8), channels=1)["train"]
    found = load_source(tmp_path / "train" / "ant", TAKES)
    assert np.array_equal(found.images, expected[:3])
    assert found.labels is None


def test_files_that_are_not_read_are_counted_and_named(tmp_path):
    """Of other kinds, hidden, in the wrong place, and of a second test part."""
    write_tree(tmp_path, size=(8, 8), channels=1, parts=("train", "test", "val"), each=1)
    for name in (
        "cover.png",
        "README",
        "test/ant/a.txt",
        "test/ant/.b.png",
        "test/ant/old/c.png",
        "train/bee/d.pdf",
        "test/e.png",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = load_source(tmp_path, TAKES)
    assert len(found.images) == 2
    names = (
        "README, cover.png, test/ant/.b.png, test/ant/a.txt, test/ant/old/c.png, test/e.png, "
        "train/bee/d.pdf, val/ant/0000.png and 1 more"
    )
    assert found.lines == [
        f"{tmp_path}: 2 images of 2 classes",
        f"{tmp_path}: 9 files were not read: {names}",
    ]


#: What a model of two classes takes whose names are known.
NAMED = ModelInput.usual(SHAPE, 2, ("bee", "ant"))


def test_classes_are_those_of_the_model_by_name(tmp_path):
    write_tree(tmp_path, size=(8, 8), channels=1)
    assert load_source(tmp_path, NAMED).labels.tolist() == [1, 1, 1, 0, 0, 0]
    assert load_source(tmp_path, ModelInput.usual(SHAPE, 2)).labels.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("takes", "classes", "sentence"),
    [
        (NAMED, ("ant",), "the classes must be those of the model, so it must have bee"),
        (
            NAMED,
            ("ant", "bee", "cat"),
            "the classes must be those of the model, so it must not have cat",
        ),
        (
            NAMED,
            ("ant", "wasp"),
            "the classes must be those of the model, so it must not have wasp and must have bee",
        ),
        (
            ModelInput.usual(SHAPE, 3),
            ("ant", "bee"),
            "there must be 3 classes, as the model has, not 2 (ant, bee)",
        ),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_other_classes_are_refused(tmp_path, takes, classes, sentence, packed):
    folder = tmp_path / "data"
    write_tree(folder, size=(8, 8), channels=1, classes=classes, parts=("test",))
    path = zip_tree(folder, tmp_path / "data.zip") if packed else folder
    with pytest.raises(ValueError) as caught:
        load_source(path, takes)
    assert str(caught.value) == f"{path}: {sentence}"


def test_digits_are_no_other_classes():
    with pytest.raises(ValueError, match="digits: there must be 12 classes, as the model has, not"):
        load_source("digits", ModelInput.usual(SHAPE, 12))
    with pytest.raises(ValueError, match="digits: the classes must be those of the model, so it "):
        load_source("digits", ModelInput.usual(SHAPE, 10, tuple("abcdefghij")))


@pytest.mark.parametrize(
    ("source", "count", "sentence"),
    [
        ("digits", 0, "the number of images must be at least 1, not 0"),
        ("nowhere.zip", None, "nowhere.zip: the data cannot be read"),
        ("nowhere", None, "nowhere: images must be a .npy"),
    ],
)
def test_what_cannot_be_loaded(source, count, sentence):
    with pytest.raises(ValueError, match=sentence):
        load_source(source, TAKES, count=count)


def test_digits_do_not_fit_another_model():
    with pytest.raises(ValueError, match=r"digits have shape \(8, 8, 1\), and the model takes"):
        load_source("digits", ModelInput.usual((32, 32, 3)))


def test_the_committed_pictures_are_real_ones(project_root, shared_data):
    path = project_root / "tests" / "data" / "cifar10.npz"
    takes = ModelInput.usual((32, 32, 3), 10)
    found = load_source(path, takes)
    expected = load_source(shared_data / "cifar10.zip", takes, count=32)
    assert np.array_equal(found.images, expected.images[:])
    assert found.labels.tolist() == expected.labels.tolist()
