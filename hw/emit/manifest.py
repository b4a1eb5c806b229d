"""The manifest of memory images: which file holds which bits of which memory, with digests.

It stands beside memory images that were written in formats of vendors, which carry no digest that
these vendors' tools would check.
"""

import hashlib
import re
from pathlib import Path

from golden.data.form import Each
from golden.data.reading import InputError, open_regular
from golden.data.sealed import read_sealed, sealed_text

from .licence import LICENCE
from .memory_images import IMAGE_FILE, digest


__all__ = ["MANIFEST", "check_manifest", "manifest"]


MANIFEST = "rom/manifest.json"
FORMAT = "addend-memory-images"
FORMAT_VERSION = 1

#: How bits lie in every file, in words.
BIT_ORDER = (
    "A line is a word, address 0 first, most significant digit first. A file of several of one "
    "memory holds a slice of its words: bit 0 of the file is the first of its bits. Bit 0 of a "
    "word of weights belongs to lane 0."
)
#: What the digests of words are over, in words.
WORDS_SHA256 = (
    "SHA-256 of the words as text: lower-case hexadecimal digits, ceil(width / 4) to a word, and a "
    "line feed behind each"
)

_DIGEST = re.compile("[0-9a-f]{64}")
_WHOLE = range(2**40)
_FORM = {
    "format": re.compile(FORMAT),
    "version": range(FORMAT_VERSION, FORMAT_VERSION + 1),
    "files": Each(
        {
            "format": str,
            "memory": str,
            "bits": [_WHOLE],
            "width": range(1, 2**20),
            "depth": _WHOLE,
            "sha256": _DIGEST,
            "words_sha256": _DIGEST,
        },
        key=IMAGE_FILE,
    ),
}


def manifest(images, texts):
    """Text of the manifest.

    Parameters
    ----------
    images : dict of str to (list of int, int)
        Words and their width of each ``.hex`` file, by its path in the build directory.
    texts : dict of str to str
        Every file that holds one of these images, in any format, by its path.

    Returns
    -------
    str
        JSON that holds a digest of itself.
    """
    entries = {Path(path).stem: _entry(path, *image) for path, image in images.items()}
    return sealed_text({
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "licence": LICENCE,
        "bit_order": BIT_ORDER,
        "words_sha256": WORDS_SHA256,
        "files": {
            path: entries[Path(path).stem]
            | {
                "format": Path(path).suffix[1:],
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
            for path, text in texts.items()
        },
    })


def check_manifest(folder, images, *, missing_ok=False):
    """Checks every file that the manifest of a build directory names, if there is a manifest.

    Parameters
    ----------
    folder : Path
    images : dict
        Of the description: ``sha256`` of the words of each ``.hex`` file, by its path.
    missing_ok : bool
        Whether a file may be absent, as before it is built again.

    Raises
    ------
    ValueError
        If a single bit of a file or of the manifest was changed since it was built, or the
        manifest belongs to another build.
    """
    path = Path(folder) / MANIFEST
    if not path.exists():
        return
    try:
        files = read_sealed(path, "the manifest of memory images", _FORM)["files"]
    except InputError as error:
        raise InputError(f"{error}; remove it and build again") from error
    named = {
        name: entry["words_sha256"] for name, entry in files.items() if entry["format"] == "hex"
    }
    if named != {name: image["sha256"] for name, image in images.items()}:
        raise ValueError(
            f"{path}: the manifest must name the memory images of this build: remove it and build "
            "again"
        )
    for name, entry in files.items():
        _check_file(Path(folder) / name, entry["sha256"], missing_ok=missing_ok)


def _entry(path, words, width):
    """What is the same in all formats of an image. A memory in one file is its slice 0."""
    name = IMAGE_FILE.fullmatch(path)
    low = int(name["slice"] or 0) * width
    return {
        "memory": name["memory"],
        "bits": [low, low + width - 1],
        "width": width,
        "depth": len(words),
        "words_sha256": digest(words, width),
    }


def _check_file(path, expected, *, missing_ok):
    if not path.exists():
        if missing_ok:
            return
        raise ValueError(f"Memory image {path} must exist: build it again")
    with open_regular(path) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ValueError(
            f"Memory image {path} must have the digest that {MANIFEST} gives for it: remove it and "
            "build again"
        )
