"""Commands print on any terminal, stop when their reader leaves, and say which extra is missing."""

import argparse
import inspect
import os
import re
import subprocess
import sys

import pytest

from addend import __main__ as addend
from golden.cli.entry import BROKEN_PIPE
from tests.commands import COMMANDS, HELPERS


MODEL = "tests/data/digits.safetensors"
#: Whether argparse takes no notice of what becomes of its help: 3.11.2 does, later releases do not.
ARGPARSE_IS_DEAF = "OSError" in inspect.getsource(argparse.ArgumentParser._print_message)
#: Prints, as a command does, on both streams, and ends with status 7.
PRINTS = """
import sys
from golden.cli.entry import enter
def main():
    print("2 × 3 µJ → é")
    print("≥ 1 – ok", file=sys.stderr)
    return 7
sys.exit(enter(main, prog="test"))
"""
#: A command whose module is not there.
LACKS = """
import sys
from golden.cli.entry import enter
sys.modules["{name}"] = None
def main():
    import {name}
sys.exit(enter(main, prog="test"))
"""


def started(root, *arguments, **options):
    """Run a Python program in the project's folder, with variables beside those of the tests."""
    changes = options.pop("env", {})
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        timeout=120,
        check=False,
        env=os.environ | changes,
        **({"capture_output": True} | options),
    )


@pytest.mark.parametrize(
    ("variables", "out", "err"),
    [
        ({"PYTHONIOENCODING": "ascii"}, rb"2 x 3 uJ -> \xe9", b">= 1 - ok"),
        ({"PYTHONIOENCODING": "latin-1"}, "2 × 3 µJ -> é".encode("latin-1"), b">= 1 - ok"),
        ({"PYTHONIOENCODING": "utf-8"}, "2 × 3 µJ → é".encode(), "≥ 1 – ok".encode()),
        (
            {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            rb"2 x 3 uJ -> \xe9",
            b">= 1 - ok",
        ),
    ],
)
def test_characters_that_cannot_be_written_are_spelled(project_root, tmp_path, variables, out, err):
    program = tmp_path / "program.py"
    program.write_text(PRINTS, encoding="utf-8")
    done = started(project_root, str(program), env={"PYTHONPATH": str(project_root)} | variables)
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (7, out, err)


def test_a_report_prints_in_ascii(project_root, tmp_path, torch):
    done = started(
        project_root,
        "-m",
        "train",
        "report",
        MODEL,
        "--images",
        "1",
        "--out",
        str(tmp_path),
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b" uJ" in done.stdout
    assert "µJ" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "hw.build", "--dry-run", "--model", MODEL],
        ["-m", "hw.build", "--help"],
        ["-m", "addend", "build", "--dry-run", "--model", MODEL],
        ["-m", "addend", "--help"],
    ],
)
def test_a_reader_who_leaves_ends_a_command_silently(project_root, command):
    """As ``| head`` does, only that nobody is there from the beginning."""
    reads, writes = os.pipe()
    os.close(reads)
    done = started(
        project_root, *command, capture_output=False, stdout=writes, stderr=subprocess.PIPE
    )
    os.close(writes)
    unnoticed = ARGPARSE_IS_DEAF and command == ["-m", "hw.build", "--help"]
    assert done.returncode == (0 if unnoticed else BROKEN_PIPE)
    assert done.stderr == b""


@pytest.mark.parametrize(
    "command", [["-m", "hw.build", "--dry-run", "--model", MODEL], ["-m", "addend", "--version"]]
)
def test_a_full_disk_is_one_sentence(project_root, command):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = started(
            project_root, *command, capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr.endswith(b": standard output: No space left on device.\n")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_swallows_what_is_printed(project_root, closed):
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {closed}>&-', sys.executable, PRINTS],
        cwd=project_root,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 7
    assert b"Error" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "extra"),
    [("torch", "train"), ("sklearn", "train"), ("cocotb_tools", "sim"), ("optuna", "explore")],
)
def test_a_missing_module_is_named_with_the_extra_that_has_it(project_root, name, extra):
    done = started(project_root, "-c", LACKS.format(name=name), text=True)
    assert done.returncode == 2
    assert done.stderr == (
        f"test: {name} is not installed: it comes with `pip install 'addend[{extra}]'`.\n"
    )


def test_digits_without_scikit_learn_are_one_sentence(project_root):
    program = (
        "import sys; sys.modules['sklearn'] = None; from addend.__main__ import main; "
        f"sys.argv = ['addend', 'evaluate', '{MODEL}', 'digits']; sys.exit(main())"
    )
    done = started(project_root, "-c", program, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "addend: sklearn is not installed: it comes with `pip install 'addend[train]'`.\n"
    )


def test_every_module_that_is_started_enters_through_the_same_door(project_root):
    """What is promised of terminals, pipes and folders holds for all commands."""
    texts = {
        path.relative_to(project_root).with_suffix("").as_posix().replace("/", "."): path.read_text(
            encoding="utf-8"
        )
        for folder in ("addend", "golden", "train", "hw", "sim")
        for path in (project_root / folder).rglob("*.py")
    }
    # The console script finds its door by itself, since nothing may be installed.
    del texts["addend.__main__"]
    mains = {module for module, text in texts.items() if '__name__ == "__main__"' in text}
    assert mains == {name for name in (*COMMANDS, *HELPERS) if not name.startswith("tests.")}
    for module in mains:
        name = f"python -m {module.removesuffix('.__main__')}"
        assert texts[module].endswith(
            f'if __name__ == "__main__":\n    sys.exit(enter(main, prog="{name}"))\n'
        ), module


def test_the_version_is_that_of_the_project(project_root):
    written = re.search(
        r'^version = "(.*)"$', (project_root / "pyproject.toml").read_text(), re.MULTILINE
    ).group(1)
    assert started(project_root, "-m", "addend", "--version", text=True).stdout == (
        f"addend {written}\n"
    )
    assert "--version" in addend.usage()
