"""What a model takes: the shape of its images, how pictures come to it, and its classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from golden.data.limits import MAX_PIXELS, MAX_SIDE
from golden.data.reading import InputError, listed, printable
from golden.errors import ModelError
from golden.model.integer_model import IntegerModel


if TYPE_CHECKING:
    # Never imported here: arrays need no Pillow.
    from PIL import Image


__all__ = ["IMAGENET", "ModelInput", "check_class_names"]


#: Fields of ``input.pictures``.
_FIELDS = ("resize", "crop")

#: Of the published protocol: the shorter side of resized pictures, and the side of what is cut out.
IMAGENET = (232, 224)


@dataclass(frozen=True)
class ModelInput:
    """How pictures and labels come to a model.

    Parameters
    ----------
    shape : (height, width, channels)
        Of an image.
    resize : int or None
        Pixels that the shorter side of a picture gets (bicubic); ``None`` leaves its size alone.
    crop : (height, width) or None
        What is cut out of the middle of a picture, after that.
    n_classes : int or None
        ``None`` for any number.
    classes : tuple of str or None
        Names of the classes in the order of the logits, where they are known.
    """

    shape: tuple[int, int, int]
    resize: int | None = None
    crop: tuple[int, int] | None = None
    n_classes: int | None = None
    classes: tuple[str, ...] | None = None

    @classmethod
    def usual(
        cls,
        shape: Sequence[int],
        n_classes: int | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> Self:
        """Input of a model that says nothing about it.

        224x224 models take pictures of any size, by the protocol of the published results; all
        others take pictures of their own size.
        """
        shape, (resize, side) = tuple(shape), IMAGENET
        if shape[:2] != (side, side):
            return cls(shape, None, None, n_classes, classes)
        return cls(shape, resize, (side, side), n_classes, classes)

    @classmethod
    def resized(
        cls,
        shape: Sequence[int],
        n_classes: int | None = None,
        classes: tuple[str, ...] | None = None,
    ) -> Self:
        """Input of a model of any size for pictures of any size, in the proportions of 224x224."""
        shape, (resize, side) = tuple(shape), IMAGENET
        return cls(shape, round(min(shape[:2]) * resize / side), shape[:2], n_classes, classes)

    @classmethod
    def of(cls, model: IntegerModel) -> Self:
        """Input of a model (docs/format.md).

        Raises
        ------
        ModelError
            If ``input.pictures`` or the names of classes break a rule; one sentence.
        """
        usual, pictures = cls.usual(model.image_shape, model.classes), model.input.pictures
        names = model.class_names.get(next(iter(model.outputs)))
        if pictures is None:
            return replace(usual, classes=names and tuple(names))
        if not isinstance(pictures, dict) or not pictures.keys() <= {*_FIELDS}:
            raise ModelError(
                f"The input's pictures must be null or an object of "
                f"{' and '.join(_FIELDS)}, not {printable(pictures)}"
            )
        resize, crop = (pictures.get(field) for field in _FIELDS)
        height, width, _ = usual.shape
        if resize is not None and not (type(resize) is int and 1 <= resize <= MAX_SIDE):
            raise ModelError(
                f"The input's pictures: resize must be null or 1 to {MAX_SIDE} "
                f"pixels, not {printable(repr(resize))}"
            )
        if crop is not None and not (
            isinstance(crop, list)
            and crop == [height, width]
            and all(type(side) is int for side in crop)
        ):
            raise ModelError(
                f"The input's pictures: crop must be null or the image's [{height}, "
                f"{width}], not {printable(repr(crop))}"
            )
        if resize is not None and resize < min(height, width):
            raise ModelError(
                f"The input's pictures: resize must be at least {min(height, width)} "
                f"pixels for images of {height}x{width}, not {resize}"
            )
        return cls(usual.shape, resize, crop and tuple(crop), model.classes, names and tuple(names))

    def onto(self, model: IntegerModel) -> IntegerModel:
        """The model that takes pictures and names its classes so."""
        pictures = {"resize": self.resize, "crop": self.crop and list(self.crop)}
        names = {} if self.classes is None else {next(iter(model.outputs)): tuple(self.classes)}
        return replace(
            model,
            input=replace(model.input, pictures=pictures),
            class_names=model.class_names | names,
        )

    def class_name(self, index: int) -> str:
        """Name of a class, or its number where names are not known."""
        return str(index) if self.classes is None else printable(self.classes[index])

    def fit(self, picture: "Image.Image", name: str) -> "Image.Image":
        """Resize a picture and cut out its middle.

        Parameters
        ----------
        picture : PIL.Image.Image
        name : str
            Names it in errors.

        Returns
        -------
        PIL.Image.Image
            Of the model's height and width.

        Raises
        ------
        InputError
            If the picture does not fit; one sentence.
        """
        if self.resize is not None:
            picture = self._resize(picture, name)
        height, width = self.crop or self.shape[:2]
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        if self.crop is not None and min(left, top) >= 0:
            return picture.crop((left, top, left + width, top + height))
        if picture.size != (width, height):
            raise InputError(
                f"{name}: the image must have {height}x{width} pixels (height x "
                f"width), not {picture.height}x{picture.width}"
            )
        return picture

    def _resize(self, picture, name):
        from PIL import Image

        scale = self.resize / min(picture.size)
        size = tuple(max(self.resize, round(length * scale)) for length in picture.size)
        if size[0] * size[1] > MAX_PIXELS:
            raise InputError(
                f"{name}: the image is too long: with a shorter side of {self.resize} "
                f"pixels it must have at most {MAX_PIXELS}, not {size[0] * size[1]}"
            )
        return picture.resize(size, Image.Resampling.BICUBIC)

    def labels_of(self, classes: Sequence[str], path: Path | str) -> NDArray[np.int64]:
        """Labels that classes of a folder have in the model.

        Parameters
        ----------
        classes : sequence of str
            Sorted.
        path : Path
            Names the folder in errors.

        Returns
        -------
        int64 array, shape (classes,)
            Places of the classes among those of the model; in their own order where the model's
            names are not known.

        Raises
        ------
        InputError
            If the classes are not those of the model; one sentence.
        """
        if self.classes is not None and {*classes} != {*self.classes}:
            wrong = [printable(name) for name in classes if name not in self.classes]
            lacking = [printable(name) for name in self.classes if name not in classes]
            faults = [
                f"{what} {listed(names)}"
                for what, names in (("not have", wrong), ("have", lacking))
                if names
            ]
            raise InputError(
                f"{path}: the classes must be those of the model, so it must "
                f"{' and must '.join(faults)}"
            )
        if self.n_classes not in (None, len(classes)):
            shown = listed([printable(name) for name in classes])
            raise InputError(
                f"{path}: there must be {self.n_classes} classes, as the model has, "
                f"not {len(classes)} ({shown})"
            )
        places = [
            index if self.classes is None else self.classes.index(name)
            for index, name in enumerate(classes)
        ]
        return np.array(places, np.int64)

    def check_labels(self, labels: NDArray[np.int64], path: Path | str) -> None:
        """Demand that labels are classes of the model.

        Raises
        ------
        InputError
            One sentence that names the path and the label.
        """
        if self.n_classes is None:
            return
        wrong = labels[(labels < 0) | (labels >= self.n_classes)]
        if wrong.size:
            raise InputError(
                f"{path}: labels must be 0 to {self.n_classes - 1}, as the model has "
                f"{self.n_classes} classes, not {wrong[0]}"
            )


def check_class_names(model: IntegerModel) -> None:
    """Raises ModelError unless the names of classes fit the outputs."""
    for output, names in model.class_names.items():
        if output not in model.outputs:
            raise ModelError(f"The classes of output {output} must be those of an output")
        number = len(model.outputs[output].epilogue.bias)
        if not _are_names(names, number):
            raise ModelError(
                f"The classes of output {output} must be null or {number} names of "
                f"whole characters that differ, not {printable(repr(list(names)))}"
            )


def _are_names(classes, number):
    return (
        isinstance(classes, tuple)
        and len(classes) == number
        and all(isinstance(name, str) and name and _is_text(name) for name in classes)
        and len({*classes}) == number
    )


def _is_text(name):
    """Whether a name is made of whole characters, as JSON is."""
    return name == name.encode(errors="ignore").decode()
