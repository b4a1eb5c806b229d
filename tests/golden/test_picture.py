"""What becomes of the kinds of pictures that people have: docs/data.md says it, this holds it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from golden.data import picture
from golden.data.picture import open_picture


def pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def encoded(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    file.seek(0)
    return file


def opened(image, channels, form="PNG", **options):
    return np.asarray(open_picture(encoded(image, form, **options), "a.png", channels))


@pytest.fixture(params=[2**20, 16], ids=["whole", "in bands"])
def band(request, monkeypatch):
    """Pictures are converted at once or in bands, large ones always in bands."""
    monkeypatch.setattr(picture, "_BAND", request.param)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize(
    ("form", "channels"),
    [
        ("PNG", 3),
        ("PNG", 1),
        ("JPEG", 3),
        ("JPEG", 1),
        ("TIFF", 3),
        ("WEBP", 3),
    ],
)
def test_pictures_are_set_upright(band, form, channels, orientation):
    """EXIF has eight orientations; other numbers mean nothing."""
    exif = Image.Exif()
    exif[0x112] = orientation
    image = Image.fromarray(pixels(6, 5, 3) if channels == 3 else pixels(6, 5))
    options = {"exif": exif} | ({"lossless": True} if form == "WEBP" else {})
    expected = ImageOps.exif_transpose(Image.open(encoded(image, form, **options)))
    found = opened(image, channels, form, **options)
    assert found.shape[:2] == ((5, 6) if orientation in (5, 6, 7, 8) else (6, 5))
    assert np.array_equal(found, np.asarray(expected))


def test_exif_that_cannot_be_read_turns_nothing():
    image = pixels(6, 5, 3)
    assert np.array_equal(opened(Image.fromarray(image), 3, exif=b"Exif\0\0no tags at all"), image)


def test_transparency_is_left_out_and_colours_stay(band):
    image = pixels(6, 5, 4)
    image[:2, :, 3] = 0
    assert np.array_equal(opened(Image.fromarray(image), 3), image[:, :, :3])
    gray = pixels(6, 5, 2)
    assert np.array_equal(opened(Image.fromarray(gray, "LA"), 1), gray[:, :, 0])
    # One colour of a palette may be transparent as well.
    palette = Image.fromarray(image[:, :, :3]).quantize(8)
    assert np.array_equal(opened(palette, 3, transparency=0), np.asarray(palette.convert("RGB")))


def test_palettes_bits_and_inks_become_colours(band):
    colours = Image.fromarray(pixels(6, 5, 3))
    palette = colours.quantize(8)
    assert np.array_equal(opened(palette, 3), np.asarray(palette.convert("RGB")))
    assert np.array_equal(opened(palette, 3, "GIF"), np.asarray(palette.convert("RGB")))
    bits = Image.fromarray(pixels(6, 5) > 127)
    assert np.array_equal(opened(bits, 1), 255 * np.asarray(bits, np.uint8))
    inks = Image.fromarray(pixels(6, 5, 4), "CMYK")
    assert np.array_equal(opened(inks, 3, "TIFF"), np.asarray(inks.convert("RGB")))


def test_gray_is_the_luminance_and_three_equal_colours(band):
    image = pixels(6, 5, 3)
    weights = np.array([299, 587, 114]) / 1000
    assert np.abs(opened(Image.fromarray(image), 1) - image @ weights).max() < 1
    gray = pixels(6, 5)
    assert np.array_equal(opened(Image.fromarray(gray), 3), np.stack([gray] * 3, 2))


def png(colour, channels, depth=16):
    """A PNG file of a depth that Pillow does not write."""
    rows = b"".join(b"\0" + bytes(2 * channels * depth // 8) for _ in range(2))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, depth, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_are_refused_in_every_mode(colour, channels):
    """Pillow would keep the upper eight of some, and the lower eight of others."""
    assert open_picture(io.BytesIO(png(colour, channels, depth=8)), "a.png", 3).size == (2, 2)
    with pytest.raises(ValueError, match=r"^a\.png: pixels must have 8 bits per channel, not "):
        open_picture(io.BytesIO(png(colour, channels)), "a.png", 3)


def test_bmp_files_of_sixteen_bits_a_pixel_have_fewer_per_channel():
    header = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 62, 0, 0, 54, 40, 2, 2, 1, 16, 0, 8, 1, 1, 0, 0
    )
    assert open_picture(io.BytesIO(header + bytes(8)), "a.bmp", 3).size == (2, 2)
