"""Data sets for training: images to learn from and images held back."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from golden.digits import load_digits
from golden.tree import open_tree
from train.pictures import Pictures


__all__ = ["DataSplit", "load_split"]


@dataclass(frozen=True, eq=False)
class DataSplit:
    """Images to train on and images held back.

    Parameters
    ----------
    train_images, test_images : uint8 array, shape (images, height, width, channels), or Pictures
    train_labels, test_labels : int64 array, shape (images,)
    validation_images, validation_labels
        Some of the training images, set aside.
    """

    train_images: Any
    train_labels: np.ndarray
    test_images: Any
    test_labels: np.ndarray
    validation_images: Any = ()
    validation_labels: Any = ()

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
            raise ValueError(f"validation must be at most half of the {total} training images, "
                             f"not {number}")
        order = np.random.default_rng(seed).permutation(total)
        aside, kept = np.sort(order[:number]), np.sort(order[number:])
        return replace(
            self, train_images=_chosen(self.train_images, kept),
            train_labels=self.train_labels[kept],
            validation_images=_chosen(self.train_images, aside),
            validation_labels=self.train_labels[aside],
        )


def _chosen(images, indices):
    return images.choose(indices) if isinstance(images, Pictures) else images[indices]


def load_split(config, path=None):
    """Load the data that a configuration asks for.

    Parameters
    ----------
    config : Config
        ``data.name`` is ``digits``, 1,797 handwritten digits of 8 x 8 pixels that come with
        scikit-learn, of which 360 are held back; or ``images``, a tree of image files.
    path : path-like, optional
        Of that tree, a folder or a zip: see :func:`golden.tree.open_tree`.

    Returns
    -------
    DataSplit

    Raises
    ------
    ValueError
        One sentence: no data set of that name, no path, bad data, or data that does not fit the
        network.
    """
    name = config.data.name
    if name == "digits":
        return DataSplit(*load_digits())
    if name != "images":
        raise ValueError(f"data set must be one of digits, images, not {name!r}")
    if path is None:
        raise ValueError("the configuration trains on image files, so pass --data FOLDER_OR_ZIP")
    train, test = open_tree(path)
    shape = config.network.image
    if len(train.classes) != config.network.classes:
        raise ValueError(
            f"{path}: there must be {config.network.classes} classes, as the network has, "
            f"not {len(train.classes)}"
        )
    if config.data.resize:
        images = Pictures(train, shape), Pictures(test, shape)
    else:
        images = (tree.decode(range(len(tree)), shape) for tree in (train, test))
    train_images, test_images = images
    return DataSplit(train_images, train.labels, test_images, test.labels)
