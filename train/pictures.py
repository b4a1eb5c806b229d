"""Image files of any size, decoded and resized whenever they are needed."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from golden.images import centre


__all__ = ["Pictures"]


#: Files that are decoded at the same time; Pillow releases the interpreter meanwhile.
_DECODERS = 4

#: Parts of a picture's area, and ratios of width to height, that random crops have.
_CROP_AREAS = (0.25, 1.0)
_CROP_RATIOS = (3 / 4, 4 / 3)


class Pictures:
    """Files of a tree as an array of shape (images, height, width, channels) would give them.

    Indexing takes a slice or an array of indices and gives the resized centres of the pictures.

    Parameters
    ----------
    tree : ImageTree
    image_shape : (height, width, channels)
        Of the network; height and width are equal.
    """

    def __init__(self, tree, image_shape):
        self._tree = tree
        self._image_shape = tuple(image_shape)

    def __len__(self):
        return len(self._tree)

    def __getitem__(self, indices):
        if isinstance(indices, slice):
            indices = range(*indices.indices(len(self)))
        return self._decode(indices, [None] * len(indices), self._centre)

    def choose(self, indices):
        """Some of the pictures, as :meth:`golden.tree.ImageTree.choose` chooses them."""
        return Pictures(self._tree.choose(indices), self._image_shape)

    def random_crops(self, indices, draws):
        """Random parts of pictures, resized.

        Parameters
        ----------
        indices : int array
        draws : float tensor, shape (len(indices), 4 or more)
            Random numbers in [0, 1) that decide about area, shape and place.

        Returns
        -------
        uint8 array, shape (len(indices), height, width, channels)
        """
        return self._decode(indices, draws.tolist(), self._random_crop)

    def _centre(self, picture, _):
        return centre(picture, self._image_shape[0])

    def _random_crop(self, picture, draws):
        from PIL.Image import Resampling

        height, width, _ = self._image_shape
        area = _between(_CROP_AREAS, draws[0]) * picture.width * picture.height
        ratio = math.exp(_between([math.log(bound) for bound in _CROP_RATIOS], draws[1]))
        wide = min(math.sqrt(area * ratio), picture.width)
        tall = min(math.sqrt(area / ratio), picture.height)
        left, top = draws[2] * (picture.width - wide), draws[3] * (picture.height - tall)
        return picture.resize(
            (width, height), Resampling.BICUBIC, box=(left, top, left + wide, top + tall)
        )

    def _decode(self, indices, draws, cut):
        channels = self._image_shape[2]

        def one(index, draw):
            picture = self._tree.picture(int(index), channels)
            return np.asarray(cut(picture, draw)).reshape(self._image_shape)

        with ThreadPoolExecutor(_DECODERS) as pool:
            return np.stack(list(pool.map(one, indices, draws)))


def _between(bounds, part):
    """Value ``part`` of the way from the lower to the upper bound."""
    return bounds[0] + part * (bounds[1] - bounds[0])
