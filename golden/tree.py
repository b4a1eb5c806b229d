"""Labelled image files in the layout ``PART/CLASS/IMAGE``: a folder, or a zip of one.

CIFAR-10 and Imagenette as they are usually unpacked, copies of ImageNet and most people's own data
have this layout.
"""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from golden.archive import Archive
from golden.images import decode
from golden.limits import MAX_ENCODED, MAX_MEMBERS
from golden.picture import SUFFIXES, open_picture
from golden.reading import decoding, open_regular, printable


__all__ = ["ImageTree", "open_tree"]


#: Names of the two parts; held-back images may lie in ``test`` or ``val``.
_TRAIN = ("train",)
_TEST = ("test", "val")

#: Starts of names that systems give to files of their own.
_HIDDEN = (".", "__MACOSX")


@dataclass(frozen=True, eq=False)
class ImageTree:
    """Image files of one part, sorted by class and name.

    Parameters
    ----------
    path : Path
        Of the folder or zip.
    classes : tuple of str
        Names of the classes, sorted; a label is an index into them.
    names : tuple of str
        Path of every image below ``path``.
    labels : int64 array, shape (images,)
    """

    path: Path
    classes: tuple
    names: tuple
    labels: np.ndarray
    _files: Any

    def __len__(self):
        return len(self.names)

    def choose(self, indices):
        """Tree of some of the images.

        Parameters
        ----------
        indices : int array

        Returns
        -------
        ImageTree
        """
        names = tuple(self.names[index] for index in indices)
        return replace(self, names=names, labels=self.labels[indices])

    def picture(self, index, channels):
        """An image of any size, as :func:`golden.picture.open_picture` gives it."""
        with self._file(index) as file:
            return open_picture(file, self._name(index), channels)

    def decode(self, indices, image_shape):
        """Images as an array.

        Parameters
        ----------
        indices : sequence of int
        image_shape : (height, width, channels)
            As for :func:`golden.images.load_images`.

        Returns
        -------
        uint8 array, shape (len(indices), height, width, channels)

        Raises
        ------
        ValueError
            If an image cannot be read or has another size; the sentence names the file.
        """
        images = np.empty((len(indices), *image_shape), np.uint8)
        for place, index in enumerate(indices):
            with self._file(index) as file:
                images[place] = decode(file, self._name(index), image_shape)
        return images

    def _name(self, index):
        return f"{self.path}: {printable(self.names[index])}"

    def _file(self, index):
        with decoding(f"{self._name(index)}: the image cannot be read", "it is damaged"):
            return self._files.open(self.names[index])


def open_tree(path):
    """Find the images of a data set.

    Parameters
    ----------
    path : str or Path
        Folder or ``.zip`` with ``train/CLASS/IMAGE`` and ``test/CLASS/IMAGE`` (or ``val``), perhaps
        inside one more folder.

    Returns
    -------
    train, test : ImageTree
        With the same classes.

    Raises
    ------
    ValueError
        One sentence that names the path: nothing there, a part missing, a class without images, or
        parts with different classes.
    """
    path = Path(path)
    with decoding(f"{path}: the data cannot be read", "it must be a folder or a whole .zip file"):
        files = _Folder(path) if path.is_dir() else _Zip(path)
    found = {name: _class_folders(files, name) for name in _TRAIN + _TEST}
    train, test = (
        _tree(path, files, next((found[name] for name in names if found[name]), {}), names)
        for names in (_TRAIN, _TEST)
    )
    if train.classes != test.classes:
        odd = sorted(set(train.classes) ^ set(test.classes))[0]
        raise ValueError(f"{path}: class {odd} must be in both parts of the data, not in one")
    return train, test


class _Folder:
    """Entries of a folder tree."""

    def __init__(self, path):
        self._path = path
        self.entries = []
        for entry in path.rglob("*"):
            self.entries.append(entry.relative_to(path).as_posix())
            if len(self.entries) > MAX_MEMBERS:
                raise ValueError(f"{path}: the folder must hold at most {MAX_MEMBERS} files")
        self.folders = {name for name in self.entries if (path / name).is_dir()}

    def open(self, name):
        return open_regular(self._path / name)


class _Zip:
    """Entries of a zip."""

    def __init__(self, path):
        self._archive = Archive(path)
        self.entries = [*self._archive.names, *self._archive.folders]
        self.folders = set(self._archive.folders)

    def open(self, name):
        return self._archive.open(name, MAX_ENCODED)


def _class_folders(files, part):
    """Images of each class below a folder named ``part``; a class may have none."""
    classes = {}
    for entry in files.entries:
        parents = PurePosixPath(entry).parts
        if any(name.startswith(_HIDDEN) for name in parents):
            continue
        if entry in files.folders:
            if parents[-2:-1] == (part,):
                classes.setdefault(parents[-1], [])
        elif parents[-3:-2] == (part,) and PurePosixPath(entry).suffix.lower() in SUFFIXES:
            classes.setdefault(parents[-2], []).append(entry)
    return classes


def _tree(path, files, classes, parts):
    if not classes:
        places = " or ".join(f"{part}/CLASS/IMAGE" for part in parts)
        raise ValueError(f"{path}: the data must hold {places} with {', '.join(SUFFIXES)} files")
    for name, images in classes.items():
        if not images:
            raise ValueError(f"{path}: class {name} must have at least one image in {parts[0]}")
    names = sorted(classes)
    labels = np.repeat(np.arange(len(names)), [len(classes[name]) for name in names])
    images = tuple(image for name in names for image in sorted(classes[name]))
    return ImageTree(path, tuple(names), images, labels.astype(np.int64), files)
