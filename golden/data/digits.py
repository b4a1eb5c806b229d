"""Scikit-learn's bundled digits: 1,797 real scans of 8x8 pixels, and the split used here."""

import numpy as np
from numpy.typing import NDArray


__all__ = ["CLASSES", "IMAGE_SHAPE", "load_digits"]


IMAGE_SHAPE = (8, 8, 1)

#: Names of the classes.
CLASSES = tuple("0123456789")

#: Images of the test set, out of 1,797.
TEST_IMAGES = 360


def load_digits() -> tuple[
    NDArray[np.uint8],
    NDArray[np.int64],
    NDArray[np.uint8],
    NDArray[np.int64],
]:
    """Training and test images with their labels.

    The split is fixed: a permutation from a frozen generator, whose last 360 images are the
    test set. Gray values 0..16 become pixels 0..240.

    Returns
    -------
    train_images : uint8 array, shape (1437, 8, 8, 1)
    train_labels : int64 array, shape (1437,)
    test_images : uint8 array, shape (360, 8, 8, 1)
    test_labels : int64 array, shape (360,)

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed.

    References
    ----------
    Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49.
    """
    # Imported late: only the digits need it.
    from sklearn import datasets

    digits = datasets.load_digits()
    images = (digits.images * 15).astype(np.uint8).reshape(-1, *IMAGE_SHAPE)
    labels = digits.target.astype(np.int64)
    # RandomState, because its permutations never change between versions of NumPy.
    order = np.random.RandomState(0).permutation(len(images))
    train, test = order[:-TEST_IMAGES], order[-TEST_IMAGES:]
    return images[train], labels[train], images[test], labels[test]
