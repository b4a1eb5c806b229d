"""What users import: models, their exact execution, and the hardware that is built of them.

>>> import addend
>>> model = addend.load("tests/data/digits.safetensors")
>>> model.image_shape
(8, 8, 1)

The packages behind it (``golden``, ``hw``, ``sim``) are imported once a name is asked for, so that
``addend --help`` needs nothing. They have names that a user's own files may have, too; this one is
the public one.
"""

from importlib import import_module
from typing import Any


#: Public names, and the modules that define them.
_PUBLIC = {
    "IntegerModel": "golden",
    "ModelError": "golden",
    "SpikeCode": "golden",
    "accuracy": "golden",
    "classify": "golden",
    "load": "golden",
    "run": "golden",
    "save": "golden",
    "validate": "golden",
    "build": "hw.build",
    "Accelerator": "addend.accelerator",
    "BoardError": "addend.accelerator",
    "compile_model": "hw.compiler",
    "Core": "sim.core",
    "CoreError": "sim.core",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
