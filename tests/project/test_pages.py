"""Every command of README and documents runs, in their order, where a user has what they name.

Those of the guide for checkpoints are in `test_docs.py`; targets of the Makefile run by themselves.
Recipes here have the names of the real ones and take a few seconds.
"""

import importlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile

import pytest
import torch
from PIL import Image

from golden.analysis.synthetic import random_images
from golden.data.digits import load_digits
from tests.documents import commands
from tests.plain import dyadic_state
from tests.project.console import module_arguments
from tests.training import run_config, to_toml
from train.families.e_spikeformer import published


#: Pages in an order in which each finds what those before it left.
PAGES = ("README.md", "docs/training.md", "docs/results.md", "docs/usage.md")
#: What takes minutes, or needs a core that does.
LONG = (
    "--target fpga",
    "--target asic",
    "addend sim",
    "addend host",
    "addend board",
    "addend explore",
    "hw.load",
    "hw.area",
    "hw.report",
    "sweep",
    "torchrun",
    "train convert",
    "cifar10-nano.safetensors",
)


def all_commands(root):
    """Each command of the pages once, targets of the Makefile aside."""
    found = [line for page in PAGES for line in commands((root / page).read_text())]
    return [line for line in dict.fromkeys(found) if not line.startswith("make ")]


def pack(path, pictures, per_class):
    """A zip with so many pictures of each of ten classes to train, and as many to test."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, picture in enumerate(pictures):
            part = ("train", "test")[number // (10 * per_class)]
            with archive.open(f"{part}/class{number % 10}/{number}.png", "w") as file:
                Image.fromarray(picture.squeeze()).save(file, "PNG")


@pytest.fixture(scope="module")
def place(project_root, tmp_path_factory):
    """A folder with what the commands name."""
    folder = tmp_path_factory.mktemp("pages")
    recipes = folder / "train" / "recipes"
    recipes.mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "tests" / "data").symlink_to(project_root / "tests" / "data")
    (recipes / "digits.toml").write_text(to_toml(run_config()))
    (folder / "my.toml").write_text(to_toml(run_config(data={"name": "images"}, batch=16)))
    (recipes / "cifar10-nano.toml").write_text(
        to_toml(
            run_config(
                data={"name": "images"}, batch=10, image=(32, 32, 3), strides=(2, 2, 2, 1, 1)
            )
        )
    )
    *_, digits, _ = load_digits()
    Image.fromarray(digits[0].squeeze()).save(folder / "image.png")
    pack(folder / "images.zip", digits[:160], 8)
    pack(folder / "cifar10.zip", random_images(1, 40, (32, 32, 3)), 2)
    torch.save({"model": dyadic_state(published("T"), 2)}, folder / "official.pth")
    shutil.copy(
        project_root / "tests" / "data" / "digits-tiny.safetensors", folder / "other.safetensors"
    )
    return folder


def run(place, root, line):
    """Runs a command in the folder; where it names a serial port, with a simulated board there."""
    words = shlex.split(line.replace("/dev/ttyUSB0", "sim:build/board"))
    if words[0] == "torchrun":
        subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", *words[1:]],
            cwd=place,
            check=True,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        return
    if words[:2] == ["addend", "board"]:
        # It runs until Ctrl-C, once it has said where.
        with subprocess.Popen(
            [sys.executable, root / "addend", *words[1:]],
            cwd=place,
            stdout=subprocess.PIPE,
            text=True,
        ) as board:
            assert board.stdout.readline().startswith("/dev/"), line
            board.send_signal(signal.SIGINT)
            assert board.wait(60) == -signal.SIGINT, line
        return
    module, arguments = module_arguments(words)
    if importlib.util.find_spec(module).submodule_search_locations:
        module += ".__main__"
    assert not importlib.import_module(module).main(arguments), line


def test_no_command_is_left_out(project_root):
    lines = all_commands(project_root)
    assert {line.split()[0] for line in lines} == {"addend", "python", "torchrun"}
    assert all(any(word in line for line in lines) for word in LONG)


def test_commands_of_the_pages_run(place, project_root, monkeypatch):
    monkeypatch.chdir(place)
    for line in all_commands(project_root):
        if not any(word in line for word in LONG):
            run(place, project_root, line)


@pytest.mark.sim
@pytest.mark.full
def test_long_commands_of_the_pages_run(place, project_root, monkeypatch):
    monkeypatch.chdir(place)
    if not (place / "build" / "my" / "model.safetensors").exists():
        test_commands_of_the_pages_run(place, project_root, monkeypatch)
    other = place / "build" / "other"
    other.mkdir()
    shutil.copy(place / "build" / "my" / "model.safetensors", other)
    run(
        place,
        project_root,
        "python -m train fit --config train/recipes/cifar10-nano.toml "
        "--data cifar10.zip --epochs 1 1 --out build/cifar10/first",
    )
    for line in all_commands(project_root):
        if any(word in line for word in LONG):
            run(place, project_root, line)
