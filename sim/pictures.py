"""Images to simulate: those that are asked for, or random ones, which every machine has."""

from golden.analysis.synthetic import random_images
from golden.cli.source import announce, open_source


__all__ = ["chosen"]


def chosen(source, model, count, seed=1):
    """Images and, where they have some, their labels.

    Parameters
    ----------
    source : str or None
        As for ``golden.cli.source.open_source``; None for random images, which end in a white and
        a black one if they are three or more.
    model : IntegerModel
        Whose images they are.
    count : int
        Most images.
    seed : int
        Of the random ones.

    Returns
    -------
    images : uint8 array, shape (images, height, width, channels)
    labels : int64 array, shape (images,), or None

    Raises
    ------
    ValueError
        If the images cannot be read or do not fit the model.
    """
    if source is not None:
        found = open_source(source, model, count=count)
        return found.images[:], found.labels
    announce([f"{count} random images of seed {seed}"])
    return random_images(seed, max(count, 3), model.image_shape)[::-1][:count], None
