"""Image files of any size, decoded whenever they are needed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np


__all__ = ["Pictures"]


class Pictures:
    """Files of a tree as an array of shape (images, height, width, channels) would give them.

    Indexing takes a slice or an array of indices and gives images as a model takes them.

    Parameters
    ----------
    tree : ImageTree
    takes : ModelInput
    decoders : int
        Files that are decoded at the same time; Pillow releases the interpreter meanwhile.
    """

    def __init__(self, tree, takes, *, decoders=1):
        self._tree = tree
        self._takes = takes
        self._decoders = decoders

    def __len__(self):
        return len(self._tree)

    def __getitem__(self, indices):
        if isinstance(indices, slice):
            indices = range(*indices.indices(len(self)))
        return self._decode(indices, [None] * len(indices), self._fit)

    def choose(self, indices):
        """Some of the pictures, as :meth:`golden.data.tree.ImageTree.choose` chooses them."""
        return type(self)(self._tree.choose(indices), self._takes, decoders=self._decoders)

    def _fit(self, picture, name, _):
        return self._takes.fit(picture, name)

    def _decode(self, indices, draws, cut):
        """Pictures that ``cut`` makes fit, each with a draw of its own."""
        channels = self._takes.shape[2]
        images = np.empty((len(indices), *self._takes.shape), np.uint8)

        def one(place, index, draw):
            picture = self._tree.picture(int(index), channels)
            cut_out = cut(picture, self._tree.name(int(index)), draw)
            images[place] = np.asarray(cut_out).reshape(self._takes.shape)

        with ThreadPoolExecutor(self._decoders) as pool:
            # Exhausted, so that what is raised in a thread is raised here.
            list(pool.map(one, range(len(indices)), indices, draws))
        return images
