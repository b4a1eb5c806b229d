"""NumPy arrays, alone and labelled."""

import zipfile

import numpy as np

from golden.data.images import load_images, load_labelled
from golden.model.input import ModelInput
from tests.fuzz.mutate import NUMBERS, mutate
from tests.fuzz.pictures import change_zip
from tests.fuzz.reader import Reader


SHAPE = (6, 5, 1)
_TAKES = ModelInput.usual(SHAPE)

#: Pieces of a header that take the place of others.
_PIECES = (
    "'|u1'",
    "'<i8'",
    "'|O'",
    "'<U9'",
    "[('a', '<i4')]",
    "True",
    "False",
    "None",
    "()",
    "-1",
    "1.5",
    "'descr'",
    "'shape'",
    "'fortran_order'",
    "1e9",
    "((((1))))",
    "(1,)*9",
    "{}",
    "__",
)


def _images(count):
    return np.random.default_rng(count).integers(0, 256, (count, *SHAPE), np.uint8)


def _write_npy(folder):
    arrays = {"c.npy": _images(3), "f.npy": np.asfortranarray(_images(4)), "one.npy": _images(1)[0]}
    for name, array in arrays.items():
        np.save(folder / name, array)
    return [folder / name for name in arrays]


def _check_npy(path, images):
    expected = np.load(path)
    assert np.array_equal(images, expected if expected.ndim == 4 else expected[np.newaxis])


def change_npy(data, rng, others=()):
    """Damage in the header's text, with its length right, or anywhere."""
    if rng.random() < 0.4 or data[:6] != b"\x93NUMPY":
        return mutate(data, rng, others)
    length = int.from_bytes(data[8:10], "little")
    text = data[10 : 10 + length].decode("latin-1")
    pieces = text.replace(",", " , ").replace("(", " ( ").replace(")", " ) ").split(" ")
    for _ in range(rng.choice((1, 1, 2))):
        pieces[rng.randrange(len(pieces))] = rng.choice((*_PIECES, *map(str, NUMBERS)))
    text = " ".join(pieces).encode("latin-1")
    return data[:8] + (len(text) % 2**16).to_bytes(2, "little") + text + data[10 + length :]


def _write_npz(folder):
    for name, save in (("stored.npz", np.savez), ("packed.npz", np.savez_compressed)):
        save(folder / name, images=_images(5), labels=np.arange(5), more=np.zeros(3))
    return [folder / "stored.npz", folder / "packed.npz"]


def _check_npz(path, value):
    with zipfile.ZipFile(path) as archive:
        for name, found in (("images.npy", value.images), ("labels.npy", value.labels)):
            with archive.open(name) as member:
                assert np.array_equal(found, np.lib.format.read_array(member))


def _change_npz(data, rng, others):
    return change_zip(data, rng, others, change_npy)


READERS = (
    Reader(
        "npy", _write_npy, lambda path: load_images(path, _TAKES).images, _check_npy, change_npy
    ),
    Reader("npz", _write_npz, lambda path: load_labelled(path, _TAKES), _check_npz, _change_npz),
)
