"""Data sets for training: images to learn from and a test set."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from golden.data.digits import CLASSES as DIGITS
from golden.data.digits import load_digits
from golden.data.images import unread_lines
from golden.data.pictures import Pictures
from golden.data.tree import open_test_set, open_tree
from golden.model.input import ModelInput
from train.data.pictures import TrainingPictures


__all__ = ["DataSplit", "input_of", "load_test_set", "load_split"]


#: Files that are decoded at the same time.
_DECODERS = 4


@dataclass(frozen=True, eq=False)
class DataSplit:
    """Images to train on and a test set.

    Parameters
    ----------
    train_images, test_images : uint8 array, shape (images, height, width, channels), or Pictures
    train_labels, test_labels : int64 array, shape (images,)
    validation_images, validation_labels
        Some of the training images, set aside.
    classes : tuple of str
        Names of the classes in the order of the labels; empty if they are not known.
    lines : tuple of str
        What was found, for people.
    """

    train_images: Any
    train_labels: np.ndarray
    test_images: Any
    test_labels: np.ndarray
    validation_images: Any = ()
    validation_labels: Any = ()
    classes: tuple = ()
    lines: tuple = ()

    def with_validation(self, number, seed):
        """Split with ``number`` training images, drawn by ``seed``, set aside.

        Raises
        ------
        ValueError
            If too few images would be left.
        """
        total = len(self.train_labels)
        if number == 0:
            return self
        if number > total // 2:
            raise ValueError(
                f"validation must be at most half of the {total} training images, not {number}"
            )
        order = np.random.default_rng(seed).permutation(total)
        aside, kept = np.sort(order[:number]), np.sort(order[number:])
        return replace(
            self,
            train_images=_chosen(self.train_images, kept),
            train_labels=self.train_labels[kept],
            validation_images=_chosen(self.train_images, aside),
            validation_labels=self.train_labels[aside],
        )


def _chosen(images, indices):
    return images.choose(indices) if isinstance(images, Pictures) else images[indices]


def input_of(config, classes=None):
    """What the network of a configuration takes.

    Parameters
    ----------
    config : Config
    classes : tuple of str, optional
        Names, if they are known.

    Returns
    -------
    ModelInput
    """
    make = ModelInput.resized if config.data.resize else ModelInput.usual
    return make(config.network.image, config.network.classes, classes or None)


def load_split(config, path=None, classes=()):
    """Load the data that a configuration trains on.

    Parameters
    ----------
    config : Config
        ``data.name`` is ``digits``, 1,797 handwritten digits of 8 x 8 pixels that come with
        scikit-learn, of which 360 are the test set; or ``images``, a tree of image files.
    path : path-like, optional
        Of that tree, a folder or a zip: see :func:`golden.data.tree.open_tree`.
    classes : tuple of str
        Names that the classes must have, if they are known.

    Returns
    -------
    DataSplit

    Raises
    ------
    ValueError
        One sentence: no data set of that name, no path, bad data, or data that does not fit the
        network.
    """
    if not _has_files(config, path):
        return _digits(*load_digits())
    train, test = open_tree(path)
    takes = input_of(config, classes)
    split = _test_set(test, takes, config.data.resize)
    pictures = TrainingPictures(train, takes, decoders=_DECODERS)
    return replace(
        split,
        train_images=pictures if config.data.resize else pictures[:],
        train_labels=takes.labels_of(train.classes, path)[train.labels],
        lines=(train.line("training images"), *split.lines),
    )


def load_test_set(config, path=None, classes=()):
    """Load the images of a configuration's test set, and no others.

    Parameters, result and errors are those of :func:`load_split`, but the data need not have images
    to train on.
    """
    if not _has_files(config, path):
        return _digits((), (), *load_digits()[2:])
    return _test_set(open_test_set(path), input_of(config, classes), config.data.resize)


def _has_files(config, path):
    """Whether the data of a configuration are image files."""
    name = config.data.name
    if name not in ("digits", "images"):
        raise ValueError(f"data set must be one of digits, images, not {name!r}")
    if name == "images" and path is None:
        raise ValueError("the configuration trains on image files, so pass --data FOLDER_OR_ZIP")
    image, classes = tuple(config.network.image), config.network.classes
    if name == "digits" and (image != (8, 8, 1) or classes < len(DIGITS)):
        raise ValueError(
            f"digits have shape (8, 8, 1) and {len(DIGITS)} classes, and the network takes {image} "
            f"and has {classes}"
        )
    return name == "images"


def _digits(train_images, train_labels, test_images, test_labels):
    training = f"{len(train_labels)} training and " if len(train_labels) else ""
    line = f"digits: {training}{len(test_labels)} test images of {len(DIGITS)} classes"
    return DataSplit(
        train_images, train_labels, test_images, test_labels, classes=DIGITS, lines=(line,)
    )


def _test_set(test, takes, resize):
    """Split without images to train on."""
    labels = takes.labels_of(test.classes, test.path)[test.labels]
    pictures = Pictures(test, takes, decoders=_DECODERS)
    return DataSplit(
        (),
        (),
        pictures if resize else pictures[:],
        labels,
        classes=takes.classes or test.classes,
        lines=(test.line("test images"), *unread_lines(test.path, test.unread)),
    )
