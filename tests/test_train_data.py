"""Data and augmentation."""

import numpy as np
import pytest
import torch

from train.data import augment, load_split


def test_digits_have_the_fixed_split():
    split = load_split("digits")
    assert split.train_images.shape == (1437, 8, 8, 1)
    assert split.test_images.shape == (360, 8, 8, 1)
    assert split.train_images.dtype == np.uint8
    assert split.train_images.max() == 240


def test_unknown_data_sets_are_refused():
    with pytest.raises(ValueError, match="^data set must be one of digits, not 'letters'$"):
        load_split("letters")


def images():
    return torch.randint(0, 256, (6, 2, 8, 6), generator=torch.Generator().manual_seed(0)).float()


def test_no_augmentation_changes_nothing():
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(augment(images(), generator, shift=0, rotation=0, scale=0), images())


def test_augmented_pixels_are_whole_and_repeatable():
    one, other = (
        augment(images(), torch.Generator().manual_seed(1), shift=2, rotation=20, scale=0.2)
        for _ in range(2)
    )
    assert torch.equal(one, other)
    assert torch.equal(one, one.round())
    assert one.min() >= 0
    assert one.max() <= 255
    assert not torch.equal(one, images())


@pytest.mark.parametrize(("draw", "place"), [
    ([0.5, 0.5, 1.0, 0.5], (3, 3)),
    ([0.5, 0.5, 0.5, 0.0], (4, 4)),
])
def test_a_shift_is_in_pixels(monkeypatch, draw, place):
    # Draws of one half mean no change; 1 and 0 the largest in either direction.
    monkeypatch.setattr(torch, "rand", lambda *shape, generator: torch.tensor(draw)[:, None])
    dot, expected = torch.zeros(1, 1, 8, 6), torch.zeros(1, 1, 8, 6)
    dot[0, 0, 3, 4] = 200
    expected[0, 0, *place] = 200
    assert torch.equal(augment(dot, None, shift=1.0, rotation=0.0, scale=0.0), expected)


def test_a_rotation_keeps_the_middle_of_a_wide_image(monkeypatch):
    monkeypatch.setattr(
        torch, "rand", lambda *shape, generator: torch.tensor([1.0, 0.5, 0.5, 0.5])[:, None]
    )
    bar = torch.zeros(1, 1, 5, 9)
    bar[0, 0, :, 4] = 255
    turned = augment(bar, None, shift=0.0, rotation=90.0, scale=0.0)
    expected = torch.zeros_like(bar)
    expected[0, 0, 2, 2:7] = 255
    assert torch.equal(turned, expected)
