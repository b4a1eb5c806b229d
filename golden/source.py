"""Images for the commands, wherever they come from."""

from pathlib import Path

import numpy as np

from golden.images import load_images, load_labelled
from golden.picture import SUFFIXES
from golden.tree import open_tree


__all__ = ["SOURCES", "load_source"]


#: What a command's help says about its images.
SOURCES = ("a .npy or labelled .npz array, an image file, a folder of images, a folder or zip with "
           "test/CLASS/IMAGE, or digits")


def load_source(source, image_shape, *, count=None):
    """Load images, and their labels where they have some.

    Parameters
    ----------
    source : str or Path
        ``digits`` for the held-back digits of scikit-learn; an array, image or folder as for
        :func:`golden.images.load_images` or :func:`golden.images.load_labelled`; or a tree as for
        :func:`golden.tree.open_tree`, of which the held-back part is taken.
    image_shape : (height, width, channels)
    count : int, optional
        Take so many: the first ones, but of a tree, which is sorted by class, ones evenly spaced.

    Returns
    -------
    images : uint8 array, shape (images, height, width, channels)
    labels : int64 array, shape (images,), or None
    names : list of str

    Raises
    ------
    ValueError
        If the images cannot be read or do not fit; one sentence that names the file.
    """
    if count is not None and count < 1:
        raise ValueError(f"the number of images must be at least 1, not {count}")
    path = Path(source)
    if _is_tree(path):
        _, test = open_tree(path)
        chosen = np.arange(len(test))
        if count is not None:
            chosen = np.linspace(0, len(test) - 1, min(count, len(test))).round().astype(int)
        some = test.choose(chosen)
        return some.decode(range(len(some)), image_shape), some.labels, list(some.names)
    if str(source) == "digits":
        # Imported late: only the digits need scikit-learn.
        from golden.digits import load_digits

        *_, images, labels = load_digits()
        if images.shape[1:] != tuple(image_shape):
            raise ValueError(f"digits have shape {images.shape[1:]}, and the model takes "
                             f"{tuple(image_shape)}")
        names = [f"digits {index}" for index in range(len(images))]
    elif path.suffix == ".npz":
        images, labels = load_labelled(path, image_shape)
        names = [f"{path.name} {index}" for index in range(len(images))]
    else:
        images, names = load_images(path, image_shape)
        labels = None
    return images[:count], None if labels is None else labels[:count], names[:count]


def _is_tree(path):
    """Whether a path is a zip, or a folder without images of its own but with folders."""
    if path.suffix == ".zip":
        return True
    if not path.is_dir():
        return False
    entries = list(path.iterdir())
    return (any(entry.is_dir() for entry in entries)
            and not any(entry.suffix.lower() in SUFFIXES for entry in entries))
