"""Data sets for training."""

import msgspec
import numpy as np
import pytest

from tests.pictures import write_tree
from tests.training import run_config
from train.data.sets import load_split


def on_images(**changes):
    """A configuration that trains on image files of 8 x 8 gray pixels in two classes."""
    return run_config(data={"name": "images"} | changes, classes=2)


def test_digits_have_the_fixed_split():
    split = load_split(run_config())
    assert split.train_images.shape == (1437, 8, 8, 1)
    assert split.test_images.shape == (360, 8, 8, 1)
    assert split.train_images.dtype == np.uint8
    assert split.train_images.max() == 240


def test_images_of_the_networks_size_are_held_in_memory(tmp_path):
    expected = write_tree(tmp_path, size=(8, 8), channels=1)
    split = load_split(on_images(), tmp_path)
    assert np.array_equal(split.train_images, expected["train"])
    assert np.array_equal(split.test_images, expected["test"])
    assert split.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert split.test_labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_images_of_any_size_are_decoded_when_needed(tmp_path):
    write_tree(tmp_path, size=(12, 20), channels=1)
    split = load_split(on_images(resize=True), tmp_path)
    assert len(split.train_images) == 6
    assert split.test_images[2:4].shape == (2, 8, 8, 1)
    split = split.with_validation(2, seed=0)
    assert len(split.train_images) == len(split.train_labels) == 4
    assert split.validation_images[:2].shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    ("config", "path", "sentence"),
    [
        (
            run_config(data={"name": "letters"}),
            None,
            "data set must be one of digits, images, not 'letters'",
        ),
        (on_images(), None, "trains on image files, so pass --data FOLDER_OR_ZIP"),
        (
            run_config(data={"name": "images"}),
            "tree",
            "tree: there must be 10 classes, as the model has, not 2 (ant, bee)",
        ),
        (on_images(), "tree", "must have 8x8 pixels (height x width), not 9x8"),
        (on_images(), "nowhere", "nowhere: the data cannot be read (No such file or directory)"),
    ],
)
def test_data_that_does_not_fit_is_refused(tmp_path, config, path, sentence):
    write_tree(tmp_path / "tree", size=(9, 8), channels=1)
    with pytest.raises(ValueError) as caught:
        load_split(config, path and tmp_path / path)
    assert str(caught.value).endswith(sentence)
    assert "\n" not in str(caught.value)


def test_only_square_networks_resize_pictures():
    network = msgspec.structs.replace(run_config().network, image=(8, 6, 1))
    with pytest.raises(ValueError, match="image must be square to resize pictures, not 8x6$"):
        msgspec.structs.replace(on_images(resize=True), network=network)
