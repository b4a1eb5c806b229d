"""The bundled digits and their split."""

import hashlib

import numpy as np
import pytest


pytest.importorskip("sklearn")

from golden.data.digits import CLASSES, IMAGE_SHAPE, load_digits


def test_the_split_never_changes():
    train_images, train_labels, test_images, test_labels = load_digits()
    assert train_images.shape == (1437, *IMAGE_SHAPE)
    assert test_images.shape == (360, *IMAGE_SHAPE)
    digest = hashlib.sha256(test_images.tobytes() + test_labels.astype(np.uint8).tobytes())
    assert digest.hexdigest() == "a1a88a42c1ebe92e5b500dbcf5b80b814ee7531ceb5e648c3290433c2be92e44"
    assert train_labels.dtype == test_labels.dtype == np.int64


def test_every_scan_is_used_once():
    train_images, train_labels, test_images, test_labels = load_digits()
    images = np.concatenate([train_images, test_images])
    from sklearn.datasets import load_digits as original

    expected = original()
    ours = sorted(
        zip((image.tobytes() for image in images), [*train_labels, *test_labels], strict=True)
    )
    theirs = sorted(
        zip(
            ((image * 15).astype(np.uint8).tobytes() for image in expected.images),
            expected.target,
            strict=True,
        )
    )
    assert ours == theirs


def test_pixels_are_gray_values_times_fifteen():
    train_images, _, _, _ = load_digits()
    assert train_images.dtype == np.uint8
    assert set(np.unique(train_images)) == set(range(0, 241, 15))


def test_every_class_is_in_the_test_set():
    _, _, _, labels = load_digits()
    assert (np.bincount(labels, minlength=len(CLASSES)) >= 25).all()
