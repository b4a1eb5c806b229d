"""Images for the commands, wherever they come from."""

import sys
from collections.abc import Iterable
from pathlib import Path

from golden.data.images import ImageSet, load_images, load_labelled
from golden.data.picture import SUFFIXES
from golden.data.pictures import Pictures
from golden.data.tree import PARTS, open_test_set
from golden.model.input import ModelInput
from golden.model.integer_model import IntegerModel


__all__ = ["SOURCES", "announce", "load_source", "open_source"]


#: What a command's help says about its images.
SOURCES = (
    "a .npy or labelled .npz array, an image file, a folder of images, a folder or zip with "
    "test/CLASS/IMAGE (or val), or digits"
)


def load_source(source: Path | str, takes: ModelInput, *, count: int | None = None) -> ImageSet:
    """Load images, and their labels where they have some.

    Parameters
    ----------
    source : str or Path
        ``digits`` for the test digits of scikit-learn; an array, image or folder as for
        `golden.data.images.load_images` or `golden.data.images.load_labelled`; or a tree as for
        `golden.data.tree.open_test_set`, whose images are decoded when they are needed.
    takes : ModelInput
        Of the model.
    count : int, optional
        Take so many, see :meth:`golden.data.images.ImageSet.take`.

    Returns
    -------
    ImageSet

    Raises
    ------
    ValueError
        If the images cannot be read or do not fit, or their classes are not the model's; one
        sentence that names the file.
    """
    if count is not None and count < 1:
        raise ValueError(f"the number of images must be at least 1, not {count}")
    path = Path(source)
    if _is_tree(path):
        tree = open_test_set(path)
        labels = takes.labels_of(tree.classes, path)[tree.labels]
        found = ImageSet(
            path, Pictures(tree, takes), list(tree.names), labels, len(tree.classes), tree.unread
        )
    elif str(source) == "digits":
        found = _digits(takes)
    elif path.suffix == ".npz":
        found = load_labelled(path, takes)
    else:
        found = load_images(path, takes)
    return found if count is None else found.take(count)


def open_source(source: Path | str, model: IntegerModel, *, count: int | None = None) -> ImageSet:
    """Load images for a model, and say what was found.

    Parameters, result and errors are those of `load_source`.
    """
    found = load_source(source, ModelInput.of(model), count=count)
    announce(found.lines)
    return found


def announce(lines: Iterable[str]) -> None:
    """Say what was found, on standard error: results of commands may be read by programs."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def _digits(takes):
    # Imported late: only the digits need scikit-learn.
    from golden.data.digits import CLASSES, load_digits

    *_, images, labels = load_digits()
    if images.shape[1:] != takes.shape:
        raise ValueError(f"digits have shape {images.shape[1:]}, and the model takes {takes.shape}")
    names = [f"digits {index}" for index in range(len(images))]
    return ImageSet(
        "digits", images, names, takes.labels_of(CLASSES, "digits")[labels], len(CLASSES)
    )


def _is_tree(path):
    """Whether a path is a zip or a folder of folders, and no folder of images."""
    if path.suffix == ".zip":
        return True
    if not path.is_dir():
        return False
    entries = list(path.iterdir())
    folders = {entry.name for entry in entries if entry.is_dir()}
    if folders & {*PARTS}:
        return True
    return bool(folders) and not any(entry.suffix.lower() in SUFFIXES for entry in entries)
