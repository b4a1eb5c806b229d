"""A core on a board, behind a serial port."""

from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import golden
from golden import IntegerModel
from hw.driver.chunks import chunks, payload
from hw.driver.port import BoardError
from hw.emit.build_directory import VERILOG, is_asic, read_description
from hw.emit.load_packets import closing_packet, packets
from hw.isa.core_config import CoreConfig
from hw.isa.frames import Reply, RequestType, describe_status
from hw.isa.identity import identity
from hw.isa.status import Status
from hw.load import lay_out

from .connection import Connection
from .simulated import SimulatedBoard


__all__ = ["Accelerator", "BoardError", "Counters", "Results"]


#: How often a load is begun before it counts as failed.
LOADS = 2
#: Layout of what stands behind the logits, and of the counters.
_CYCLES, _ADDITIONS, _PICTURES = slice(0, 4), slice(4, 12), slice(12, 16)


class Results(NamedTuple):
    """What a board made of pictures, one after the other."""

    logits: NDArray[np.int64]
    cycles: NDArray[np.int64]
    additions: NDArray[np.int64]


class Counters(NamedTuple):
    """Counters of a board: of the last picture, and pictures since reset."""

    cycles: int
    additions: int
    pictures: int


class Accelerator:
    """A board that runs a core.

    Parameters
    ----------
    port : str or Path
        Serial port; or ``sim:FOLDER`` for a simulated board, which runs as long as this object.
    folder : str or Path, optional
        Build directory of the core; that of the simulated board if not given.
    timeout : float
        Seconds to wait for a reply; a picture on a simulated board may take many.

    Raises
    ------
    BoardError
        If the port cannot be used, the board does not answer, or runs another core.
    ValueError
        If there is no build directory, or none of a core that a board takes: with its weights on
        chip, and memories of its own.

    Examples
    --------
    >>> board = Accelerator("/dev/ttyUSB0", "build/digits")  # doctest: +SKIP
    >>> board.run(pictures).logits.argmax(axis=1)  # doctest: +SKIP
    array([7, 2, 1])
    """

    def __init__(
        self, port: str | Path, folder: str | Path | None = None, *, timeout: float = 10.0
    ) -> None:
        self._simulated = SimulatedBoard.of(port)
        if folder is None:
            if self._simulated is None:
                raise ValueError(
                    f"A board at {port} needs the build directory of its core: pass --folder DIR"
                )
            folder = self._simulated.folder
        self.folder = Path(folder)
        self.timeout = timeout
        description = read_description(self.folder)
        self.config = CoreConfig.from_dict(description["config"])
        if self.config.external:
            raise ValueError(
                f"{self.folder} must hold a core with its weights on chip: no board has a memory "
                "controller"
            )
        if (self.folder / VERILOG).exists() and is_asic(self.folder):
            raise ValueError(
                f"{self.folder} must hold a core of --target fpga or sim, not of asic: a board "
                "takes one that has its memories inside"
            )
        #: Shape of a picture, and number of classes, of the model that the core was built from
        #: or that was loaded last.
        self.image_shape: tuple[int, ...] = tuple(description["image_shape"])
        self.classes: int = description["classes"]
        self._connection: Connection | None = None
        try:
            path = self._simulated.start() if self._simulated else str(port)
            self._connection = Connection(path, self.folder, identity(self.config))
            self._connection.open(timeout=timeout)
        except BaseException:
            self.close()
            raise

    def run(self, pictures: ArrayLike) -> Results:
        """Logits and counters of pictures.

        Parameters
        ----------
        pictures : uint8 array, shape (pictures, height, width, channels)

        Returns
        -------
        Results
            ``logits`` of shape (pictures, classes), ``cycles`` and ``additions`` of shape
            (pictures,).

        Raises
        ------
        BoardError
            If the board refuses a picture or does not answer.
        ValueError
            If pictures have another shape or type.
        """
        given = np.asarray(pictures)
        if given.dtype != np.uint8 or given.ndim != 4 or given.shape[1:] != self.image_shape:
            sides = ", ".join(map(str, self.image_shape))
            raise ValueError(
                f"Pictures must be uint8 of shape (pictures, {sides}), not {given.dtype} of "
                f"{given.shape}"
            )
        logits, counters = [], []
        for picture in given:
            reply = self._require(RequestType.PICTURE, picture.tobytes())
            if len(reply.payload) != 4 * self.classes + 12:
                raise BoardError(
                    f"The board's model has {(len(reply.payload) - 12) // 4} classes, not "
                    f"{self.classes}: name the loaded one with --model"
                )
            logits.append(np.frombuffer(reply.payload[:-12], "<i4"))
            counters.append((_number(reply.payload[-12:-8]), _number(reply.payload[-8:])))
        cycles, additions = np.array(counters, np.int64).reshape(-1, 2).T
        shape = (len(given), self.classes)
        return Results(np.array(logits, np.int64).reshape(shape), cycles, additions)

    def classify(self, pictures: ArrayLike) -> NDArray[np.int64]:
        """Class of each picture: that of its highest logit, the first of equal ones.

        Parameters and errors are those of ``run``.
        """
        return self.run(pictures).logits.argmax(axis=1)

    def load(self, model: IntegerModel | str | Path) -> None:
        """Makes the core run another model.

        Parameters
        ----------
        model : IntegerModel, str or Path
            Model, or its file.

        Raises
        ------
        BoardError
            If the board does not take it.
        ValueError
            If the core cannot hold it: which field is too small, and by how much.
        """
        model = model if isinstance(model, IntegerModel) else golden.load(model)
        plan = lay_out(model, self.config)
        *whole, _ = packets(plan, self.config)
        widths = [width for width, _ in self.config.memories.values()]
        parts = [
            part
            for packet, width in zip(whole, widths, strict=True)
            for part in chunks(packet, width)
        ]
        parts.append(closing_packet(parts, self.config))
        for _ in range(LOADS):
            status = self._load(parts)
            if status == Status.OK.value:
                self.expect(model)
                return
        raise BoardError(f"The board did not take the model: it {describe_status(status)}")

    def expect(self, model: IntegerModel) -> None:
        """Tells which model the core runs, where another process loaded it.

        Parameters
        ----------
        model : IntegerModel
        """
        self.image_shape, self.classes = tuple(model.image_shape), model.classes

    def counters(self) -> Counters:
        """Counters of the last picture, and pictures since reset."""
        found = self._require(RequestType.COUNTERS).payload
        return Counters(
            _number(found[_CYCLES]), _number(found[_ADDITIONS]), _number(found[_PICTURES])
        )

    def reset(self) -> None:
        """Resets the core.

        What it holds as a model stays, unless it was built with ``--no-readmemh``: such a core has
        no model behind a reset.
        """
        self._require(RequestType.RESET)

    def has_model(self) -> bool:
        """Whether the core holds a model: asked by a picture of one pixel.

        A model of larger pictures refuses it, which leaves the status ``PIXELS`` behind. One of
        1 x 1 pixels computes it, so the counters are of this picture then, and count it.
        """
        status = self._ask(RequestType.PICTURE, bytes(self.config.pixel_channels)).status
        return status != Status.MODEL.value

    def close(self) -> None:
        """Gives the port back, and ends a simulated board; there is no way back."""
        if self._connection is not None:
            self._connection.close()
        if self._simulated is not None:
            self._simulated.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _load(self, parts):
        """Status after all packets, or after one that was refused."""
        # What an interrupted load left behind is forgotten.
        self._require(RequestType.RESET)
        for part in parts:
            status = self._ask(RequestType.LOAD, payload(part)).status
            # There is no model before the last packet.
            if status not in (Status.OK.value, Status.MODEL.value):
                break
        return status

    def _require(self, kind, content=b""):
        """Reply to a request that must succeed."""
        reply = self._ask(kind, content)
        if reply.status != Status.OK.value:
            raise BoardError(
                f"The board at {self._connection.path} {describe_status(reply.status)}"
            )
        return reply

    def _ask(self, kind: RequestType, content: bytes = b"") -> Reply:
        """Reply to a request."""
        return self._connection.ask(kind, content, timeout=self.timeout)


def _number(content: bytes) -> int:
    return int.from_bytes(content, "little")
