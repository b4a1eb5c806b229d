"""Encoded pictures from outside, decoded within limits."""

import contextlib
import ctypes
import logging
import math
import warnings
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from golden.data.limits import (
    MAX_ENCODED,
    MAX_PIXELS,
    MAX_PROGRESSIVE_PIXELS,
    MAX_SCANS,
    MAX_SIDE,
    MAX_TILE_PIXELS,
    MAX_WEBP_PIXELS,
)
from golden.data.reading import BLOCK, InputError, decoding, open_regular


if TYPE_CHECKING:
    # Never imported here: arrays need no Pillow.
    from PIL import Image


__all__ = ["FORMATS", "SUFFIXES", "open_picture"]


#: Formats by Pillow's names. It knows many more, some of which start other programs.
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")

#: Ends of the names of files that are taken for pictures, whichever of the formats they have.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")

#: Pillow modes whose pixels have 8 bits per channel, or fewer.
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")

#: Ends of what Pillow calls the pixels of a file that have 16 bits per channel. It would keep
#: eight of them without a word.
_DEEP = (";16B", ";16L", ";16N")

#: Tag of EXIF, and what each of its values takes to set a picture upright: how rows and columns
#: run, and whether they are exchanged then.
_ORIENTATION = 0x112
_UPRIGHT = {
    number: ((slice(None, None, rows), slice(None, None, columns)), turned)
    for number, (rows, columns, turned) in enumerate(
        [
            (1, 1, False),
            (1, -1, False),
            (-1, -1, False),
            (-1, 1, False),
            (1, 1, True),
            (-1, 1, True),
            (-1, -1, True),
            (1, -1, True),
        ],
        1,
    )
}

#: Tags of TIFF for the width and height of its tiles.
_TILE = (322, 323)

_FAULT = f"it is truncated or no image of {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"

#: Start of a JPEG file, and of each of its scans.
_JPEG = b"\xff\xd8"
_SCAN = b"\xff\xda"

#: Pictures of more pixels than this are converted in bands, so that two copies need less memory.
_BAND = 2**20


def open_picture(file: Path | str | IO[bytes], name: str, channels: int) -> "Image.Image":
    """Decode an image file of any size, upright, as gray or RGB.

    Transparency is left out, and the colours behind it are taken as they are.

    Parameters
    ----------
    file : path-like or binary file
        One of `FORMATS`; of an animation, the first picture is taken.
    name : str
        Names the file in errors.
    channels : int
        1 or 3.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    InputError
        If the file is no image, or too large; one sentence.
    """
    # Imported late: arrays need no Pillow.
    from PIL import Image

    if channels not in (1, 3):
        raise InputError(f"{name}: a model of {channels} channels takes .npy arrays only")
    _silence()
    with decoding(f"{name}: the image cannot be read", _FAULT), _opened(file) as encoded:
        _check_encoded(encoded, name)
        try:
            image = Image.open(encoded, formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise InputError(f"{name}: {_too_large(MAX_PIXELS)}") from error
        with image:
            _check(image, name)
            image.load()
            # Some formats learn only now how large they are.
            _check(image, name)
            return _converted(image, "L" if channels == 1 else "RGB")


def _silence():
    """Leaves out what Pillow remarks: either a file can be decoded or it is refused."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    _silence_logs()


@cache
def _silence_logs():
    """Keeps Pillow, and the library behind TIFF, from writing to standard error by themselves."""
    from PIL import _imaging

    logging.getLogger("PIL").addHandler(logging.NullHandler())
    # A Pillow of other make may not show the library's functions.
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(_imaging.__file__)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)


def _opened(file):
    if hasattr(file, "read"):
        return contextlib.nullcontext(file)
    return open_regular(file)


def _check_encoded(encoded, name):
    size = encoded.seek(0, 2)
    encoded.seek(0)
    if size > MAX_ENCODED:
        raise InputError(
            f"{name}: the image is too large: it must have at most {MAX_ENCODED} bytes, not {size}"
        )
    if encoded.read(2) == _JPEG:
        scans = sum(block.count(_SCAN) for block in iter(lambda: encoded.read(BLOCK), b""))
        if scans > MAX_SCANS:
            raise InputError(f"{name}: the image must have at most {MAX_SCANS} scans, not {scans}")
    encoded.seek(0)


def _check(image, name):
    most = MAX_PIXELS
    if image.format == "WEBP":
        most = MAX_WEBP_PIXELS
    elif image.info.get("progressive"):
        most = MAX_PROGRESSIVE_PIXELS
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > most:
        raise InputError(f"{name}: {_too_large(most)}, not {height}x{width}")
    if image.format == "TIFF":
        tile = math.prod(image.tag_v2.get(tag, 1) for tag in _TILE)
        if tile > MAX_TILE_PIXELS:
            raise InputError(
                f"{name}: a tile of the image must have at most {MAX_TILE_PIXELS} "
                f"pixels, not {tile}"
            )
    if image.mode not in EIGHT_BIT_MODES or _is_deep(image):
        raise InputError(
            f"{name}: pixels must have 8 bits per channel, not "
            f"{'16' if _is_deep(image) else f'mode {image.mode}'}"
        )


def _too_large(most):
    return (
        f"the image is too large: it must have at most {MAX_SIDE} pixels along a side, and "
        f"{most} altogether"
    )


def _is_deep(image):
    """Whether Pillow throws away half of the bits of every channel."""
    return any(
        str(part).endswith(_DEEP)
        for tile in image.tile
        for part in (tile[3] if isinstance(tile[3], tuple) else tile[3:4])
    )


def _flips(image):
    """Axes whose order is reversed, and whether they are exchanged then, to set a picture upright.

    Cameras say in EXIF how they were held; what cannot be read there counts as upright.
    """
    orientation = 1
    with contextlib.suppress(Exception):
        orientation = image.getexif().get(_ORIENTATION, 1)
    return _UPRIGHT.get(orientation, _UPRIGHT[1])


def _converted(image, mode):
    """A picture in another mode, upright; it may use up the one that it is given."""
    from PIL import Image

    width, height = image.size
    flips, turned = _flips(image)
    upright = flips == _UPRIGHT[1][0] and not turned
    if upright and width * height <= _BAND:
        return image.convert(mode)
    if upright and image.mode == mode:
        return image
    channels = len(mode)
    pixels = np.empty((*((width, height) if turned else (height, width)), channels), np.uint8)
    # The same pixels in the order of the file.
    filed = (pixels.swapaxes(0, 1) if turned else pixels)[flips]
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(height, top + rows))).convert(mode)
        filed[top : top + rows] = np.asarray(band).reshape(-1, width, channels)
    image.close()
    return Image.fromarray(pixels.squeeze(2) if channels == 1 else pixels)
