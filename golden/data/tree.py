"""Labelled image files in the layout ``PART/CLASS/IMAGE``: a folder, or a zip of one.

CIFAR-10 and Imagenette as they are usually unpacked, copies of ImageNet and most people's own data
have this layout.
"""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from golden.data.archive import Archive
from golden.data.images import HIDDEN, counted
from golden.data.limits import MAX_ENCODED, MAX_MEMBERS
from golden.data.picture import SUFFIXES, open_picture
from golden.data.reading import decoding, open_regular, printable


if TYPE_CHECKING:
    # Never imported here: arrays need no Pillow.
    from PIL import Image


__all__ = ["PARTS", "ImageTree", "open_test_set", "open_tree"]


#: Names of the two parts; test images may lie in ``test`` or ``val``.
_TRAIN = ("train",)
_TEST = ("test", "val")
PARTS = _TRAIN + _TEST


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
    unread : tuple of str
        Paths of the files that belong to no part of the data.
    """

    path: Path
    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    unread: tuple[str, ...]
    _files: Any

    def __len__(self) -> int:
        return len(self.names)

    def choose(self, indices: NDArray[np.integer]) -> Self:
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

    def picture(self, index: int, channels: int) -> "Image.Image":
        """An image of any size, as :func:`golden.data.picture.open_picture` gives it."""
        with self._file(index) as file:
            return open_picture(file, self.name(index), channels)

    def name(self, index: int) -> str:
        """What errors call an image."""
        return f"{self.path}: {printable(self.names[index])}"

    def line(self, what: str) -> str:
        """How many images of how many classes there are, for people."""
        classes = counted(len(self.classes), "class", "classes")
        return f"{printable(self.path)}: {len(self)} {what} of {classes}"

    def _file(self, index):
        with decoding(f"{self.name(index)}: the image cannot be read", "it is damaged"):
            return self._files.open(self.names[index])


def open_tree(path: Path | str) -> tuple[ImageTree, ImageTree]:
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
    data = _Data(Path(path))
    train, test = data.tree(_TRAIN), data.tree(_TEST)
    _require_equal(train, test)
    return train, test


def open_test_set(path: Path | str) -> ImageTree:
    """Find the test images of a data set, which need not have images to train on.

    Parameters and errors are those of `open_tree`.

    Returns
    -------
    ImageTree
    """
    data = _Data(Path(path))
    test = data.tree(_TEST)
    if data.has(_TRAIN):
        _require_equal(data.tree(_TRAIN), test)
    return test


class _Data:
    """Images of every part by their classes, and all other files."""

    def __init__(self, path):
        self._path = path
        with decoding(
            f"{path}: the data cannot be read", "it must be a folder or a whole .zip file"
        ):
            self._files = _Folder(path) if path.is_dir() else _Zip(path)
        self._parts = {part: {} for part in PARTS}
        self._others = []
        for entry in self._files.entries:
            self._sort(entry, entry in self._files.folders)
        # Where there are two test parts, the second one is not read.
        for part in [part for part in _TEST if self._parts[part]][1:]:
            self._others += [name for names in self._parts[part].values() for name in names]

    def _sort(self, entry, is_folder):
        """Put an entry where it belongs; a class may have no images."""
        names = PurePosixPath(entry).parts
        # A class is a folder in a part, an image is a file in a class.
        place = names[-2:] if is_folder else names[-3:-1]
        fits = len(place) == 2 and place[0] in PARTS and not any(map(_is_hidden, names))
        if fits and (is_folder or PurePosixPath(entry).suffix.lower() in SUFFIXES):
            images = self._parts[place[0]].setdefault(place[1], [])
            images += [] if is_folder else [entry]
        elif not is_folder:
            self._others.append(entry)

    def has(self, names):
        """Whether any part of these names is there."""
        return any(self._parts[name] for name in names)

    def tree(self, names):
        """The first part of these names that is there."""
        part = next((name for name in names if self._parts[name]), None)
        if part is None:
            places = " or ".join(f"{part}/CLASS/IMAGE" for part in names)
            raise ValueError(
                f"{self._path}: the data must hold {places} with {', '.join(SUFFIXES)} files"
            )
        classes = self._parts[part]
        for name, images in classes.items():
            if not images:
                raise ValueError(
                    f"{self._path}: class {printable(name)} must have at least one image in {part}"
                )
        sorted_names = sorted(classes)
        labels = np.repeat(np.arange(len(classes)), [len(classes[name]) for name in sorted_names])
        images = tuple(image for name in sorted_names for image in sorted(classes[name]))
        return ImageTree(
            self._path,
            tuple(sorted_names),
            images,
            labels.astype(np.int64),
            tuple(sorted(self._others)),
            self._files,
        )


def _is_hidden(name):
    return name.startswith(HIDDEN)


def _require_equal(train, test):
    if train.classes != test.classes:
        odd = sorted(set(train.classes) ^ set(test.classes))[0]
        raise ValueError(
            f"{train.path}: class {printable(odd)} must be in both parts of the data, not in one"
        )


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
        for name in self._archive.names:
            # Before anything else is said of the data, since this is no picture at all.
            if PurePosixPath(name).suffix.lower() in SUFFIXES:
                self._archive.check_size(name, MAX_ENCODED)
        self.entries = [*self._archive.names, *self._archive.folders]
        self.folders = set(self._archive.folders)

    def open(self, name):
        return self._archive.open(name, MAX_ENCODED)
