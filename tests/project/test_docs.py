"""The guide for checkpoints: every command in it runs, in order, on one of the tiny size."""

import os
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.plain import dyadic_state
from train.network.model import published


#: Commands of the page that leave files to later ones.
WRITERS = (0, 2)


def commands(text):
    """Indented command lines of a page, continued ones joined."""
    joined = re.sub(r" \\\n +", " ", text)
    return re.findall(r"^    ((?:python -m|make) .+)$", joined, re.MULTILINE)


@pytest.fixture(scope="module")
def place(project_root, tmp_path_factory):
    """A folder with what a user has: a checkpoint of the published tiny size, and two pictures."""
    folder = tmp_path_factory.mktemp("docs")
    torch.save({"model": dyadic_state(published("T"), 2)}, folder / "t.pth")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(2):
        small = rng.integers(0, 256, (12, 15, 3), np.uint8)
        Image.fromarray(small).resize((300, 240)).save(folder / "images" / f"{number}.jpg")
    lines = commands((project_root / "docs" / "checkpoints.md").read_text())
    return SimpleNamespace(folder=folder, lines=lines, printed={})


def run(place, number, root):
    """Runs a command of the page in the folder, behind those it needs; what it printed."""
    for earlier in WRITERS:
        if earlier < number and earlier not in place.printed:
            run(place, earlier, root)
    command = place.lines[number]
    words = shlex.split(command)
    assert words[:2] == ["python", "-m"], command
    done = subprocess.run([sys.executable, *words[1:]], cwd=place.folder, capture_output=True,
                          text=True, env=os.environ | {"PYTHONPATH": str(root)})
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    place.printed[number] = done.stdout
    return done.stdout


def test_the_page_has_the_commands_that_are_run(place):
    modules = [shlex.split(line)[2] for line in place.lines]
    assert modules == ["train", "hw.build", "hw.build", "sim.verify", "hw.load"]


@pytest.mark.parametrize(("number", "printed"), [
    (0, "115 layers"),
    (1, r"block RAMs, \d+ more than the 208 there are"),
    (2, "Verilog and memory images are in build/t/accelerator"),
    pytest.param(3, r"1 images, 152 tensors, \d+ values compared: 0 mismatches",
                 marks=[pytest.mark.sim, pytest.mark.full]),
    (4, r"\d+ bytes are in build/t/external.bin"),
])
def test_every_command_of_the_page_runs(place, project_root, number, printed):
    assert re.search(printed, run(place, number, project_root))
