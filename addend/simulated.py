"""A simulated board that runs as long as whoever uses it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from golden.cli.entry import ROOT
from hw.driver.port import BoardError


__all__ = ["SIMULATED", "SimulatedBoard"]


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
            If it does not start; why, it has said on standard error.
        """
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sim.board", str(self.folder), "--with-parent"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        path = self._process.stdout.readline().strip()
        if not path:
            self.stop()
            raise BoardError(f"The simulated board of {self.folder} did not start")
        return path

    def stop(self) -> None:
        """End the simulator."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process.stdout.close()
            self._process = None
