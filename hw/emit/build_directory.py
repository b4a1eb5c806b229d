"""The build directory: Verilog, memory images and their description, whole or not at all."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from golden.data.description import read_json
from golden.data.form import require_form
from golden.data.limits import MAX_ARRAY
from golden.data.reading import InputError, printable, read_regular
from golden.data.sealed import require_sealed

from ..isa.core_config import CoreConfig
from .description import DESCRIPTION_FORM
from .manifest import MANIFEST, check_manifest
from .memory_images import (
    IMAGE_FILE,
    digest,
    read_hex,
)
from .verilog import TOP


__all__ = [
    "DESCRIPTION",
    "FORMAT",
    "FORMAT_VERSION",
    "MEMORIES",
    "VERILOG",
    "check_memory_images",
    "check_verilog",
    "is_asic",
    "read_description",
    "read_verilog",
    "usable",
    "write",
]


#: Name of the file that describes the others.
DESCRIPTION = f"{TOP}.json"
FORMAT = "addend-accelerator"
FORMAT_VERSION = 12

VERILOG = f"rtl/{TOP}.v"
#: Most bytes of the Verilog of a core.
MAX_VERILOG = 2**30
#: Memories of an ASIC; another target has none, since its Verilog holds them.
MEMORIES = "rtl/sram.v"


def write(files, folder):
    """Writes files into a folder; one that is the same already is left alone.

    Files of an earlier build that this one does not have are removed, and where the core becomes
    another one, so is what was made of it (bitstream, netlist, reports): they would be taken for
    this build's.

    All files are complete before the first takes its place, and the description comes last, so
    that a full disk or Ctrl-C leaves no mixture behind that a later step would take for a build.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    folder = Path(folder)
    changed = {name: text for name, text in files.items() if not _holds(folder / name, text)}
    stale = _stale(folder, files)
    if not changed and not stale:
        return
    if stale or any(name.startswith(("rtl/", "rom/")) for name in changed):
        stale += _made(folder)
    changed[DESCRIPTION] = files[DESCRIPTION]
    created = not folder.exists()
    staging = folder / f".staging.{os.getpid()}"
    try:
        for name, text in changed.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        (folder / DESCRIPTION).unlink(missing_ok=True)
        for path in stale:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in sorted(changed, key=lambda name: name == DESCRIPTION):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(target)
    except BaseException:
        if created:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def usable(folder):
    """Whether a folder holds the description of an accelerator; a build replaces any other."""
    try:
        read_description(folder)
    except InputError:
        return False
    return True


def read_description(folder):
    """The description of a build directory.

    Raises
    ------
    InputError
        If there is none, it is not one that this version reads, a field is missing or wrong, or it
        was changed since it was written.
    """
    path = Path(folder) / DESCRIPTION
    name = "the description of the accelerator"
    try:
        return _checked(read_json(path, name), f"{path}: {name}")
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise InputError(
                f"{path} must exist: build the accelerator with python -m hw.build first"
            ) from error
        raise InputError(f"{error}; build the accelerator again") from error


def _checked(found, name):
    """A description, after format, version, form and digest were found to be right."""
    if found.get("format") != FORMAT:
        raise InputError(f"{name} must be of the format {FORMAT}")
    version = found.get("version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"{name} has version {printable(version)}, and this program reads {FORMAT_VERSION}"
        )
    require_form(found, DESCRIPTION_FORM, name)
    found = require_sealed(found, {}, name)
    try:
        CoreConfig.from_dict(found["config"])
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error
    return found


def read_verilog(folder):
    """Verilog of a core, with the memories that it instantiates where it is an ASIC's.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    text = _text(Path(folder) / VERILOG)
    return text + _text(Path(folder) / MEMORIES) if _is_asic(text) else text


def is_asic(folder):
    """Whether a build directory is that of an ASIC: its memories are modules of their own."""
    return _is_asic(_text(Path(folder) / VERILOG))


def _is_asic(text):
    return "\nmodule addend_sram " in text


def _text(path):
    return read_regular(path, MAX_VERILOG).decode("utf-8", "replace")


def check_verilog(folder):
    """Reads the Verilog of a core and checks it against the digest in the description.

    Raises
    ------
    InputError
        If it was changed since it was built.
    OSError
        If it cannot be read.
    """
    text = read_verilog(folder)
    if hashlib.sha256(text.encode()).hexdigest() != read_description(folder)["verilog"]:
        names = f"{VERILOG} and {MEMORIES}" if _is_asic(text) else VERILOG
        raise InputError(
            f"{Path(folder) / names} must have the digest that {DESCRIPTION} gives for it, but was "
            "changed; build the accelerator again"
        )


def check_memory_images(folder, *, missing_ok=False):
    """Reads every memory image and checks it against the digest in the description.

    Those in other formats than ``.hex`` are checked against the manifest.

    Parameters
    ----------
    folder : Path
    missing_ok : bool
        Whether a memory image may be absent, as before it is built again.

    Raises
    ------
    ValueError
        If a single bit of a memory image was changed since it was built.
    """
    images = read_description(folder)["images"]
    for name, image in images.items():
        path = Path(folder) / name
        if not path.exists():
            if missing_ok:
                continue
            raise ValueError(f"Memory image {path} must exist: build it again")
        text = read_regular(path, MAX_ARRAY).decode("ascii", "replace")
        words = read_hex(text, image["width"], name=path)
        if digest(words, image["width"]) != image["sha256"]:
            raise ValueError(
                f"Memory image {path} must have the digest that {DESCRIPTION} gives "
                "for it: remove it and build again"
            )
    check_manifest(folder, images, missing_ok=missing_ok)


def _stale(folder, files):
    """Files of another build that this one does not have, by the names that builds give them."""
    return [
        path
        for path in [
            *sorted((folder / "rom").glob("*")),
            folder / MEMORIES,
            folder / "vectors" / "load.hex",
        ]
        if (name := path.relative_to(folder).as_posix()) not in files
        and path.exists()
        and (not name.startswith("rom/") or name == MANIFEST or IMAGE_FILE.fullmatch(name))
    ]


def _made(folder):
    """What later steps made of a core: tops of boards, bitstreams, netlists and reports."""
    patterns = ("board/*.v", f"{TOP}*.bit", "asic", "asic.json", "report.json", "report.html")
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def _holds(path, text):
    with contextlib.suppress(OSError):
        content = text.encode()
        return read_regular(path, len(content)) == content
    return False
