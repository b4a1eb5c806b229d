"""What is refused before it is decoded, and that nothing is opened in another place."""

import ast
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

import golden
from golden.data import limits
from golden.data.arrays import open_array, open_arrays
from golden.data.picture import open_picture
from tests.sources import refused, source
from train.run import config


def png(height, width, *, bits=8):
    """A PNG whose header claims a size, with hardly any pixels behind it."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(100))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


@pytest.mark.parametrize("name", ["x.png", "x.npy", "x.npz", "x.zip", "x.toml", "x.safetensors"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("pipe", "it is a pipe, not a file"),
        ("device", "it is a device, not a file"),
        ("folder", "it is a folder, not a file"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_only_files_are_opened(name, kind, reason, tmp_path):
    path = tmp_path / name
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder" if name in ("x.png", "x.zip"):
            pytest.skip("a folder is data, whatever its name")
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
    read = {".toml": config.load, ".safetensors": golden.load}.get(path.suffix, source)
    refused(read, path, reason.lower() if path.suffix == ".toml" else reason)


def test_a_link_to_a_file_is_followed(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 8, 8, 1), np.uint8))
    (tmp_path / "link.npy").symlink_to(tmp_path / "a.npy")
    assert source(tmp_path / "link.npy").images.sum() == 128


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", {}),
        ("bmp", {}),
        ("tif", {}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("gif", {}),
        ("webp", {"lossless": True}),
    ],
)
def test_every_lossless_format_keeps_every_pixel(suffix, options, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    Image.fromarray(image).save(tmp_path / f"a.{suffix}", **options)
    assert np.array_equal(source(tmp_path / f"a.{suffix}").images[0, :, :, 0], image)
    # The content decides, and not the name.
    (tmp_path / f"a.{suffix}").rename(tmp_path / "b.jpg")
    assert np.array_equal(source(tmp_path / "b.jpg").images[0, :, :, 0], image)


def test_the_first_picture_of_an_animation_is_taken(tmp_path):
    first, second = (Image.new("L", (8, 8), value) for value in (10, 20))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert (source(tmp_path / "a.gif").images == 10).all()


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n",
        b"DDS |\x00\x00\x00" + bytes(120),
        b"\x00\x00\x00\x1cftypavif" + bytes(100),
        b"P5 8 8 255 " + bytes(64),
        b"8BPS\x00\x01" + bytes(100),
        b"icns" + bytes(100),
    ],
)
def test_other_formats_start_nothing(content, tmp_path, monkeypatch):
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "x.png").write_bytes(content)
    refused(source, tmp_path / "x.png", "it is truncated or no image")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 2**16 + 1), (2**16 + 1, 1), (2**13, 2**13 + 1), (2**31 - 1, 2**31 - 1)],
)
def test_large_pictures_are_refused_before_they_are_decoded(height, width, tmp_path):
    (tmp_path / "x.png").write_bytes(png(height, width))
    refused(source, tmp_path / "x.png", "the image is too large: it must have at most 65536 pixels")


def test_a_large_file_is_no_picture(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(png(8, 8))
    os.truncate(path, limits.MAX_ENCODED + 1)
    refused(source, path, "it must have at most 268435456 bytes, not 268435457")


def test_a_jpeg_of_many_scans_is_refused(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "x.jpg")
    with (tmp_path / "x.jpg").open("ab") as file:
        file.write(b"\xff\xda" * (limits.MAX_SCANS + 1))
    refused(source, tmp_path / "x.jpg", "must have at most 200 scans")


def test_a_tile_that_is_larger_than_its_picture_is_refused(tmp_path):
    values = zlib.compress(bytes(1000))
    tags = {
        256: 8,
        257: 8,
        258: 8,
        259: 8,
        262: 1,
        277: 1,
        322: 30_000,
        323: 30_000,
        324: 146,
        325: len(values),
    }
    head = (
        b"II*\0"
        + struct.pack("<IH", 8, len(tags))
        + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        + bytes(16)
    )
    (tmp_path / "x.tif").write_bytes(head + values)
    refused(source, tmp_path / "x.tif", "a tile of the image must have at most 16777216 pixels")


@pytest.mark.soak
def test_the_largest_picture_takes_little_memory(soak, tmp_path):
    side = 2**13 if soak else 2**11
    Image.new("RGBA", (side, side), (1, 2, 3, 4)).save(tmp_path / "x.png", compress_level=1)
    picture = open_picture(tmp_path / "x.png", "x.png", 3)
    assert picture.size == (side, side)
    assert picture.getpixel((side - 1, side - 1)) == (1, 2, 3)


def npy(header, values=b"\x00" * 64, version=b"\x01\x00"):
    text = header.encode("latin-1")
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text + values


GOOD = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 8, 8, 1), }\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (npy(GOOD, bytes(63)), "must have 64 bytes, not 63"),
        (npy(GOOD, bytes(65)), "must have 64 bytes, not 65"),
        (npy(GOOD.replace("8, 8", "2**40, 8")), "it must be a NumPy array without objects"),
        (npy(GOOD.replace("8, 8", "4294967296, 8")), "the array is too large"),
        (npy(GOOD.replace("8, 8", "-8, -8")), "it must be a NumPy array without objects"),
        (npy(GOOD.replace("8, 8", "99999999999999999999, 0")), "it must be a NumPy array"),
        (npy(GOOD.replace("|u1", "|O")), "it must be a NumPy array without objects"),
        (npy(GOOD.replace("False", "0")), "it must be a NumPy array without objects"),
        (npy(GOOD, version=b"\x01\x01"), "it must be a NumPy array without objects"),
        (npy("(" * 500), "it must be a NumPy array without objects"),
        (npy("'"), "it must be a NumPy array without objects"),
        (npy("{" + " " * 20_000), "it must be a NumPy array without objects"),
        (b"PK\x03\x04" + bytes(50), "it must be a NumPy array without objects"),
    ],
)
def test_headers_of_arrays_are_checked(content, sentence, tmp_path):
    (tmp_path / "x.npy").write_bytes(content)
    refused(source, tmp_path / "x.npy", sentence)


@pytest.mark.parametrize("dtype", ["<i8", ">i4", "|u1", "|b1", "<f4"])
def test_arrays_of_numbers_are_read_as_numpy_reads_them(dtype, tmp_path):
    for array in (
        np.arange(24).reshape(2, 3, 4),
        np.arange(24).reshape(4, 6).T,
        np.array(7),
        np.zeros((0, 3)),
    ):
        np.save(tmp_path / "x.npy", array.astype(dtype))
        found = open_array(tmp_path / "x.npy").read()
        assert np.array_equal(found, array.astype(dtype))
        assert found.dtype == np.dtype(dtype).newbyteorder("=")


def test_a_zip_named_npy_is_no_array(tmp_path):
    np.savez(tmp_path / "x.npz", images=np.zeros(3))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    refused(source, tmp_path / "x.npy", "it must be a NumPy array without objects")


def test_members_that_are_no_arrays_are_left_out(tmp_path):
    np.savez(tmp_path / "x.npz", images=np.zeros(3, np.uint8))
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as file:
        file.writestr("labels", b"no array")
    assert set(open_arrays(tmp_path / "x.npz", "images", "labels")) == {"images"}
    refused(source, tmp_path / "x.npz", "labelled data must be a .npz file with images and labels")


#: What opens or parses bytes from outside, and the one module that may call it.
ONLY = {
    ("json", "load"): None,
    ("json", "loads"): "golden/data/description.py",
    ("np", "load"): None,
    ("np", "fromfile"): None,
    ("np", "memmap"): None,
    ("Image", "open"): "golden/data/picture.py",
    ("zipfile", "ZipFile"): "golden/data/archive.py",
    ("tarfile", "open"): None,
    ("tomllib", "loads"): "sim/mutants.py",
    ("tomllib", "load"): None,
    ("toml", "decode"): "train/run/config.py",
    ("safetensors", "safe_open"): None,
    ("ast", "literal_eval"): "golden/data/arrays.py",
    ("pickle", "loads"): None,
}

#: The answer of a process that the program has started itself, and values of its own.
OWN = {"tests/benchmark/inference.py", "golden/data/sealed.py"}


def test_everything_from_outside_passes_through_one_place(project_root):
    found = {}
    for package in ("golden", "train", "hw", "sim"):
        for path in sorted((project_root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner = node.func.value
                    owner = getattr(owner, "id", None) or getattr(owner, "attr", None)
                    if (owner, node.func.attr) in ONLY:
                        name = path.relative_to(project_root).as_posix()
                        found.setdefault((owner, node.func.attr), set()).add(name)
    for call, modules in found.items():
        assert modules - OWN <= {ONLY[call]}, call
    assert {call for call, module in ONLY.items() if module} == set(found)
