"""Trees of generated image files that several tests share."""

import zipfile

import numpy as np
from PIL import Image


CLASSES = ("ant", "bee")


def write_tree(folder, *, size, channels, parts=("train", "test"), classes=CLASSES, each=3):
    """Write ``PART/CLASS/N.png`` files of random pixels.

    Returns
    -------
    dict of str to uint8 array
        Images of each part, sorted as they have to be found.
    """
    rng = np.random.default_rng(0)
    written = {}
    for part in parts:
        images = rng.integers(0, 256, (len(classes) * each, *size, channels), np.uint8)
        for index, image in enumerate(images):
            path = folder / part / classes[index // each] / f"{index:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.squeeze()).save(path)
        written[part] = images
    return written


def zip_tree(folder, path):
    """Put a tree into a zip, under the folder's own name; returns the path."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"{folder.name}/{file.relative_to(folder)}")
    return path
