"""Images and labelled data from files, as the uint8 arrays that an integer model takes."""

import zipfile
from pathlib import Path

import numpy as np


__all__ = ["SUFFIXES", "centre", "decode", "load_images", "load_labelled", "open_picture"]


SUFFIXES = (".png", ".jpg", ".jpeg")

#: Pillow modes whose pixels have 8 bits per channel, or fewer.
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")


def load_images(path, image_shape):
    """Images of one file or of a folder.

    Parameters
    ----------
    path : str or Path
        A ``.npy`` array of uint8, shape (images, height, width, channels) or one image of it; a
        ``.png``, ``.jpg`` or ``.jpeg`` file; or a folder of such image files, taken in the order of
        their names.
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
        images = _read_array(path)
        if images.ndim == 3:
            images = images[np.newaxis]
        _check(path, images, image_shape)
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
    arrays = _read_array(path)
    if isinstance(arrays, np.ndarray) or not {"images", "labels"} <= arrays.keys():
        raise ValueError(f"{path}: labelled data must be a .npz file with images and labels")
    images, labels = arrays["images"], arrays["labels"]
    _check(path, images, image_shape)
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{path}: labels must be {len(images)} integers, not {labels.dtype} of "
                         f"shape {labels.shape}")
    return images, labels.astype(np.int64)


def _read_array(path):
    """The array of a .npy file, or a dict of those of a .npz file."""
    try:
        # Opened here, because NumPy leaves a file open that it cannot read.
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            return {name: loaded[name] for name in loaded.files}
    except OSError as error:
        raise ValueError(f"{path}: the file cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: the file must be a NumPy array without objects") from error


def _check(path, images, image_shape):
    height, width, channels = image_shape
    if images.dtype != np.uint8:
        raise ValueError(f"{path}: images must be uint8, not {images.dtype}")
    if images.ndim != 4 or images.shape[1:] != (height, width, channels):
        raise ValueError(f"{path}: images must have shape (images, {height}, {width}, {channels}), "
                         f"not {images.shape}")
    if len(images) == 0:
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


def open_picture(file, name, channels):
    """Decode an image file of any size, as gray or RGB.

    Parameters
    ----------
    file, name
        As for :func:`decode`.
    channels : int
        1 or 3.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    ValueError
        If the file is no image; one sentence.
    """
    # Imported late: arrays need no Pillow.
    from PIL import Image

    if channels not in (1, 3):
        raise ValueError(f"{name}: a model of {channels} channels takes .npy arrays only")
    try:
        with Image.open(file) as image:
            if image.mode not in EIGHT_BIT_MODES:
                raise ValueError(f"{name}: pixels must have 8 bits per channel, "
                                 f"not mode {image.mode}")
            return image.convert("L" if channels == 1 else "RGB")
    except (OSError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or "it is truncated or no image"
        raise ValueError(f"{name}: the image cannot be read ({reason})") from error


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
