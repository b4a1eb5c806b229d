"""What a build folder holds for others: its testbench passes, and sees every changed word."""

import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_images
from hw.build import build
from hw.compiler import compile_model
from hw.emit.vectors import Vectors
from hw.tools.verilator import simulator
from tests.icarus import run_alone, run_icarus
from tests.models import small


pytestmark = pytest.mark.sim

PASSED = "PASS 4 pictures, 8 logits"
#: Where weights lie, and whether memories start filled.
KINDS = {"filled": {}, "loaded": {"readmemh": False}, "external": {"bus_width": 64}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Build folders of a small model, by kind."""
    made = {}
    for name, options in KINDS.items():
        made[name] = tmp_path_factory.mktemp(name)
        plan = compile_model(
            small(),
            columns=1,
            lanes=3,
            spike_code=SpikeCode.BIT_SERIAL,
            bus_width=options.get("bus_width", 0),
        )
        build(plan, made[name], readmemh=options.get("readmemh", True))
    return made


@pytest.fixture(params=KINDS)
def folder(request, folders, tmp_path):
    """A copy of each kind of build folder."""
    return shutil.copytree(folders[request.param], tmp_path / "copy")


def change_a_word(path, rng):
    """Changes one digit of one word of a file; lines that are comments stay."""
    lines = path.read_text().splitlines()
    number = rng.choice([at for at, line in enumerate(lines) if not line.startswith("//")])
    at = rng.randrange(len(lines[number]))
    digit = "1" if lines[number][at] == "0" else "0"
    lines[number] = lines[number][:at] + digit + lines[number][at + 1 :]
    path.write_text("\n".join(lines) + "\n")


def command_of(folder, program):
    """Commands of the README's line that begins with a program, as lists of words."""
    text = (folder / "README.md").read_text().replace("\\\n", "")
    (line,) = re.findall(rf"^    ({program} .*)$", text, re.MULTILINE)
    return [shlex.split(command) for command in line.split("&&")]


def test_the_testbench_passes_from_another_folder(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run_icarus(folder, elsewhere, rom=f"{folder}/rom/") == PASSED


def test_the_commands_of_the_readme_pass(folder):
    compiled, run = command_of(folder, "iverilog")
    run_alone(compiled, folder)
    assert run_alone(run, folder) == PASSED


def test_verilator_runs_the_testbench(folders, tmp_path):
    folder = shutil.copytree(folders["filled"], tmp_path / "copy")
    compiled, run = command_of(folder, "verilator")
    environment = os.environ | simulator()
    program = shutil.which(compiled[0], path=environment["PATH"])
    for command in ([program, *compiled[1:]], run):
        finished = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
        )
        assert finished.returncode == 0, finished.stderr
    assert PASSED in finished.stdout.splitlines()


def test_every_changed_or_missing_file_is_seen(folder, tmp_path):
    rng = random.Random(1)
    kept = shutil.copytree(folder, tmp_path / "kept")
    paths = [*(kept / "rom").glob("*.hex"), *(kept / "vectors").glob("*.hex")]
    for number, path in enumerate(sorted(paths)):
        case = shutil.copytree(kept, tmp_path / f"{number}")
        target = case / path.relative_to(kept)
        change_a_word(target, rng)
        said = run_icarus(case, case)
        assert said.startswith("FAIL"), f"{target}: {said}"
        target.unlink()
        said = run_icarus(case, case)
        assert said.startswith("FAIL"), f"{target}: {said}"
        assert said.endswith(f"{target.name} must exist")


def test_vectors_are_the_pictures_and_what_golden_makes_of_them(tmp_path):
    model = small()
    pictures = random_images(5, 3, model.image_shape)
    plan = compile_model(model, columns=1, lanes=3, spike_code=SpikeCode.BIT_SERIAL)
    build(plan, tmp_path, vectors=Vectors(pictures, "random ones of seed 5"))
    described = json.loads((tmp_path / "vectors" / "vectors.json").read_text())
    beats = (tmp_path / "vectors" / "beats.hex").read_text().split()
    logits = (tmp_path / "vectors" / "logits.hex").read_text().split()
    expected = golden.run(model, pictures).logits
    assert [int(beat, 16) for beat in beats] == pictures.ravel().tolist()
    assert [int.from_bytes(bytes.fromhex(x), signed=True) for x in logits] == [*expected.flat]
    assert described["logits"] == expected.tolist()
    assert described["source"] == "random ones of seed 5"


def test_colours_are_in_the_bytes_that_the_readme_names(tmp_path):
    model = golden.load("tests/data/cifar10-nano.safetensors")
    pictures = random_images(5, 3, model.image_shape)
    plan = compile_model(model, columns=1, lanes=16, spike_code=SpikeCode.BIT_SERIAL)
    build(plan, tmp_path, vectors=Vectors(pictures[2:], "one"))
    first = int((tmp_path / "vectors" / "beats.hex").read_text().split()[0], 16)
    red, green, blue = pictures[2, 0, 0].tolist()
    assert (
        "red in bits 7 to 0, green in 15 to 8, blue in 23 to 16"
        in (tmp_path / "README.md").read_text()
    )
    assert first == red | green << 8 | blue << 16


def test_the_readme_names_every_port_status_and_file(folder):
    text = (folder / "README.md").read_text()
    description = json.loads((folder / "accelerator.json").read_text())
    for port in description["ports"]:
        assert f"| `{port['name']}` | {port['direction']} | {port['width']} |" in text
    for status in range(9):
        assert f" {status} " in text
    assert "$" not in text.replace("$readmemh", "")
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "README.md":
            assert f"`{path.parent.name}/" in text or f"`{path.name}`" in text, path


@pytest.mark.parametrize("target", ["sim", "lint"])
def test_fusesoc_runs_the_targets(folders, tmp_path, target):
    shutil.copytree(folders["filled"], tmp_path / "core")
    environment = os.environ | simulator()
    if target == "sim" and not shutil.which("iverilog"):
        pytest.skip("iverilog was not found: install it with `apt-get install iverilog`")
    command = [sys.executable, "-m", "fusesoc.main", "--cores-root", ".", "run", "--target", target]
    finished = subprocess.run(
        [*command, "addend:generated:accelerator"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    said = finished.stdout + finished.stderr
    assert finished.returncode == 0, said
    assert target != "sim" or PASSED in said.splitlines()
