"""The hardware of four networks, byte by byte: as recorded, and as before the house was rebuilt.

``python -m tests.hw.test_same_hardware`` writes the digests of the hardware as it is now.
"""

import hashlib
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import golden
from hw.build import build
from hw.compiler import compile_model


DATA = Path(__file__).parents[1] / "data"
DIGESTS = DATA / "hardware.json"
#: Digests of the hardware before the house was rebuilt.
FIRST = DATA / "hardware-first.json"
MODELS = ("digits", "digits-half-even", "cifar10-nano", "cifar10-nano-d8")

#: Arrays, and where their weights lie.
ARRAYS = {
    "on chip": {"columns": 2, "lanes": 16},
    "outside": {"columns": 4, "lanes": 16, "bus_width": 128},
}


#: Where what Verilator must overlook in an ASIC begins and ends.
ASIC = re.compile(r"// Memories of an ASIC .*?(?=// Few lanes )", re.DOTALL)
#: What has come to the files since: licence, folder of the memory images.
NEWER = (
    "// SPDX-License-Identifier: Apache-2.0\n",
    (
        "// ADDEND_ROM_DIR, a text that ends in a slash, is the folder of the memory images, seen "
        "from where a tool runs.\n"
    ),
    '`ifndef ADDEND_ROM_DIR\n`define ADDEND_ROM_DIR "rom/"\n`endif\n',
)


def as_first(text):
    """Verilog without what has come since: only ``$readmemh`` and the names of files differ."""
    text = ASIC.sub("", text)
    for part in NEWER:
        text = text.replace(part, "")
    text = text.replace("$readmemh({`ADDEND_ROM_DIR, INIT_FILE}, ", "$readmemh(INIT_FILE, ")
    return re.sub(r'\.INIT_FILE\("', '.INIT_FILE("rom/', text)


def build_core(name, array, folder):
    """Builds a core of a network into a folder."""
    plan = compile_model(
        golden.load(DATA / f"{name}.safetensors"),
        spike_code=golden.SpikeCode.TWO_BIT_SERIAL,
        **ARRAYS[array],
    )
    build(plan, folder)


def digests(folder, change=lambda text: text):
    """Digests of the Verilog and of every memory image, by file, after a change of the text."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            change(path.read_text()).encode()
        ).hexdigest()
        for kind in ("rtl", "rom")
        for path in sorted((folder / kind).iterdir())
    }


@pytest.mark.pinned
@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("name", MODELS)
def test_verilog_and_memory_images_are_what_they_were(name, array, tmp_path):
    """Of digits, only ``$readmemh`` and the names of files are newer than the first hardware."""
    build_core(name, array, tmp_path)
    assert digests(tmp_path) == json.loads(DIGESTS.read_text())[f"{name}, {array}"]
    if name == "digits":
        assert digests(tmp_path, as_first) == json.loads(FIRST.read_text())[f"{name}, {array}"]


def record():
    """Writes the digests."""
    found = {}
    for name in MODELS:
        for array in ARRAYS:
            with TemporaryDirectory() as folder:
                build_core(name, array, Path(folder))
                found[f"{name}, {array}"] = digests(Path(folder))
    DIGESTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    record()
