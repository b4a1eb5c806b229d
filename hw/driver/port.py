"""A serial port, with which one process at a time speaks."""

import contextlib
import errno
import fcntl
import os
import select
import termios
import time
from pathlib import Path


__all__ = ["BoardError", "Port", "PortLostError"]


class BoardError(RuntimeError):
    """A board or its port failed; the message is one sentence for the user."""


class PortLostError(BoardError):
    """The port is no longer there, as when a cable was pulled."""


class Port:
    """A serial port of 8 data bits, without parity, with a stop bit.

    Parameters
    ----------
    path : str or Path
        Device, such as ``/dev/ttyUSB0``.
    baud : int

    Raises
    ------
    PortLostError
        If there is no such port, or it cannot be opened now.
    BoardError
        If another process has it, it may not be used, or it is no serial port.
    """

    def __init__(self, path, baud):
        self.path = Path(path)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            raise BoardError(
                f"Port {self.path} must be one that you may read and write: join the group that "
                f"it belongs to"
            ) from None
        except OSError as error:
            raise PortLostError(f"Port {self.path} cannot be opened: {error.strerror}") from None
        try:
            self._claim()
            self._set(baud)
        except BaseException:
            os.close(self._file)
            raise

    def close(self):
        """Gives the port back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def clear(self):
        """Forgets what came and was not read."""
        with self._lost():
            termios.tcflush(self._file, termios.TCIFLUSH)

    def write(self, content, *, until):
        """Sends bytes.

        Parameters
        ----------
        content : bytes
        until : float
            Time of ``time.monotonic`` at which to give up.

        Returns
        -------
        bool
            Whether all were taken in time.

        Raises
        ------
        PortLostError
        """
        left = memoryview(content)
        while left:
            if not self._wait(select.POLLOUT, until):
                return False
            with self._lost(), contextlib.suppress(BlockingIOError):
                left = left[os.write(self._file, left) :]
        return True

    def read(self, *, until):
        """Bytes that have come, once there are some.

        Parameters
        ----------
        until : float
            Time of ``time.monotonic`` at which to give up.

        Returns
        -------
        bytes
            None of them if none came in time.

        Raises
        ------
        PortLostError
        """
        while self._wait(select.POLLIN, until):
            with self._lost(), contextlib.suppress(BlockingIOError):
                if found := os.read(self._file, 4096):
                    return found
                # A terminal that was hung up reads as ended.
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        return b""

    def _claim(self):
        """Keeps others out, until the port is closed or this process ends."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BoardError(
                f"Port {self.path} is taken by another process, so wait for its end"
            ) from None

    def _set(self, baud):
        """Makes the terminal pass on bytes as they are, at a speed."""
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise BoardError(f"This system's serial ports must know {baud} baud, and do not")
        try:
            settings = termios.tcgetattr(self._file)
        except termios.error:
            raise BoardError(f"Port {self.path} must be a serial port, and is none") from None
        flags = termios.CS8 | termios.CREAD | termios.CLOCAL
        settings[:6] = [0, 0, flags, 0, speed, speed]
        settings[6][termios.VMIN], settings[6][termios.VTIME] = 1, 0
        try:
            termios.tcsetattr(self._file, termios.TCSANOW, settings)
        except termios.error as error:
            raise BoardError(
                f"Port {self.path} must take {baud} baud, and does not: {error.args[-1]}"
            ) from None

    def _wait(self, event, until):
        """Whether the port is ready for a read or a write in time; an error is for the call."""
        waits = select.poll()
        waits.register(self._file, event)
        left = max(0.0, until - time.monotonic())
        return bool(waits.poll(1000 * left))

    @contextlib.contextmanager
    def _lost(self):
        """Says in a sentence that the port has gone."""
        try:
            yield
        except BlockingIOError:
            raise
        except (OSError, termios.error) as error:
            raise PortLostError(f"Port {self.path} was lost: {error.args[-1]}") from None
