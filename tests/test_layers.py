"""Imports point one way: golden <- train, and golden <- hw <- sim <- tests."""

import ast
import subprocess
import sys

import pytest


PACKAGES = ("golden", "train", "hw", "sim", "tests")
ALLOWED = {
    "golden": {"golden"},
    "train": {"golden", "train"},
    "hw": {"golden", "hw"},
    "sim": {"golden", "hw", "sim"},
    "tests": set(PACKAGES) | {"addend"},
}
#: What an installation without the extra train lacks, by import name. Scikit-learn, too, may be
#: missing, but golden reads its digits where it is there.
TRAINING = {"torch", "msgspec", "rich"}


def imported_packages(source):
    """Top-level names of every import in a source text, also of those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names


def sources(root, package):
    return sorted((root / package).rglob("*.py"))


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
        [sys.executable, "-c", program], cwd=project_root, capture_output=True, text=True,
        timeout=120)
    assert finished.returncode == 0, finished.stderr


def test_the_console_script_starts_where_nothing_is_installed(project_root):
    """Help needs the standard library alone: ``-S`` hides every installed package."""
    finished = subprocess.run(
        [sys.executable, "-S", "addend.py", "--help"], cwd=project_root, capture_output=True,
        text=True, timeout=60)
    assert finished.returncode == 0
    assert "addend COMMAND" in finished.stdout
