"""Geometry along one axis of a map: which inputs each output position reads."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError


__all__ = ["MAX_SPAN", "Axis"]


#: Most positions that a dilated kernel may span.
MAX_SPAN = 2**16


@dataclass(frozen=True)
class Axis:
    """How a window walks along one axis.

    The map is stretched first: every input is repeated ``upsample`` times, or, if ``transposed``,
    there are ``stride - 1`` zeros between two inputs. Then it is padded with zeros, and a window
    steps over it by ``stride`` positions, or by one if ``transposed``.

    Parameters
    ----------
    kernel : int
        Number of taps.
    stride : int
    before, after : int
        Positions of padding in front of the map and behind it, fewer than the kernel spans.
    dilation : int
        Distance of two taps.
    upsample : int
        Nearest-neighbour upsampling of a map, for kernels of one tap.
    transposed : bool
        Whether the stride stretches the map. Taps ascend with the inputs that they read, so that
        the weights are those of a transposed convolution of PyTorch from the last to the first,
        and its ``padding`` is ``dilation * (kernel - 1) - before`` here.

    Examples
    --------
    >>> Axis(3, stride=2, before=1).pairs(0, 4), Axis(3, stride=2, before=1).pairs(1, 4)
    (((1, 0), (2, 1)), ((0, 1), (1, 2), (2, 3)))
    >>> Axis(4, stride=2, before=2, after=2, transposed=True).pairs(1, 3)
    ((1, 0), (3, 1))
    """

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    upsample: int = 1
    transposed: bool = False

    @classmethod
    def padded(cls, kernel: int, stride: int = 1, padding: int = 0) -> Self:
        """Axis with the same padding on both sides."""
        return cls(kernel, stride, padding, padding)

    @property
    def span(self) -> int:
        """Positions from the first to the last tap."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def plain(self) -> bool:
        """Whether the padding is the same on both sides, and nothing is stretched or dilated."""
        return self == Axis.padded(self.kernel, self.stride, self.before)

    def check(self, where: str) -> None:
        """Raises ModelError, which begins with ``where``, unless the fields are legal."""
        for name in ("kernel", "stride", "dilation", "upsample"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise ModelError(
                    f"{where}: the {name} of an axis must be at least 1, not "
                    f"{getattr(self, name)!r}"
                )
        if type(self.transposed) is not bool:
            raise ModelError(f"{where}: transposed must be true or false, not {self.transposed!r}")
        if self.kernel > 1 and self.span > MAX_SPAN:
            raise ModelError(
                f"{where}: a kernel must span at most {MAX_SPAN} positions, not {self.span}"
            )
        for name in ("before", "after"):
            padding = getattr(self, name)
            if type(padding) is not int or not 0 <= padding < self.span:
                raise ModelError(
                    f"{where}: the padding of an axis must be 0 to {self.span - 1}, not {padding!r}"
                )
        if self.upsample > 1 and (self.kernel > 1 or self.transposed):
            raise ModelError(
                f"{where}: an axis that upsamples must have a kernel of 1 and must "
                "not be transposed"
            )

    def length(self, size: int) -> int:
        """Number of output positions of a map of ``size``; below 1 if the kernel does not fit.

        >>> Axis(3, stride=2, before=1, after=1).length(8), Axis(1, upsample=2).length(8)
        (4, 16)
        """
        step = 1 if self.transposed else self.stride
        return (self._stretched(size) + self.before + self.after - self.span) // step + 1

    def reads(self, size: int) -> NDArray[np.int64]:
        """Input position of every tap, -1 outside of the map.

        Parameters
        ----------
        size : int

        Returns
        -------
        int64 array, shape (length, kernel)
        """
        outputs = np.arange(self.length(size))[:, np.newaxis]
        # The step to the next position may be any integer where there is none.
        step = 1 if self.transposed or len(outputs) < 2 else self.stride
        taps = np.arange(self.kernel) * (self.dilation if self.kernel > 1 else 1)
        places = outputs * step + taps - self.before
        # One input cannot be told from the next where there is only one.
        factor = 1 if size < 2 and self.transposed else self._factor
        inside = (places >= 0) & (places < self._stretched(size))
        if self.transposed:
            inside &= places % factor == 0
        return np.where(inside, places // factor, -1)

    def pairs(self, out: int, size: int) -> tuple[tuple[int, int], ...]:
        """Taps inside a map and the input positions that they read.

        Parameters
        ----------
        out : int
            Output position.
        size : int

        Returns
        -------
        tuple of (int, int)
            Tap and input position; both ascend.
        """
        return tuple(
            (tap, place) for tap, place in enumerate(self.reads(size)[out].tolist()) if place >= 0
        )

    def cover(self, size: int) -> NDArray[np.int64]:
        """Number of output positions that each input position reaches.

        >>> Axis(3, stride=2, before=1, after=1).cover(4).tolist()
        [1, 2, 1, 1]
        """
        places = self.reads(size)
        return np.bincount(places[places >= 0], minlength=size)

    def stretch(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Array whose axis is stretched and padded, so that a plain window may walk over it."""
        size = values.shape[axis]
        if self.transposed:
            stretched = np.zeros(_changed(values.shape, axis, self._stretched(size)), values.dtype)
            np.moveaxis(stretched, axis, 0)[:: self._factor if size > 1 else 1] = np.moveaxis(
                values, axis, 0
            )
            values = stretched
        elif self.upsample > 1:
            values = values.repeat(self.upsample, axis)
        if not self.before and not self.after:
            return values
        padding = [(0, 0)] * values.ndim
        padding[axis] = self.before, self.after
        return np.pad(values, padding)

    @property
    def _factor(self):
        return self.stride if self.transposed else self.upsample

    def _stretched(self, size):
        return (size - 1) * self.stride + 1 if self.transposed else size * self.upsample


def _changed(shape, axis, size):
    shape = list(shape)
    shape[axis] = size
    return shape
