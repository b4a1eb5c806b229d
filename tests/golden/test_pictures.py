"""Image files of any size, resized when they are needed."""

import numpy as np
import pytest
import torch
from PIL import Image

from golden.data.tree import open_tree
from golden.model.input import ModelInput
from tests.pictures import write_tree
from train.data.pictures import TrainingPictures


SHAPE = (8, 8, 3)
TAKES = ModelInput.resized(SHAPE)


@pytest.fixture
def pictures(tmp_path):
    write_tree(tmp_path, size=(20, 30), channels=3)
    return TrainingPictures(open_tree(tmp_path)[0], TAKES, decoders=2)


def test_indexing_gives_resized_centres(pictures, tmp_path):
    assert len(pictures) == 6
    found = pictures[1:3]
    assert found.shape == (2, *SHAPE)
    with Image.open(tmp_path / "train" / "ant" / "0001.png") as image:
        assert np.array_equal(found[0], np.asarray(TAKES.fit(image, "0001.png")))
    assert np.array_equal(pictures[np.array([2, 1])], found[::-1])


def test_the_centre_keeps_the_proportions():
    """A square in the middle of a wide picture stays square, and the sides are cut off."""
    image = np.zeros((224, 448), np.uint8)
    image[56:168, 168:280] = 255
    cut = np.asarray(ModelInput.resized((224, 224, 1)).fit(Image.fromarray(image), "wide"))
    rows, columns = np.nonzero(cut > 127)
    assert cut.shape == (224, 224)
    assert np.ptp(rows) == np.ptp(columns) == 115
    assert rows.min() + rows.max() == columns.min() + columns.max() == 223


def test_random_crops_follow_their_draws(pictures):
    indices = np.array([0, 3, 3])
    draws = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    one, other = (pictures.random_crops(indices, draws) for _ in range(2))
    assert one.shape == (3, *SHAPE)
    assert np.array_equal(one, other)
    assert not np.array_equal(one[1], one[2])
    # What becomes of one picture does not depend on the others.
    assert np.array_equal(pictures.random_crops(indices[1:], draws[1:]), one[1:])


def test_the_largest_square_crop_is_the_middle(tmp_path):
    ramp = np.tile(np.arange(0, 240, 4, dtype=np.uint8), (20, 1))
    for part in ("train", "test"):
        (tmp_path / part / "a").mkdir(parents=True)
        Image.fromarray(ramp).save(tmp_path / part / "a" / "ramp.png")
    pictures = TrainingPictures(open_tree(tmp_path)[0], ModelInput.resized((4, 4, 1)))
    # A crop of the whole area, square: as high as the picture, and 34.6 of 60 columns wide.
    found = pictures.random_crops(np.array([0]), torch.tensor([[1.0, 0.5, 0.5, 0.5]]))[0, :, :, 0]
    assert (found == found[0]).all()
    assert abs(int(found[0, 0]) + int(found[0, 3]) - 236) <= 1
    # Three quarters of those columns lie between the first and the last pixel, of 4 steps each.
    assert abs(int(found[0, 3]) - int(found[0, 0]) - 104) <= 1
