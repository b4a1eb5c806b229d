"""Random changes of training images."""

import numpy as np
import pytest
import torch

from train.data.augment import augment, draw
from train.run.config import DataConfig


def images(number=6, channels=3, size=(8, 6)):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (number, channels, *size), generator=generator).float()


def changed(pixels, seed=1, **changes):
    draws = draw(len(pixels), torch.Generator().manual_seed(seed))
    return augment(pixels, draws, DataConfig(name="digits", **changes))


EVERYTHING = {
    "shift": 2.0,
    "rotation": 20.0,
    "scale": 0.2,
    "crop": 2,
    "flip": True,
    "colour": 0.4,
    "erase": 0.5,
}


def test_no_augmentation_changes_nothing():
    assert torch.equal(changed(images()), images())


@pytest.mark.parametrize(
    "changes", [{name: value} for name, value in EVERYTHING.items()] + [EVERYTHING]
)
def test_augmented_pixels_are_whole_and_repeatable(changes):
    one, other = (changed(images(), **changes) for _ in range(2))
    assert torch.equal(one, other)
    assert torch.equal(one, one.round())
    assert one.min() >= 0
    assert one.max() <= 255
    assert not torch.equal(one, images())
    assert not torch.equal(one, changed(images(), seed=2, **changes))


def test_each_image_is_decided_by_its_own_draws():
    pixels = images(10)
    draws = draw(10, torch.Generator().manual_seed(3))
    data = DataConfig(name="digits", **EVERYTHING)
    whole = augment(pixels, draws, data)
    for part in (slice(0, 10, 2), slice(1, 10, 2), slice(4, 5)):
        assert torch.equal(augment(pixels[part], draws[part], data), whole[part])


def one_image(draws, **changes):
    return lambda pixels: augment(
        pixels, torch.tensor([draws + [0.5] * 12]), DataConfig(name="digits", **changes)
    )


@pytest.mark.parametrize(
    ("draws", "place"),
    [
        ([0.5, 0.5, 1.0, 0.5], (3, 3)),
        ([0.5, 0.5, 0.5, 0.0], (4, 4)),
    ],
)
def test_a_shift_is_in_pixels(draws, place):
    # Draws of one half mean no change; 1 and 0 the largest in either direction.
    dot, expected = torch.zeros(1, 1, 8, 6), torch.zeros(1, 1, 8, 6)
    dot[0, 0, 3, 4] = 200
    expected[0, 0, *place] = 200
    assert torch.equal(one_image(draws, shift=1.0)(dot), expected)


def test_a_rotation_keeps_the_middle_of_a_wide_image():
    bar = torch.zeros(1, 1, 5, 9)
    bar[0, 0, :, 4] = 255
    expected = torch.zeros_like(bar)
    expected[0, 0, 2, 2:7] = 255
    assert torch.equal(one_image([1.0, 0.5, 0.5, 0.5], rotation=90.0)(bar), expected)


def test_a_crop_is_a_shift_by_whole_pixels_with_zeros_behind():
    pixels = images(200)
    shifts = set()
    for before, after in zip(pixels, changed(pixels, crop=2), strict=True):
        padded = np.pad(before.numpy(), ((0, 0), (2, 2), (2, 2)))
        found = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.array_equal(padded[:, top : top + 8, left : left + 6], after.numpy())
        ]
        assert len(found) == 1
        shifts.update(found)
    assert len(shifts) == 25


def test_a_flip_mirrors_about_half_of_the_images():
    pixels = images(200)
    found = changed(pixels, flip=True)
    mirrored = [
        torch.equal(after, before.flip(2)) for before, after in zip(pixels, found, strict=True)
    ]
    kept = [torch.equal(after, before) for before, after in zip(pixels, found, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 70 < sum(mirrored) < 130


def test_erasing_blanks_one_rectangle_in_its_part_of_the_images():
    pixels = images(300, size=(16, 16)) / 2 + 100
    blank = (changed(pixels, erase=0.25) == 0).all(1)
    erased = blank.flatten(1).any(1)
    assert 50 < erased.sum() < 100
    for mask in blank[erased]:
        rows, columns = mask.any(1), mask.any(0)
        assert torch.equal(mask, rows[:, None] & columns)
        assert (rows.diff() != 0).sum() <= 2
        assert 0.01 < mask.float().mean() < 0.25


def test_colours_keep_gray_gray_and_change_by_at_most_the_strength():
    gray = torch.full((50, 3, 4, 4), 100.0)
    found = changed(gray, colour=0.2)
    assert torch.equal(found, found[:, :1].expand_as(found))
    assert found.min() >= 80
    assert found.max() <= 120
    assert len(found[:, 0, 0, 0].unique()) > 10
