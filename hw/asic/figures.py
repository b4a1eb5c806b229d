"""``asic.json``: what was found of a netlist, and how it is read back."""

from pathlib import Path

from golden.data.description import read_json
from golden.data.form import Each, require_form


__all__ = ["FIGURES", "read_figures"]


#: Name of the file in a build directory.
FIGURES = "asic.json"

_COUNT = range(2**40)
_DELAY = (float, int, type(None))

#: Form of the file. ``timing`` and ``power``, which may be null, have forms of their own.
_FORM = {
    "licence": str,
    "liberty": {"name": str, "sha256": str},
    "verilog": str,
    "clock_mhz": float,
    "area": {"total": float, "cells": _COUNT, "flip_flops": _COUNT},
    "modules": Each({"cells": _COUNT, "flip_flops": _COUNT, "area": float, "total_area": float}),
    "memories": [{"module": str, "words": _COUNT, "bits": _COUNT, "count": _COUNT}],
    "checks": {
        "clock": str,
        "flip_flops": _COUNT,
        "reset": _COUNT,
        "unreset": [{"name": str, "bits": _COUNT, "reason": str}],
        "latches": _COUNT,
        "inferred_memories": _COUNT,
    },
    "timing": (dict, type(None)),
    "power": (list, type(None)),
}
_TIMING = {
    "clock_mhz": float,
    "paths_ns": {"registers": _DELAY, "from_memories": _DELAY, "into_memories": _DELAY},
    "slack_ns": float,
    "fmax_mhz": float,
}
_POWER = [
    {
        "cycles": _COUNT,
        "additions": _COUNT,
        "milliwatts": float,
        "sequential_milliwatts": float,
        "combinational_milliwatts": float,
        "microjoules": float,
    }
]


def read_figures(folder, description):
    """What was found of the core that a build directory holds.

    Parameters
    ----------
    folder : Path
    description : dict
        What ``accelerator.json`` holds.

    Returns
    -------
    dict or None
        None if this Verilog was not mapped to standard cells.

    Raises
    ------
    InputError
        If ``asic.json`` is damaged.
    """
    path = Path(folder) / FIGURES
    if not path.exists():
        return None
    name = f"{path}: the figures of the netlist"
    found = read_json(path, "the figures of the netlist")
    if found.get("verilog") != description["verilog"]:
        return None
    require_form(found, _FORM, name)
    for key, form in (("timing", _TIMING), ("power", _POWER)):
        if found[key] is not None:
            require_form(found[key], form, f"{name}, {key}")
    return found
