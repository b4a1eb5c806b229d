"""Documents: commands are those that programs take, and what they name is there.

Those of the guide for checkpoints run, in order, on a checkpoint of the tiny size.
"""

import os
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image

from addend import __main__ as addend
from tests.commands import COMMANDS, HELPERS, parsers, top_parser
from tests.documents import DOCUMENTS, anchors, commands, links, spans, tables
from tests.plain import dyadic_state
from tests.project.console import module_arguments
from tests.project.test_layers import ROOMS
from train.families.e_spikeformer import published


#: Commands of the page that leave files to later ones.
WRITERS = (0, 2)

#: Packages, whose files documents name by their path.
FOLDERS = ("golden", "train", "hw", "sim", "tests", "docs", "scripts")


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
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=place.folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    place.printed[number] = done.stdout
    return done.stdout


def test_the_page_has_the_commands_that_are_run(place):
    modules = [shlex.split(line)[2] for line in place.lines]
    assert modules == ["train", "hw.build", "hw.build", "sim.verify", "hw.load"]


@pytest.mark.parametrize(
    ("number", "printed"),
    [
        (0, "115 layers"),
        (1, r"block RAMs, \d+ more than the 208 there are"),
        (2, "Verilog and memory images are in build/t/accelerator"),
        pytest.param(
            3,
            r"1 images, 152 tensors, \d+ values compared: 0 mismatches",
            marks=[pytest.mark.sim, pytest.mark.full],
        ),
        (4, r"\d+ bytes are in build/t/external.bin"),
    ],
)
def test_every_command_of_the_page_runs(place, project_root, number, printed):
    assert re.search(printed, run(place, number, project_root))


@pytest.fixture
def top_parsers(monkeypatch):
    """The parser of each ``python -m MODULE``."""
    return {
        module.removesuffix(".__main__"): top_parser(module, monkeypatch)
        for module in (*COMMANDS, *HELPERS)
    }


@pytest.fixture
def known_options(monkeypatch):
    """Options of all commands."""
    return {
        option
        for module in (*COMMANDS, *HELPERS)
        for parser in (*parsers(module, monkeypatch).values(), top_parser(module, monkeypatch))
        for action in parser._actions
        for option in action.option_strings
    }


@pytest.fixture(scope="module")
def targets(project_root):
    """Targets of the Makefile."""
    text = (project_root / "Makefile").read_text()
    return set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE).group(1).split())


@pytest.fixture(scope="module")
def variables(project_root):
    """Variables that the Makefile takes."""
    text = (project_root / "Makefile").read_text()
    return set(re.findall(r"^(?:export )?(\w+) \?=", text, re.MULTILINE))


def accepted(parser, arguments):
    """Whether a parser takes arguments."""
    try:
        parser.parse_args(arguments)
    except SystemExit:
        return False
    return True


def test_every_page_is_a_known_document(project_root):
    pages = {path.relative_to(project_root).as_posix() for path in project_root.glob("docs/*.md")}
    assert pages == {name for name in DOCUMENTS if name.startswith("docs/")}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_is_taken(project_root, name, top_parsers, targets, variables):
    wrong = []
    for line in commands((project_root / name).read_text()):
        words = shlex.split(line)
        if words[0] == "make":
            assigned = {word.partition("=")[0] for word in words if "=" in word}
            named = {word for word in words[1:] if "=" not in word}
            fine = assigned <= variables and named <= targets
        else:
            module, arguments = module_arguments(words)
            fine = accepted(top_parsers[module], arguments)
        wrong += [] if fine else [line]
    assert wrong == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_and_options_in_the_text_exist(
    project_root, name, top_parsers, known_options, targets
):
    wrong = []
    for span in spans((project_root / name).read_text()):
        first, *rest = span.split()
        match first:
            case "make":
                fine = {word for word in rest if re.fullmatch(r"[a-z-]+", word)} <= targets
            case "python" if rest[:1] == ["-m"]:
                fine = rest[1] in top_parsers
            case "addend":
                fine = not rest or rest[0] in addend.COMMANDS or rest[0].startswith("--")
            case _:
                fine = True
        if first in ("make", "python", "addend") or first.startswith("--"):
            options = {word.partition("=")[0] for word in span.split() if word.startswith("--")}
            fine = fine and options <= known_options | {"--version", "--help"}
        wrong += [] if fine else [span]
    assert wrong == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_documents_name_are_there(project_root, name):
    paths = [
        span
        for span in spans((project_root / name).read_text())
        if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*", span) and "CLASS" not in span
    ]
    assert [path for path in paths if not (project_root / path).exists()] == []


@pytest.mark.parametrize("name", [*DOCUMENTS, "CHANGELOG.md", "tests/data/README.md"])
def test_links_lead_somewhere(project_root, name):
    page, wrong = project_root / name, []
    for link in links(page.read_text()):
        if re.match("https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_rows_of_a_table_have_as_many_cells_as_its_head(project_root, name):
    for head, rule, *rows in tables((project_root / name).read_text()):
        assert set("".join(rule)) <= set("-: "), head
        assert [row for row in [rule, *rows] if len(row) != len(head)] == []


def test_the_table_of_rooms_is_that_of_the_rules(project_root):
    text = (project_root / "docs" / "architecture.md").read_text()
    (found,) = [rows for rows in tables(text) if rows[0][0] == "room"]
    written = {
        room.strip("`"): set(re.findall(r"`(\w+)`", imports)) for room, _, imports in found[2:]
    }
    assert written == {
        f"{package}/{room}": allowed
        for package, rooms in ROOMS.items()
        for room, allowed in rooms.items()
    }


def test_every_component_is_in_the_table_of_files(project_root):
    text = (project_root / "docs" / "architecture.md").read_text()
    found = {
        path.relative_to(project_root).as_posix()
        for path in (project_root / "hw" / "rtl").iterdir()
        if path.suffix in (".py", ".v")
    }
    assert found - {"hw/rtl/__init__.py"} <= set(spans(text))


def test_the_picture_of_the_readme_is_plain_svg(project_root):
    text = (project_root / "docs" / "additions.svg").read_text()
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"<script|<foreignObject|href=", text)
