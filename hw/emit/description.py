"""What ``accelerator.json`` holds: the form that its readers rely on."""

import re
from dataclasses import fields

from golden.data.form import Each
from golden.spike import SpikeCode

from ..isa.core_config import MOST_COLUMNS, MOST_LANES, Capacities


__all__ = ["DESCRIPTION_FORM"]


_WHOLE = range(2**40)
_WIDTH = range(1, 2**20)
_DIGEST = re.compile("[0-9a-f]{64}")
_CODE = re.compile("|".join(code.value for code in SpikeCode))
_IMAGE = re.compile(r"rom/[a-z]+(\.\d+)?\.hex")

#: Capacities whose values no reader may take on trust.
_CAPACITIES = {field.name: _WHOLE for field in fields(Capacities)} | {
    "columns": range(1, MOST_COLUMNS + 1), "lanes": range(2, MOST_LANES + 1),
    "shared": range(1, MOST_COLUMNS + 1), "spike_code": _CODE, "max_count": range(1, 16),
    "weight_width": range(2, 9),
}

#: Form of the description, beside format and version.
DESCRIPTION_FORM = {
    "model": str,
    "image_shape": [_WIDTH],
    "classes": _WHOLE,
    "clock_mhz": float,
    "capacities": _CAPACITIES,
    "ports": [{"name": re.compile(r"\w+"), "direction": re.compile("input|output"),
               "width": _WIDTH}],
    "memories": Each({"number": range(16), "images": [_IMAGE], "width": _WIDTH, "depth": _WHOLE,
                      "sha256": _DIGEST}),
    "images": Each({"width": _WIDTH, "sha256": _DIGEST}, key=_IMAGE),
    "readmemh": bool,
    "spike_maps": Each(dict.fromkeys(("base", "planes", "words", "positions"), _WHOLE)),
    "layers": [{"name": str, "tiles": _WHOLE, "lines": _WHOLE, "positions": _WHOLE,
                "record": Each(int)}],
    "cycles": {"from": str, "images": _WHOLE, "total": float, "period": float,
               "layers": Each({"cycles": float, "additions": float})},
    "verilog": _DIGEST,
    "versions": Each((str, type(None))),
}
