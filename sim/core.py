"""A built core as a Python object: pictures in, logits and counters out, simulated at its ports.

>>> import addend
>>> core = addend.Core("build/digits")  # doctest: +SKIP
>>> logits, counters = core.run(pictures)  # doctest: +SKIP
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.data.reading import InputError, printable
from hw.emit.build_directory import (
    check_memory_images,
    check_verilog,
    read_description,
    read_verilog,
)
from hw.emit.verilog import TOP
from hw.isa.status import Status

from .contents import Contents
from .driver import Outcome, Request, drive, driver
from .runner import Design


__all__ = ["Core", "CoreError", "Counters", "described"]


#: A picture may take so many times the cycles that were predicted for a usual one, and some more.
PATIENCE, START = 64, 2**16


class CoreError(RuntimeError):
    """A simulated core had no logits for a picture; the message is one sentence that says why."""


class Counters(NamedTuple):
    """What a core's counters said after each picture.

    Parameters
    ----------
    cycles : int64 array, shape (pictures,)
        From the first pixel to the last logit.
    additions : int64 array, shape (pictures,)
    stalls : int64 array, shape (pictures,)
        Cycles of waiting for a tile of weights; 0 where they lie on chip.
    """

    cycles: NDArray[np.int64]
    additions: NDArray[np.int64]
    stalls: NDArray[np.int64]


class Core:
    """The accelerator of a build directory, simulated by Verilator at its ports.

    The first one of a core compiles its simulator, which takes a minute and needs Verilator, a C++
    compiler, make and perl. Each run is a process of its own that begins with a reset, so that runs
    know nothing of each other.

    Parameters
    ----------
    folder : str or Path
        Build directory of ``hw.build``.
    cache : str or Path, optional
        Folder that keeps simulators, one per Verilog; ``folder/sim`` by default.
    latency : int
        Cycles after which the external memory answers a burst, if there is one; then it sends a
        beat per cycle.
    limit : float
        Seconds that one step of the compilation may take.

    Raises
    ------
    InputError
        If the folder holds no core, or one that was changed since it was built.
    ToolError
        If a tool is missing or fails.
    ValueError
        If there is nowhere to keep the simulator.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        *,
        cache: str | os.PathLike | None = None,
        latency: int = 16,
        limit: float = 900,
    ) -> None:
        _require_cycles("latency", latency)
        self.folder = Path(folder)
        self._description, self._contents = described(self.folder)
        self._latency = latency
        if cache is None and not os.access(self.folder, os.W_OK):
            raise ValueError(
                f"{self.folder} cannot be written to: pass cache=DIR, a folder that may hold "
                "the simulator"
            )
        self._executable = driver(
            Design(TOP, read_verilog(self.folder), None),
            self.folder / "sim" if cache is None else Path(cache),
            external=bool(self._contents.memory),
            limit=limit,
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a picture."""
        return tuple(self._description["image_shape"])

    @property
    def classes(self) -> int:
        """Logits of a picture."""
        return self._description["classes"]

    def run(
        self, images: ArrayLike, *, deadline: int | None = None
    ) -> tuple[NDArray[np.int64], Counters]:
        """Simulate pictures, each when the one before is done.

        Parameters
        ----------
        images : uint8 array, shape (pictures, height, width, channels)
        deadline : int, optional
            Cycles within which a picture must be done; 64 times those that were predicted for a
            usual picture, and 65536 more, by default.

        Returns
        -------
        logits : int64 array, shape (pictures, classes)
        counters : Counters

        Raises
        ------
        ValueError
            If the images do not fit the core.
        InputError
            If a file of the build directory was changed since the core was opened.
        CoreError
            If the core has no logits for a picture, or not within the deadline.
        ToolError
            If the simulator ends before its work is done.
        """
        images = self._checked(np.asarray(images))
        if deadline is not None:
            _require_cycles("deadline", deadline)
        self._contents.require_unchanged()
        if deadline is None:
            deadline = PATIENCE * int(self._description["cycles"]["total"]) + START
        records = drive(self._executable, self._request(images, deadline), self.folder)
        self._require_done(records, deadline)
        counted = [[getattr(record, name) for record in records] for name in Counters._fields]
        logits = np.array([record.logits for record in records], np.int64)
        return logits, Counters(*(np.array(values, np.int64) for values in counted))

    def _request(self, images, deadline):
        return Request(
            pictures=images,
            classes=self.classes,
            deadline=deadline,
            loads=self._contents.loads,
            memory=self._contents.memory,
            word_bytes=self._contents.word_bytes,
            latency=self._latency,
        )

    def _checked(self, images):
        """The images, which must be those that golden takes."""
        if images.dtype != np.uint8:
            raise ValueError(f"Images must be uint8, not {images.dtype}")
        if images.shape[1:] != self.image_shape:
            height, width, channels = self.image_shape
            raise ValueError(
                f"Images must have shape (images, {height}, {width}, {channels}), "
                f"not {images.shape}"
            )
        if len(images) == 0:
            raise ValueError("Images must be at least one, not 0")
        return images

    def _require_done(self, records, deadline):
        last, number = records[-1], len(records) - 1
        if last.outcome is Outcome.STUCK:
            raise CoreError(
                f"Picture {number} must be done within {deadline} cycles, and the core of "
                f"{self.folder} was not"
            )
        if last.outcome is Outcome.FAILED:
            raise CoreError(
                f"Picture {number} has no logits: the status of the core of {self.folder} "
                f"is {Status(last.status).name}"
            )
        if last.outcome is Outcome.MISPLACED_LAST:
            raise CoreError(
                f"The core of {self.folder} must send tlast with the last logit of picture "
                f"{number}, and sent it elsewhere"
            )


def _require_cycles(name: str, value: int) -> None:
    """Raises ValueError for what is no number of cycles that the simulator can count."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 2**63:
        raise ValueError(f"{name} must be a whole number of cycles, not {printable(repr(value))}")


def described(folder: Path) -> tuple[dict, Contents]:
    """What a build directory says of itself and holds, after it was found to be whole.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    description : dict
    contents : Contents

    Raises
    ------
    InputError
        If something is missing, or was changed since it was built.
    """
    description = read_description(folder)
    try:
        contents = Contents(folder, description)
        check_verilog(folder)
        check_memory_images(folder)
    except OSError as error:
        raise InputError(
            f"{error.filename}: cannot be read ({(error.strerror or 'no reason').lower()}); "
            "build the accelerator again"
        ) from error
    return description, contents
