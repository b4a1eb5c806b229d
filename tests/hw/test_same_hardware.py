"""The hardware of four networks, byte by byte, as it was before the house was rebuilt.

``python -m tests.hw.test_same_hardware`` writes the digests of the hardware as it is now.
"""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import golden
from hw.build import build
from hw.compiler import compile_model


DATA = Path(__file__).parents[1] / "data"
DIGESTS = DATA / "hardware.json"
MODELS = ("digits", "digits-half-even", "cifar10-nano", "cifar10-nano-d8")

#: Arrays, and where their weights lie.
ARRAYS = {
    "on chip": {"columns": 2, "lanes": 16},
    "outside": {"columns": 4, "lanes": 16, "bus_width": 128},
}


def digests(name, array, folder):
    """Digests of the Verilog and of every memory image, by file."""
    plan = compile_model(
        golden.load(DATA / f"{name}.safetensors"),
        spike_code=golden.SpikeCode.TWO_BIT_SERIAL,
        **ARRAYS[array],
    )
    build(plan, folder)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for kind in ("rtl", "rom")
        for path in sorted((folder / kind).iterdir())
    }


@pytest.mark.pinned
@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("name", MODELS)
def test_verilog_and_memory_images_are_what_they_were(name, array, tmp_path):
    assert digests(name, array, tmp_path) == json.loads(DIGESTS.read_text())[f"{name}, {array}"]


def record():
    """Writes the digests."""
    found = {}
    for name in MODELS:
        for array in ARRAYS:
            with TemporaryDirectory() as folder:
                found[f"{name}, {array}"] = digests(name, array, Path(folder))
    DIGESTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    record()
