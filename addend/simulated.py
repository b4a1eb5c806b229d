"""A simulated board that runs as long as whoever uses it."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from golden.cli.entry import ROOT
from hw.driver.port import BoardError


__all__ = ["SIMULATED", "SimulatedBoard"]


#: What the process is, and begins every sentence of its with.
_MODULE = "sim.board"
_PREFIX = f"python -m {_MODULE}: "

#: What the name of a simulated board's port begins with; its build directory follows.
SIMULATED = "sim:"


class SimulatedBoard:
    """A simulator of a board, in a process of its own.

    Parameters
    ----------
    folder : Path
        Build directory of the core.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = None

    @classmethod
    def of(cls, port: str | Path) -> Self | None:
        """Simulated board that a port's name asks for, if it asks for one.

        >>> SimulatedBoard.of("sim:build/digits").folder.as_posix()
        'build/digits'
        >>> SimulatedBoard.of("/dev/ttyUSB0")
        """
        name = str(port)
        return cls(Path(name.removeprefix(SIMULATED))) if name.startswith(SIMULATED) else None

    def start(self) -> str:
        """Start the simulator, which is built first unless it has been.

        Returns
        -------
        str
            Path of its terminal.

        Raises
        ------
        BoardError
            If it does not start: what it said.
        """
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        # A file takes what it says: nobody would empty a pipe once it runs.
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, str(self.folder), "--with-parent"],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                # Ctrl-C is for this process, which ends that one.
                start_new_session=True,
            )
            path = self._process.stdout.readline().strip()
            if path:
                return path
            self._process.wait()
            said.seek(0)
            sentences = [line for line in said if line.startswith(_PREFIX)]
        self.stop()
        if sentences:
            raise BoardError(sentences[-1].strip().removeprefix(_PREFIX).removesuffix("."))
        raise BoardError(f"The simulated board of {self.folder} did not start")

    def stop(self) -> None:
        """End the simulator, and what it has started."""
        if self._process is not None:
            # Unless it has ended, which Python knows once it waited.
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
            self._process.stdout.close()
            self._process = None
