"""The emitted Verilog under linters: Verilator with every warning on, and Icarus Verilog."""

import os
import shutil
import subprocess

import pytest

import golden
from golden.data.digits import load_digits
from hw.build import build
from hw.compiler import compile_model
from hw.emit.sram import models, sram_sizes
from hw.emit.vectors import Vectors
from hw.emit.verilog import TOP, emit
from hw.rtl.library import WAIVERS
from hw.tools.verilator import simulator
from tests.cores import CORES, DIGITS, config_of, verilog_of
from tests.icarus import run_icarus


pytestmark = pytest.mark.sim


def warnings(folder, text, *, waivers=True):
    """What Verilator says about the Verilog of a core: an empty text if nothing."""
    (folder / f"{TOP}.v").write_text(text)
    (folder / f"{TOP}.vlt").write_text(WAIVERS.read_text())
    environment = os.environ | simulator()
    command = [
        shutil.which("verilator", path=environment["PATH"]),
        "--lint-only",
        "-Wall",
        "--top-module",
        TOP,
        *([f"{TOP}.vlt"] if waivers else []),
        f"{TOP}.v",
    ]
    finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return finished.stderr


@pytest.mark.parametrize("name", CORES)
def test_verilator_has_nothing_to_say(tmp_path, name):
    assert warnings(tmp_path, verilog_of(name)) == ""


@pytest.mark.parametrize(
    ("what", "planted"),
    [
        ("UNDRIVEN", "wire planted; assign unused_planted = planted;"),
        ("WIDTHTRUNC", "wire [2:0] planted; assign planted = 4'd9 + {4{aresetn}};"),
        ("LATCH", "reg planted; always @* if (aresetn) planted = 1;"),
    ],
)
def test_a_planted_fault_is_named(tmp_path, what, planted):
    text = verilog_of("1x2-d1")
    head, body = text.split(f"module {TOP}(", 1)
    ports, rest = body.split(";", 1)
    said = warnings(tmp_path, f"{head}module {TOP}({ports};\n{planted}{rest}")
    assert f"-{what}:" in said


def test_each_waiver_is_needed(tmp_path):
    """By a core for an FPGA or, where its memories are modules of their own, for an ASIC."""
    asic, _ = emit(config_of("1x2-d1"), asic=True)
    said = "".join(
        warnings(tmp_path, text, waivers=False)
        for text in (verilog_of("1x2-d1"), asic + models(sram_sizes(asic)))
    )
    for line in WAIVERS.read_text().splitlines():
        if line.startswith("lint_off"):
            assert f"-{line.split()[2]}:" in said


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Build folder of the digits' core, with the vectors of one test digit."""
    folder = tmp_path_factory.mktemp("digits")
    *_, images, _ = load_digits()
    plan = compile_model(
        golden.load(DIGITS), columns=2, lanes=16, spike_code=golden.SpikeCode.SPLIT
    )
    build(plan, folder, vectors=Vectors(images[:1], "the first test digit"))
    return folder


def test_the_waivers_lie_beside_the_verilog(digits):
    assert (digits / "rtl" / f"{TOP}.vlt").read_text() == WAIVERS.read_text()


def test_an_image_in_icarus_has_the_logits_of_golden(digits, tmp_path):
    assert run_icarus(digits, tmp_path, rom=f"{digits}/rom/") == "PASS 1 pictures, 10 logits"
