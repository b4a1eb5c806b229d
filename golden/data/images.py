"""Images and labelled data from files, as the uint8 arrays that an integer model takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from golden.data.arrays import open_array, open_arrays
from golden.data.picture import SUFFIXES, open_picture
from golden.data.pictures import Pictures, Takes
from golden.data.reading import listed, printable


__all__ = ["HIDDEN", "ImageSet", "counted", "load_images", "load_labelled", "unread_lines"]


#: Starts of names that systems give to files of their own.
HIDDEN = (".", "__MACOSX")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images for a model, and what was found beside them.

    Parameters
    ----------
    path : str or Path
        Where they are from.
    images : uint8 array, shape (images, height, width, channels), or Pictures
        A slice of either is an array.
    names : list of str
    labels : int64 array, shape (images,), or None
        By the model's classes.
    n_classes : int or None
        Classes that were found.
    unread : tuple of str
        Names of the files that were not read.
    total : int or None
        Images that were found, if only some of them are here.
    """

    path: Path | str
    images: NDArray[np.uint8] | Pictures
    names: list[str]
    labels: NDArray[np.int64] | None = None
    n_classes: int | None = None
    unread: tuple[str, ...] = ()
    total: int | None = None

    @property
    def lines(self) -> list[str]:
        """What was found, for people."""
        found = len(self.names) if self.total is None else self.total
        classes = (
            ", without classes"
            if self.n_classes is None
            else f" of {counted(self.n_classes, 'class', 'classes')}"
        )
        taken = "" if self.total is None else f", {len(self.names)} taken"
        return [
            f"{printable(self.path)}: {counted(found, 'image')}{classes}{taken}",
            *unread_lines(self.path, self.unread),
        ]

    def take(self, count: int) -> Self:
        """The first images, or evenly spaced ones of a tree, which is sorted by class.

        Parameters
        ----------
        count : int
            Most images to take.

        Returns
        -------
        ImageSet
        """
        found = len(self.names)
        if count >= found:
            return self
        if isinstance(self.images, Pictures):
            chosen = np.linspace(0, found - 1, count).round().astype(int)
            images = self.images.choose(chosen)
        else:
            chosen = np.arange(count)
            images = self.images[:count]
        return replace(
            self,
            images=images,
            names=[self.names[index] for index in chosen],
            labels=None if self.labels is None else self.labels[chosen],
            total=found,
        )


def counted(number: int, noun: str, nouns: str | None = None) -> str:
    """A number and what it counts.

    >>> counted(1, "image"), counted(2, "class", "classes")
    ('1 image', '2 classes')
    """
    return f"{number} {noun if number == 1 else nouns or f'{noun}s'}"


def unread_lines(path: Path | str, names: Sequence[str]) -> list[str]:
    """Sentence about files that were not read, if there are any, as a list."""
    if not names:
        return []
    were = "was" if len(names) == 1 else "were"
    shown = listed([printable(name) for name in names])
    return [f"{printable(path)}: {counted(len(names), 'file')} {were} not read: {shown}"]


def load_images(path: Path | str, takes: Takes) -> ImageSet:
    """Images of one file or of a folder.

    Parameters
    ----------
    path : str or Path
        A ``.npy`` array of uint8, shape (images, height, width, channels) or one image of it; an
        image file with one of `golden.data.picture.SUFFIXES`; or a folder of such files, taken
        in the order of their names.
    takes : ModelInput
        Image files become gray or RGB by its channels, and have its size or get it.

    Returns
    -------
    ImageSet

    Raises
    ------
    ValueError
        One sentence that names the file.
    """
    path = Path(path)
    if path.suffix == ".npy":
        stored = open_array(path)
        one = len(stored.shape) == 3
        _check(path, stored.dtype, (1, *stored.shape) if one else stored.shape, takes.shape)
        images = stored.read()
        images = images[np.newaxis] if one else images
        return ImageSet(path, images, [f"{path.name}[{index}]" for index in range(len(images))])
    unread = ()
    if path.is_dir():
        files, unread = _files(path)
        if not files:
            raise ValueError(f"{path}: the folder must hold {', '.join(SUFFIXES)} files")
    elif path.suffix.lower() in SUFFIXES:
        files = [path]
    else:
        raise ValueError(f"{path}: images must be a .npy, {', '.join(SUFFIXES)} file or a folder")
    images = np.stack([_decode(file, takes) for file in files])
    return ImageSet(path, images, [file.name for file in files], unread=unread)


def load_labelled(path: Path | str, takes: Takes) -> ImageSet:
    """Images and labels of a ``.npz`` file.

    Parameters
    ----------
    path : str or Path
        With arrays ``images`` (uint8, as for `load_images`) and ``labels`` (integers, (images,)).
    takes : ModelInput
        Labels must be classes of the model.

    Returns
    -------
    ImageSet

    Raises
    ------
    ValueError
        One sentence that names the file.
    """
    path = Path(path)
    stored = open_arrays(path, "images", "labels") if path.suffix == ".npz" else {}
    if len(stored) < 2:
        raise ValueError(f"{path}: labelled data must be a .npz file with images and labels")
    images, labels = stored["images"], stored["labels"]
    _check(path, images.dtype, images.shape, takes.shape)
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"{path}: labels must be {images.shape[0]} integers, not {labels.dtype} "
            f"of shape {labels.shape}"
        )
    labels = labels.read()
    if labels.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{path}: labels must fit int64, not be {labels.max()}")
    labels = labels.astype(np.int64)
    takes.check_labels(labels, path)
    names = [f"{path.name} {index}" for index in range(len(labels))]
    return ImageSet(path, images.read(), names, labels, len(np.unique(labels)))


def _files(path):
    """Image files of a folder, sorted, and the names of all else in it."""
    files, others = [], []
    for entry in sorted(path.iterdir()):
        if entry.is_dir():
            others.append(f"{entry.name}/")
        elif entry.suffix.lower() in SUFFIXES and not entry.name.startswith(HIDDEN):
            files.append(entry)
        else:
            others.append(entry.name)
    return files, tuple(others)


def _decode(file, takes):
    picture = takes.fit(open_picture(file, str(file), takes.shape[2]), str(file))
    return np.asarray(picture).reshape(takes.shape)


def _check(path, dtype, shape, image_shape):
    height, width, channels = image_shape
    if dtype != np.uint8:
        raise ValueError(f"{path}: images must be uint8, not {dtype}")
    if len(shape) != 4 or shape[1:] != (height, width, channels):
        raise ValueError(
            f"{path}: images must have shape (images, {height}, {width}, {channels}), not {shape}"
        )
    if shape[0] == 0:
        raise ValueError(f"{path}: there must be at least one image")
