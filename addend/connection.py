"""The port of a board that is kept open, and opened again where it was lost or given up."""

import contextlib
import time
from pathlib import Path

from hw.boards.board import BAUD
from hw.driver.exchange import ask
from hw.driver.port import BoardError, Port, PortLostError
from hw.isa.frames import Reply, RequestType
from hw.isa.status import Status


__all__ = ["Connection"]


#: Seconds in which a port that was lost may come back.
PATIENCE = 5.0


class Connection:
    """Requests to a board that runs a core.

    A reply that comes late would be taken for that to the next request. So where one may still
    come, the port is given up. A board answers requests in their order, so what was late is over
    once the board has told its identity to whoever opens the port again.

    Parameters
    ----------
    path : str
        Serial port.
    folder : Path
        Build directory of the core.
    identity : bytes
        Of the core.
    """

    def __init__(self, path: str, folder: Path, identity: bytes) -> None:
        self.path, self.folder, self.identity = path, folder, identity
        self._port: Port | None = None
        self._closed = False

    def open(self, *, timeout: float) -> None:
        """Opens the port, and refuses a board that runs another core.

        Parameters
        ----------
        timeout : float
            Seconds to wait for a reply.

        Raises
        ------
        BoardError
        """
        self._drop()
        self._port = Port(self.path, BAUD)
        found = self._asked(RequestType.IDENTITY, b"", timeout)
        if found.status != Status.OK.value or found.payload != self.identity:
            self._drop()
            raise BoardError(
                f"The board at {self.path} runs core {found.payload.hex() or 'unknown'}, and "
                f"{self.folder} holds core {self.identity.hex()}: name the folder that its "
                "bitstream was built in"
            )

    def ask(self, kind: RequestType, content: bytes, *, timeout: float) -> Reply:
        """Reply to a request, also where the port is lost and comes back.

        Parameters
        ----------
        kind : RequestType
        content : bytes
        timeout : float
            Seconds to wait for the reply, each time.

        Returns
        -------
        Reply

        Raises
        ------
        BoardError
            If there is none, or this was closed.
        """
        if self._closed:
            raise BoardError(f"The board at {self.path} was closed: make a new Accelerator")
        if self._port is not None:
            with contextlib.suppress(PortLostError):
                return self._asked(kind, content, timeout)
        self._reopen(timeout)
        return self._asked(kind, content, timeout)

    def close(self) -> None:
        """Gives the port back for good."""
        self._closed = True
        self._drop()

    def _asked(self, kind, content, timeout):
        """Reply to a request through the port that is open."""
        begun = time.monotonic()
        try:
            reply = ask(self._port, kind, content, timeout=timeout)
        except BaseException:
            self._drop()
            raise
        if kind != RequestType.IDENTITY and time.monotonic() - begun >= timeout:
            # It was asked more than once, and may answer more than once.
            self._drop()
        return reply

    def _drop(self):
        """Closes the port; the next request opens it again."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _reopen(self, timeout):
        """Opens the port again once it is there."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.open(timeout=timeout)
            except PortLostError:
                if time.monotonic() > until:
                    raise
            time.sleep(0.1)
