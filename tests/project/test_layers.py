"""Imports point one way, files are short, and only few places know operators by their class."""

import ast
import graphlib
import subprocess
import sys

import pytest

from golden.ops import EPILOGUES, OPERATORS


PACKAGES = ("golden", "train", "hw", "sim", "tests")
ALLOWED = {
    "golden": {"golden"},
    "train": {"golden", "train"},
    "hw": {"golden", "hw"},
    "sim": {"golden", "hw", "sim"},
    "tests": set(PACKAGES) | {"addend"},
}
#: Rooms of each package, and the other rooms of it that one may import. Files that lie in no room
#: are commands, which may import all, and in golden what the rooms stand on.
ROOMS = {
    "golden": {
        "data": set(),
        "ops": set(),
        "model": {"data", "ops"},
        "analysis": {"model", "ops"},
        "cli": {"data", "model"},
    },
    "hw": {
        "isa": set(),
        "rtl": {"isa"},
        "compiler": {"isa"},
        "tools": set(),
        "fpga": {"tools"},
        "asic": {"tools", "emit"},
        "emit": {"isa", "rtl", "tools"},
        "estimate": {"isa", "rtl", "compiler"},
        "link": {"isa", "rtl"},
        "boards": {"isa", "rtl", "link", "fpga", "emit"},
        "driver": {"isa"},
        "baseline": {"rtl"},
        "exploration": {"isa", "compiler", "estimate", "fpga", "tools"},
        "reporting": {"isa", "estimate", "baseline"},
        "cli": {"isa", "emit", "tools", "fpga", "asic", "boards", "reporting"},
    },
    "train": {
        "nn": set(),
        "graph": {"nn"},
        "spellings": {"nn", "graph"},
        "projection": {"graph"},
        "quant": {"graph", "projection"},
        "ops": {"nn", "graph", "projection", "quant"},
        "layering": {"graph", "projection", "ops"},
        "interpret": {"nn", "graph", "projection", "quant", "ops"},
        "qonnx": {"graph", "quant"},
        "families": {"nn"},
        "network": {"nn", "families", "interpret", "ops", "quant"},
        "data": {"nn", "network"},
        "run": {"network", "families", "interpret", "data", "quant"},
        "export": {"network", "interpret", "ops", "run"},
        "sources": {"families", "run", "qonnx"},
        "cli": {"families", "network", "data", "run", "export"},
    },
}
#: What rooms of golden and train may import that lies in no room.
GROUND = {
    "axis",
    "errors",
    "exact",
    "fields",
    "hints",
    "interval",
    "ladders",
    "leak",
    "membrane",
    "names",
    "neuron",
    "spike",
    "tensor_info",
    "trace",
    "normalise",
}
#: What an installation without the extra train lacks, by import name. Scikit-learn, too, may be
#: missing, but golden reads its digits where it is there.
TRAINING = {"torch", "msgspec", "rich"}
#: Most lines of a Python file, and of a component's ``elaborate``.
MOST_LINES, MOST_OF_ELABORATE = 300, 80
#: Who may ask of which class an operator or an epilogue is: its own folder, the layouts, one for
#: each class, and what exports. All others know them by their fields and methods. The model file
#: asks for one class, since its version follows from it.
KNOWING = ("golden/ops/", "golden/model/file.py", "hw/compiler/layouts/", "train/export/", "tests/")


def imported_packages(source):
    """Top-level names of every import in a source text, also of those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names


def imported_modules(path, root):
    """Dotted names of what a module imports; ``from package import module`` has both parts."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = path.relative_to(root).parent.parts
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def sources(root, package):
    return sorted((root / package).rglob("*.py"))


def asked_classes(source):
    """Names of classes that a source text asks for: in ``isinstance`` and in cases of a match.

    What is matched is ``layer`` whatever its cases are.
    """
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name("isinstance"), args=[_, kinds]):
                names |= {
                    getattr(kind, "id", None) or getattr(kind, "attr", None)
                    for kind in ast.walk(kinds)
                }
            case ast.MatchClass(cls=kind):
                names.add(getattr(kind, "id", None) or getattr(kind, "attr", None))
            case ast.Match(subject=ast.Name("layer")):
                names.add("layer")
    return names - {None}


