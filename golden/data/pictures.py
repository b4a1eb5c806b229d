"""Image files of any size, decoded whenever they are needed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray


if TYPE_CHECKING:
    # Never imported here: arrays need no Pillow. The module of trees imports this one.
    from PIL import Image

    from golden.data.tree import ImageTree


__all__ = ["Pictures", "Takes"]


class Takes(Protocol):
    """What a model takes, as `golden.model.input.ModelInput` says it."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def fit(self, picture: "Image.Image", name: str) -> "Image.Image": ...

    def check_labels(self, labels: NDArray[np.int64], path: Path | str) -> None: ...


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

    def __init__(self, tree: "ImageTree", takes: Takes, *, decoders: int = 1) -> None:
        self._tree = tree
        self._takes = takes
        self._decoders = decoders

    def __len__(self) -> int:
        return len(self._tree)

    def __getitem__(
        self,
        indices: slice | Sequence[int] | NDArray[np.integer],
    ) -> NDArray[np.uint8]:
        if isinstance(indices, slice):
            indices = range(*indices.indices(len(self)))
        return self._decode(indices, [None] * len(indices), self._fit)

    def choose(self, indices: NDArray[np.integer]) -> Self:
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
