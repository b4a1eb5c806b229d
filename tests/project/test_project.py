"""What the project promises about itself: pinned versions, targets, prerequisites, one command."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from addend import __main__ as addend


#: What torch's build for GPUs installs, in versions of its own choice.
CUDA = re.compile(r"(nvidia|cuda|triton)\b")
#: What the extra ``all`` installs together.
EXTRAS = ("train", "fpga", "sim", "explore", "onnx", "test")


@pytest.fixture(scope="session")
def declared(project_root):
    return tomllib.loads((project_root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="session")
def pins(project_root):
    lines = (project_root / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def closure(requirements):
    """Names of all distributions that a list of requirements installs here."""
    found, pending = set(), [Requirement(text) for text in requirements]
    while pending:
        requirement = pending.pop()
        extras = requirement.extras or {""}
        if requirement.marker and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras
        ):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found and not CUDA.match(name):
            found.add(name)
            pending += map(Requirement, importlib.metadata.requires(name) or [])
    return found


def requirements(declared, *extras):
    return declared["dependencies"] + [
        text for extra in extras for text in declared["optional-dependencies"][extra]
    ]


@pytest.mark.pinned
def test_everything_that_is_installed_is_pinned_and_nothing_else(declared, pins):
    assert closure(requirements(declared, *EXTRAS)) == set(pins)


@pytest.mark.pinned
def test_the_pins_are_what_runs_here(pins):
    installed = {name: importlib.metadata.version(name).split("+")[0] for name in pins}
    assert installed == pins


def test_golden_and_hw_install_without_torch(declared):
    assert closure(requirements(declared)).isdisjoint({"torch", "scikit-learn", "cocotb"})
    assert closure(requirements(declared, "fpga", "sim")).isdisjoint({"torch"})


def test_every_dependency_says_why(project_root):
    text = (project_root / "pyproject.toml").read_text()
    listed = re.search(r"^dependencies = .*?^all = ", text, re.DOTALL | re.MULTILINE).group()
    entries = [line for line in listed.splitlines() if re.match(r'\s+"[\w-]+[=<>~,.*\d]*"', line)]
    assert len(entries) == len(requirements(tomllib.loads(text)["project"], *EXTRAS))
    assert [line for line in entries if "#" not in line] == []


def test_help_names_every_target(project_root):
    text = (project_root / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE).group(1).split()
    shown = subprocess.run(
        ["make", "help"], cwd=project_root, capture_output=True, text=True, check=True
    ).stdout
    assert {*targets} >= {"demo", "test", "sim", "lint", "accuracy", "clean"}
    assert [target for target in targets if f"make {target} " not in shown] == []


def prerequisites(root, path, python=sys.executable):
    """Run the check with nothing but ``path`` to find programs in."""
    return subprocess.run(
        ["/bin/sh", "scripts/prerequisites.sh", python],
        cwd=root,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def programs(tmp_path):
    """Folder that holds just the programs which the set-up needs."""
    for name in ("make", "g++", "perl"):
        (tmp_path / name).symlink_to(shutil.which(name))
    return tmp_path


def test_a_machine_with_everything_passes(project_root, programs):
    finished = prerequisites(project_root, programs)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("name", [*(f"a{odd}b" for odd in '$:;,"`\\\n'), "a b'c#é(d)"])
def test_a_folder_whose_name_would_be_taken_apart_is_refused(project_root, programs, name):
    (programs / name).mkdir()
    finished = subprocess.run(
        ["/bin/sh", project_root / "scripts" / "prerequisites.sh", sys.executable],
        cwd=programs / name,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
    )
    if name == "a b'c#é(d)":
        assert (finished.returncode, finished.stderr) == (0, "")
        return
    assert finished.returncode == 1
    assert finished.stderr == (
        'addend: the name of this folder must have none of $ : ; , " ` \\ and no line break in it: '
        f"move {programs / name} elsewhere\n"
    )


@pytest.mark.parametrize("program", ["make", "g++", "perl"])
def test_a_missing_program_is_named_with_the_command(project_root, programs, program):
    (programs / program).unlink()
    finished = prerequisites(project_root, programs)
    assert finished.returncode == 1
    assert finished.stderr.endswith(f"  apt-get install {program}\n")


def test_perl_without_its_modules_is_missing(project_root, programs):
    (programs / "perl").unlink()
    (programs / "perl").write_text("#!/bin/sh\nexit 2\n")
    (programs / "perl").chmod(0o755)
    assert "apt-get install perl\n" in prerequisites(project_root, programs).stderr


@pytest.mark.parametrize(
    ("lines", "package"),
    [
        ('case "$*" in *ensurepip*) exit 1;; esac', "python3-venv"),
        ('[ "$1" != - ] || exit 1', "libpython3.11"),
    ],
)
def test_a_python_without_a_part_of_it_is_named(project_root, programs, lines, package):
    """Debian's Python comes without venv and without its shared library."""
    python = programs / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *"%d.%d"*) echo 3.11; exit;; esac\n{lines}\nexit 0\n'
    )
    python.chmod(0o755)
    finished = prerequisites(project_root, programs, python)
    assert finished.returncode == 1
    assert finished.stderr.endswith(f"  apt-get install {package}\n")


def test_no_python_is_missing_too(project_root, programs):
    finished = prerequisites(project_root, programs, "no-such-python")
    assert "no-such-python (Python 3.11 or newer)" in finished.stderr


def test_the_license_is_the_one_declared(project_root, declared):
    text = (project_root / "LICENSE").read_text()
    assert declared["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_citation_is_of_the_version_declared(project_root, declared):
    text = (project_root / "CITATION.cff").read_text()
    assert f"\nversion: {declared['version']}\n" in text
    assert f"\nlicense: {declared['license']}\n" in text


def test_the_console_script_refuses_an_unknown_command(capsys):
    assert addend.run(["fly"]) == 2
    assert capsys.readouterr().err == (
        "addend: command must be one of train, check, convert, run, evaluate, build, sim, board, "
        "host, explore, demo, not 'fly'\n"
    )


def test_the_console_script_without_a_command_shows_its_use(capsys):
    assert addend.run([]) == 2
    assert "addend COMMAND --help" in capsys.readouterr().out


@pytest.mark.parametrize("command", sorted(addend.COMMANDS))
def test_every_command_of_the_console_script_has_help(project_root, tmp_path, command):
    """Started elsewhere, beside a folder that is called as one of the packages."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "__init__.py").write_text("raise SystemExit('the wrong train')\n")
    finished = subprocess.run(
        [sys.executable, project_root / "addend", command, "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith(f"usage: addend {command} ")
