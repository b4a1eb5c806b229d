"""The testbench of a build folder in Icarus Verilog."""

import shutil
import subprocess

import pytest


def run_icarus(folder, work, *, rom=None, sources=None):
    """Last line of the testbench of a build folder, compiled and run in another folder.

    It is compiled to ``tb.vvp``, which :func:`run_again` runs.

    Parameters
    ----------
    folder : Path
        Build folder.
    work : Path
        Folder to run in.
    rom : str, optional
        What ADDEND_ROM_DIR says; the default of the Verilog if not given.
    sources : sequence of str, optional
        Verilog of the core, in the build folder; what lies in ``rtl/`` if not given.
    """
    options = [] if rom is None else [f'-DADDEND_ROM_DIR="{rom}"']
    if sources is None:
        sources = sorted(path.relative_to(folder) for path in (folder / "rtl").glob("*.v"))
    sources = [str(folder / path) for path in (*sources, "tb/tb.v")]
    command = ["iverilog", "-g2005", "-Wimplicit", *options, "-I", str(folder / "tb"), "-s", "tb"]
    run_alone([*command, "-o", "tb.vvp", *sources], work)
    return run_again(work)


def run_again(work):
    """Last line of the testbench that was compiled in a folder."""
    return run_alone(["vvp", "-n", "tb.vvp"], work)


def run_alone(command, work):
    """Last line that a command prints which ends well.

    Nothing but ``iverilog`` and ``vvp`` is on PATH.
    """
    if not shutil.which("iverilog"):
        pytest.skip("iverilog was not found: install it with `apt-get install iverilog`")
    tools = work / "tools"
    if not tools.exists():
        tools.mkdir()
        for name in ("iverilog", "vvp"):
            (tools / name).symlink_to(shutil.which(name))
    finished = subprocess.run(
        [str(tools / command[0]), *command[1:]],
        cwd=work,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stderr
    assert "implicit" not in finished.stderr
    return (finished.stdout.splitlines() or [""])[-1]
