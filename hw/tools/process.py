"""Processes of external tools: what is said when one fails, and how one is ended."""

import re
import signal
import subprocess


__all__ = ["ToolError", "ToolTimeoutError", "last_error", "stop", "version_of"]


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


def last_error(log):
    """Return the line of a log that tells best why a tool failed."""
    lines = [line.strip() for line in log.read_text(errors="replace").split("\n") if line.strip()]
    # Tools close with a count of errors, which says nothing.
    errors = [line for line in lines if re.search(r"(?<!\d )\berror\b", line, re.IGNORECASE)]
    return (errors or lines or ["it printed nothing"])[-1]


def version_of(program):
    """Version that a tool prints, as a pair of integers; ``(0, 0)`` if it prints none."""
    finished = subprocess.run([program, "--version"], capture_output=True, text=True)
    said = finished.stdout + finished.stderr
    version = re.search(r"(?:Verilator |Yosys |Version |nextpnr-)(\d+)\.(\d+)", said)
    return tuple(map(int, version.groups())) if version else (0, 0)
