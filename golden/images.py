"""Images and labelled data from files, as the uint8 arrays that an integer model takes."""

from pathlib import Path

import numpy as np

from golden.arrays import open_array, open_arrays
from golden.picture import SUFFIXES, open_picture


__all__ = ["centre", "decode", "load_images", "load_labelled"]


def load_images(path, image_shape):
    """Images of one file or of a folder.

    Parameters
    ----------
    path : str or Path
        A ``.npy`` array of uint8, shape (images, height, width, channels) or one image of it; an
        image file with one of `golden.picture.SUFFIXES`; or a folder of such files, taken in the
        order of their names.
    image_shape : (height, width, channels)
        What the model takes. Image files become gray or RGB by ``channels``. For 224x224 models
        their shorter side is resized to 232 (bicubic) and the centre is cut out, as for ImageNet;
        otherwise the size must fit.

    Returns
    -------
    images : uint8 array, shape (images, height, width, channels)
    names : list of str

    Raises
    ------
    ValueError
        One sentence that names the file.
    """
    path = Path(path)
    if path.suffix == ".npy":
        stored = open_array(path)
        one = len(stored.shape) == 3
        _check(path, stored.dtype, (1, *stored.shape) if one else stored.shape, image_shape)
        images = stored.read()
        images = images[np.newaxis] if one else images
        return images, [f"{path.name}[{index}]" for index in range(len(images))]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            raise ValueError(f"{path}: the folder must hold {', '.join(SUFFIXES)} files")
    elif path.suffix.lower() in SUFFIXES:
        files = [path]
    else:
        raise ValueError(f"{path}: images must be a .npy, {', '.join(SUFFIXES)} file or a folder")
    images = np.stack([decode(file, str(file), image_shape) for file in files])
    return images, [file.name for file in files]


def load_labelled(path, image_shape):
    """Images and labels of a ``.npz`` file.

    Parameters
    ----------
    path : str or Path
        With arrays ``images`` (uint8, as for `load_images`) and ``labels`` (integers, (images,)).
    image_shape : (height, width, channels)

    Returns
    -------
    images : uint8 array, shape (images, height, width, channels)
    labels : int64 array, shape (images,)

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
    _check(path, images.dtype, images.shape, image_shape)
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{path}: labels must be {images.shape[0]} integers, not {labels.dtype} "
                         f"of shape {labels.shape}")
    labels = labels.read()
    if labels.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{path}: labels must fit int64, not be {labels.max()}")
    return images.read(), labels.astype(np.int64)


def _check(path, dtype, shape, image_shape):
    height, width, channels = image_shape
    if dtype != np.uint8:
        raise ValueError(f"{path}: images must be uint8, not {dtype}")
    if len(shape) != 4 or shape[1:] != (height, width, channels):
        raise ValueError(f"{path}: images must have shape (images, {height}, {width}, {channels}), "
                         f"not {shape}")
    if shape[0] == 0:
        raise ValueError(f"{path}: there must be at least one image")


def decode(file, name, image_shape):
    """Decode one image file.

    Parameters
    ----------
    file : path-like or binary file
    name : str
        Names the file in errors.
    image_shape : (height, width, channels)

    Returns
    -------
    uint8 array of that shape

    Raises
    ------
    ValueError
        If the file is no image or the image does not fit; one sentence.
    """
    height, width, channels = image_shape
    decoded = open_picture(file, name, channels)
    if (height, width) == (224, 224):
        decoded = centre(decoded, 224)
    if decoded.size != (width, height):
        raise ValueError(f"{name}: the image must have {height}x{width} pixels (height x width), "
                         f"not {decoded.size[1]}x{decoded.size[0]}")
    return np.asarray(decoded).reshape(image_shape)


def centre(image, side):
    """Resize the shorter side and cut out the centre; the protocol of the published results.

    Parameters
    ----------
    image : PIL.Image.Image
    side : int
        Height and width of the result; the shorter side is resized to 232/224 of it.

    Returns
    -------
    PIL.Image.Image
    """
    from PIL import Image

    resized = round(side * 232 / 224)
    scale = resized / min(image.size)
    size = tuple(max(resized, round(length * scale)) for length in image.size)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = ((length - side) // 2 for length in size)
    return image.crop((left, top, left + side, top + side))
