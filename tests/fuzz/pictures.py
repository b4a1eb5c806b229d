"""Pictures of every format, alone, in folders and in zips."""

import contextlib
import io
import warnings
import zipfile
import zlib
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from golden.cli.source import load_source
from golden.data.images import load_images
from golden.model.input import ModelInput
from tests.fuzz.mutate import NUMBERS, mutate
from tests.fuzz.reader import Reader


HEIGHT, WIDTH = 20, 24

#: Modes and options of the good pictures of each format.
_WAYS = {
    "png": [("L", {}), ("RGB", {}), ("RGBA", {}), ("P", {}), ("1", {}), ("LA", {})],
    "jpg": [("L", {}), ("RGB", {}), ("CMYK", {}), ("RGB", {"progressive": True})],
    "bmp": [("L", {}), ("RGB", {}), ("P", {}), ("1", {})],
    "tif": [
        ("L", {}),
        ("RGB", {}),
        ("RGB", {"compression": "tiff_lzw"}),
        ("RGBA", {"compression": "tiff_deflate"}),
        ("RGB", {"compression": "jpeg"}),
        ("1", {"compression": "group4"}),
        ("P", {"compression": "packbits"}),
    ],
    "webp": [("RGB", {}), ("RGB", {"lossless": True}), ("RGBA", {"save_all": True})],
    "gif": [("L", {}), ("P", {}), ("RGB", {"save_all": True})],
}


def picture(rng, mode):
    """A smooth picture with noise, so that every coder has something to do."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    smooth = np.stack([8 * x, 8 * y, 4 * (x + y)], axis=-1)
    noisy = smooth + rng.integers(0, 20, smooth.shape)
    return Image.fromarray(noisy.astype(np.uint8)).convert(mode)


def _write(folder, suffix):
    rng = np.random.default_rng(0)
    paths = []
    for number, (mode, options) in enumerate(_WAYS[suffix]):
        paths.append(folder / f"{number}.{suffix}")
        more = {"append_images": [picture(rng, mode)]} if options.get("save_all") else {}
        picture(rng, mode).save(paths[-1], **options, **more)
    return paths


def _read(path):
    channels = 1 if path.name.startswith("0") else 3
    return load_images(path, ModelInput.usual((HEIGHT, WIDTH, channels))).images[0]


def decoded(data, channels):
    """What Pillow makes of bytes, without our limits."""
    with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
        image.load()
        # Damaged EXIF says nothing about how a picture was held.
        with contextlib.suppress(Exception):
            ImageOps.exif_transpose(image, in_place=True)
        return np.asarray(image.convert("L" if channels == 1 else "RGB"))


def _check(path, image):
    assert image.shape == (HEIGHT, WIDTH, image.shape[-1])
    assert np.array_equal(image.squeeze(), decoded(path.read_bytes(), image.shape[-1]).squeeze())


def change_png(data, rng, others):
    """Damage behind a right checksum, or anywhere."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + length]])
        at += 12 + length
    if rng.random() < 0.4:
        return mutate(data, rng, others)
    chunk = rng.choice(chunks)
    if chunk[0] == b"IDAT" and rng.random() < 0.5:
        chunk[1] = zlib.compress(mutate(zlib.decompress(chunk[1]), rng))
    elif chunk[0] == b"IHDR" and rng.random() < 0.7:
        at = rng.choice((0, 4))
        size = (rng.choice(NUMBERS) % 2**32).to_bytes(4, "big")
        chunk[1] = chunk[1][:at] + size + chunk[1][at + 4 :]
    else:
        chunk[1] = mutate(chunk[1], rng)
    return data[:8] + b"".join(
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        for kind, body in chunks
    )


def _write_tree(folder):
    rng = np.random.default_rng(1)
    paths = []
    for part in ("train", "test"):
        for name, suffix in (("ant", "png"), ("bee", "jpg")):
            paths.append(folder / "data" / part / name / f"0.{suffix}")
            paths[-1].parent.mkdir(parents=True)
            picture(rng, "RGB").save(paths[-1])
    return paths[2:]


def _read_tree(folder):
    found = load_source(folder, ModelInput.usual((HEIGHT, WIDTH, 3)))
    return found.names, found.images[:]


def _check_tree(path, value):
    _, images = value
    at = ["ant", "bee"].index(path.parent.name)
    assert np.array_equal(images[at], decoded(path.read_bytes(), 3))


def _write_zip(folder):
    files = _write_tree(folder)
    root, paths = folder / "data", []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        paths.append(folder / f"{method}.zip")
        with zipfile.ZipFile(paths[-1], "w", method) as archive:
            for file in sorted(root.rglob("*")):
                # One that is not read may be packed as it likes.
                packed = method if file not in files else min(method, zipfile.ZIP_DEFLATED)
                archive.write(file, file.relative_to(folder), packed)
    return paths


def change_zip(data, rng, others, change=mutate):
    """Damage in a field of a header, in a member that is packed again, or anywhere."""
    if rng.random() < 0.3:
        return mutate(data, rng, others)
    if rng.random() < 0.5:
        data = bytearray(data)
        starts = [
            at
            for at in range(len(data) - 4)
            if data[at : at + 4] in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
        ]
        for _ in range(rng.choice((1, 1, 3))):
            at, size = rng.choice(starts) + rng.randrange(4, 46), rng.choice((1, 2, 4))
            data[at : at + size] = (rng.choice(NUMBERS) % 256**size).to_bytes(size, "little")
        return bytes(data)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(packed, "w") as after:
        names = before.namelist()
        chosen = rng.choice(names)
        for name in names:
            body = before.read(name)
            after.writestr(before.getinfo(name), change(body, rng) if name == chosen else body)
    return packed.getvalue()


def _check_zip(path, value):
    names, images = value
    with zipfile.ZipFile(path) as archive:
        for name, image in zip(names, images, strict=True):
            assert np.array_equal(image, decoded(archive.read(name), 3))


READERS = (
    *(
        Reader(
            suffix,
            partial(_write, suffix=suffix),
            _read,
            _check,
            change_png if suffix == "png" else mutate,
        )
        for suffix in _WAYS
    ),
    Reader("folder", _write_tree, lambda path: _read_tree(path.parents[2]), _check_tree),
    Reader("zip", _write_zip, _read_tree, _check_zip, change_zip),
)
