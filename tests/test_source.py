"""Images for the commands, wherever they come from."""

import numpy as np
import pytest

from golden.digits import load_digits
from golden.source import load_source
from tests.pictures import write_tree, zip_tree


SHAPE = (8, 8, 1)


def test_the_digits_have_a_name_of_their_own():
    images, labels, names = load_source("digits", SHAPE, count=3)
    *_, expected, classes = load_digits()
    assert np.array_equal(images, expected[:3])
    assert labels.tolist() == classes[:3].tolist()
    assert len(names) == 3


def test_arrays_with_labels_and_without(tmp_path):
    images = np.arange(5 * 64, dtype=np.uint8).reshape(5, *SHAPE)
    np.save(tmp_path / "a.npy", images)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(5))
    found, labels, names = load_source(tmp_path / "a.npy", SHAPE, count=4)
    assert np.array_equal(found, images[:4])
    assert labels is None
    assert len(names) == 4
    found, labels, _ = load_source(tmp_path / "a.npz", SHAPE)
    assert np.array_equal(found, images)
    assert labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("packed", [False, True])
def test_a_tree_gives_its_held_back_images_evenly(tmp_path, packed):
    folder = tmp_path / "data"
    expected = write_tree(folder, size=(8, 8), channels=1)["test"]
    path = zip_tree(folder, tmp_path / "data.zip") if packed else folder
    images, labels, names = load_source(path, SHAPE)
    assert np.array_equal(images, expected)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert names[0].endswith("test/ant/0000.png")
    images, labels, _ = load_source(path, SHAPE, count=2)
    assert labels.tolist() == [0, 1]
    assert np.array_equal(images, expected[[0, 5]])


def test_a_folder_of_images_has_no_labels(tmp_path):
    expected = write_tree(tmp_path, size=(8, 8), channels=1)["train"]
    images, labels, _ = load_source(tmp_path / "train" / "ant", SHAPE)
    assert np.array_equal(images, expected[:3])
    assert labels is None


@pytest.mark.parametrize(("source", "count", "sentence"), [
    ("digits", 0, "the number of images must be at least 1, not 0"),
    ("nowhere.zip", None, "nowhere.zip: the data cannot be read"),
    ("nowhere", None, "nowhere: images must be a .npy"),
])
def test_what_cannot_be_loaded(source, count, sentence):
    with pytest.raises(ValueError, match=sentence):
        load_source(source, SHAPE, count=count)


def test_digits_do_not_fit_another_model():
    with pytest.raises(ValueError, match=r"digits have shape \(8, 8, 1\), and the model takes"):
        load_source("digits", (32, 32, 3))


def test_the_committed_pictures_are_real_ones(project_root, shared_data):
    path = project_root / "tests" / "data" / "cifar10.npz"
    images, labels, _ = load_source(path, (32, 32, 3))
    expected, classes, _ = load_source(shared_data / "cifar10.zip", (32, 32, 3), count=32)
    assert np.array_equal(images, expected)
    assert labels.tolist() == classes.tolist()
