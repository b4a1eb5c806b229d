"""Processes of external tools: what is said when one fails, and how one is ended."""

import re
import signal
import subprocess
from pathlib import Path


__all__ = ["ToolError", "ToolTimeoutError", "last_error", "run_logged", "stop", "version_of"]


#: Lines with which tools close: a count of errors, and what make says of a command that failed.
_CLOSING = re.compile(r"make(\[\d+\])?: \*\*\*|%Error: (Exiting due to|Command Failed)")


class ToolError(RuntimeError):
    """A tool is missing, failed or took too long; the message is one sentence for the user."""


class ToolTimeoutError(ToolError):
    """A tool took longer than it may."""


def stop(process, grace=2.0):
    """End a process that may still be running: politely, so that it ends its own children.

    Parameters
    ----------
    process : subprocess.Popen
    grace : float
        Seconds between the interrupt and the kill.
    """
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_logged(command, *, folder, log, limit, name=None, environment=None, failure=None):
    """Run a tool to its end, which must be a good one.

    The tool is stopped when this function is left early, by Ctrl-C for example.

    Parameters
    ----------
    command : list of str
    folder : Path
        Working directory of the tool.
    log : Path
        File that takes everything the tool prints, relative to ``folder``.
    limit : float
        Time limit in seconds.
    name : str, optional
        What errors call the tool; without it, the file name of its program.
    environment : dict of str to str, optional
        Without it, that of this process.
    failure : str, optional
        Regular expression of a line that tells of a failure, whatever the status.

    Raises
    ------
    ToolError
        If the tool fails; :class:`ToolTimeoutError` if it exceeds the limit.
    """
    name = name or Path(command[0]).name
    path = Path(folder) / log
    with path.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise ToolTimeoutError(
                f"{name} must finish within {limit:g} s, and did not: see {path}"
            ) from None
        finally:
            stop(process)
    told = failure and re.search(failure, path.read_text(errors="replace"), re.MULTILINE)
    if status or told:
        raise ToolError(f"{name} failed with status {status}: {last_error(path)} (see {path})")


def last_error(log):
    """Return the line of a log that tells best why a tool failed."""
    lines = [line.strip() for line in log.read_text(errors="replace").split("\n") if line.strip()]
    errors = [line for line in lines if re.search(r"(?<!\d )\berror\b", line, re.IGNORECASE)]
    telling = [line for line in errors if not _CLOSING.match(line)]
    return (telling or errors or lines or ["it printed nothing"])[-1]


def version_of(program):
    """Version that a tool prints, as a pair of integers; ``(0, 0)`` if it prints none."""
    finished = subprocess.run([program, "--version"], capture_output=True, text=True)
    said = finished.stdout + finished.stderr
    version = re.search(r"(?:Verilator |Yosys |Version |nextpnr-)(\d+)\.(\d+)", said)
    return tuple(map(int, version.groups())) if version else (0, 0)
