"""Image files of any size to train on: random parts of them."""

import math

from golden.data.pictures import Pictures


__all__ = ["TrainingPictures"]


#: Parts of a picture's area, and ratios of width to height, that random crops have.
_CROP_AREAS = (0.25, 1.0)
_CROP_RATIOS = (3 / 4, 4 / 3)


class TrainingPictures(Pictures):
    """Pictures of which random parts can be had, too."""

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

    def _random_crop(self, picture, _, draws):
        from PIL.Image import Resampling

        height, width, _ = self._takes.shape
        area = _between(_CROP_AREAS, draws[0]) * picture.width * picture.height
        ratio = math.exp(_between([math.log(bound) for bound in _CROP_RATIOS], draws[1]))
        wide = min(math.sqrt(area * ratio), picture.width)
        tall = min(math.sqrt(area / ratio), picture.height)
        left, top = draws[2] * (picture.width - wide), draws[3] * (picture.height - tall)
        return picture.resize(
            (width, height), Resampling.BICUBIC, box=(left, top, left + wide, top + tall)
        )


def _between(bounds, part):
    """Value ``part`` of the way from the lower to the upper bound."""
    return bounds[0] + part * (bounds[1] - bounds[0])