def test_imports_are_found_wherever_they_stand():
    source = "import torch.nn as nn\ndef f():\n    from hw.isa import Core\n    from . import x\n"
    assert imported_packages(source) == {"torch", "hw"}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(project_root, package):
    wrong = {
        f"{path.relative_to(project_root)} imports {name}"
        for path in sources(project_root, package)
        for name in imported_packages(path.read_text())
        if name in (*PACKAGES, "addend") and name not in ALLOWED[package]
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("package", "room"), [(package, room) for package, rooms in ROOMS.items() for room in rooms]
)
def test_rooms_are_imported_one_way(project_root, package, room):
    allowed = ROOMS[package][room] | {room} | GROUND
    wrong = {
        f"{path.relative_to(project_root)} imports {name}"
        for path in sources(project_root / package, room)
        for name in imported_modules(path, project_root)
        if name.split(".")[0] == package
        and len(name.split(".")) > 2
        and name.split(".")[1] not in allowed
    }
    assert wrong == set()


def test_every_room_is_known(project_root):
    for package, rooms in ROOMS.items():
        found = {
            path.name for path in (project_root / package).iterdir() if list(path.glob("*.py"))
        }
        assert found == set(rooms)


def test_nothing_beside_the_tests_hides_a_module_of_python(project_root):
    """Pytest puts ``tests`` in front of all paths, and a simulator's Python inherits them."""
    beside = {path.stem for path in (project_root / "tests").iterdir()}
    assert beside & set(sys.stdlib_module_names) == set()


def test_no_rooms_import_each_other_in_a_circle():
    for rooms in ROOMS.values():
        graphlib.TopologicalSorter(rooms).prepare()


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short(project_root, package):
    lengths = {
        path.relative_to(project_root).as_posix(): len(path.read_text().splitlines())
        for path in sources(project_root, package)
    }
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_components_are_built_in_small_steps(project_root, package):
    found = {
        f"{path.relative_to(project_root)}:{node.lineno}": node.end_lineno - node.lineno + 1
        for path in (project_root / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == "elaborate"
    }
    assert {place: lines for place, lines in found.items() if lines > MOST_OF_ELABORATE} == {}


def test_classes_are_found_wherever_they_are_asked_for():
    source = (
        "def f(layer, epilogue):\n"
        "    if isinstance(epilogue, (Fire, golden.Write)):\n        return 1\n"
        "    match layer:\n        case ops.Conv(groups=1):\n            return 2\n"
    )
    assert asked_classes(source) == {"Fire", "golden", "Write", "layer", "Conv"}


@pytest.mark.parametrize("package", PACKAGES)
def test_operators_are_known_by_their_methods(project_root, package):
    classes = {cls.__name__ for cls in (*OPERATORS.values(), *EPILOGUES.values())} | {"layer"}
    wrong = {
        f"{name} asks for {asked}"
        for path in sources(project_root, package)
        if not (name := path.relative_to(project_root).as_posix()).startswith(KNOWING)
        for asked in asked_classes(path.read_text()) & classes
    }
    assert wrong == set()


@pytest.mark.parametrize("package", ["golden", "hw", "sim"])
def test_training_libraries_are_imported_by_train_alone(project_root, package):
    wrong = {
        f"{path.relative_to(project_root)} imports {name}"
        for path in sources(project_root, package)
        for name in imported_packages(path.read_text()) & TRAINING
    }
    assert wrong == set()


@pytest.mark.parametrize("package", ["golden", "hw"])
def test_every_module_imports_where_torch_is_missing(project_root, package):
    """What is needed indirectly counts too, so each module is really imported."""
    modules = [
        ".".join(path.relative_to(project_root).with_suffix("").parts).removesuffix(".__init__")
        for path in sources(project_root, package)
        if path.name != "__main__.py"
    ]
    program = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(TRAINING | {'sklearn', 'train'})!r}))\n"
        f"for module in {modules!r}: importlib.import_module(module)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr


def test_the_console_script_starts_where_nothing_is_installed(project_root):
    """Help needs the standard library alone: ``-S`` hides every installed package."""
    finished = subprocess.run(
        [sys.executable, "-S", "addend", "--help"],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 0
    assert "addend COMMAND" in finished.stdout
