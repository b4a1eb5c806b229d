"""Convolution: the operator."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from golden.axis import Axis
from golden.errors import ModelError
from golden.hints import Bounds, Infos, Interval, Linear, Tensors, Weigh, Widths
from golden.names import PIXELS
from golden.tensor_info import TensorInfo

from .convolve import convolve
from .facts import Facts
from .fire import Fire
from .frames import framed, like
from .operator import Operator, look_up, require_epilogue
from .output import Output
from .weights import check_weights
from .write import Write


__all__ = ["Conv", "conv_interval"]


@dataclass(frozen=True, eq=False)
class Conv(Operator):
    """Convolution of counts (or pixels) with integer weights, zero padded.

    Dense, grouped and depthwise, strided or not; a pointwise layer, a projection and the head are
    its 1x1 case.

    Parameters
    ----------
    name : str
        ``state_dict`` prefix of the layer, such as ``block3.0.attn.q``.
    sources : tuple of str
        Tensors that are read, one behind the other along the channels: ``pixels`` or counts.
    weight : int8 or int16 array, shape (out_channels, in_channels // groups, kernel, kernel)
        Symmetric: within ``+-(2**(weight_bits - 1) - 1)``.
    weight_bits : int
        2 to 8 for int8, 9 to 16 for int16.
    axes : (Axis, Axis)
        Of height and width.
    groups : int
        Equal parts of the channels; outputs of a part see its inputs only.
    epilogue : Fire or Write or Output
    time : str
        ``each`` step by itself, or the ``sum`` over all of them.
    """

    KIND, TENSORS = "conv", ("weight",)
    FIELDS: ClassVar = {
        "sources": list,
        "weight_bits": int,
        "axes": list,
        "groups": int,
        "time": str,
    }

    name: str
    sources: tuple[str, ...]
    weight: np.ndarray
    weight_bits: int
    axes: tuple[Axis, Axis]
    groups: int
    epilogue: Fire | Write | Output
    time: str = "each"

    @classmethod
    def square(
        cls,
        name: str,
        source: str,
        weight: np.ndarray,
        weight_bits: int,
        stride: int,
        padding: int,
        groups: int,
        epilogue: Fire | Write | Output | None,
    ) -> Self:
        """Convolution of one source with a square kernel, padded alike on all four sides."""
        axis = Axis.padded(weight.shape[-1], stride, padding)
        return cls(name, (source,), weight, weight_bits, (axis, axis), groups, epilogue)

    @property
    def source(self) -> str:
        """The source of a layer that has one."""
        (source,) = self.sources
        return source

    @property
    def depthwise(self) -> bool:
        """Whether each output channel sees one input channel of its own only."""
        return 1 < self.groups == self.channels and self.weight.shape[1] == 1

    @property
    def channels(self) -> int:
        """Number of output channels."""
        return len(self.weight)

    @property
    def reads(self) -> list[str]:
        # A layer that is being built may lack its epilogue.
        return [*self.sources, *(self.epilogue.reads if self.epilogue else ())]

    def outputs(self, known: Infos) -> dict[str, TensorInfo]:
        found = [look_up(self, name, known, "counts", "pixels") for name in self.sources]
        if not found:
            raise ModelError(f"Layer {self.name}: there must be at least one source")
        size, steps = found[0].size, found[0].steps
        for name, info in zip(self.sources, found, strict=True):
            if (info.size, info.steps) != (size, steps):
                raise ModelError(
                    f"Layer {self.name}: {name} must have size {size} and {steps} "
                    f"steps like {self.sources[0]}, not {info.size} and {info.steps}"
                )
        self._check_geometry(sum(info.channels for info in found), size)
        if self.time not in ("each", "sum"):
            raise ModelError(f"Layer {self.name}: time must be each or sum, not {self.time!r}")
        check_weights(self)
        require_epilogue(self, Fire, Write, Output)
        out = tuple(axis.length(length) for axis, length in zip(self.axes, size, strict=True))
        info = TensorInfo("counts", self.channels, out, steps if self.time == "each" else 1)
        return self.epilogue.outputs(self, info, known)

    def _check_geometry(self, channels, size):
        where, shape = f"Layer {self.name}", self.weight.shape
        if len(shape) != 4 or min(shape) < 1:
            raise ModelError(
                f"{where}: weights must have shape (out, in, kernel, kernel), not {shape}"
            )
        if len(self.axes) != 2 or shape[2:] != tuple(axis.kernel for axis in self.axes):
            raise ModelError(
                f"{where}: weights of shape {shape} must have two axes of these "
                f"kernels, not {[axis.kernel for axis in self.axes]}"
            )
        for axis in self.axes:
            axis.check(where)
        if self.groups < 1 or channels % self.groups or len(self.weight) % self.groups:
            raise ModelError(
                f"{where}: groups must divide {channels} input and "
                f"{len(self.weight)} output channels, not {self.groups}"
            )
        if shape[1] * self.groups != channels:
            raise ModelError(
                f"{where}: weights must take {channels} channels of "
                f"{' and '.join(self.sources)}, not {shape[1] * self.groups}"
            )
        if min(axis.length(length) for axis, length in zip(self.axes, size, strict=True)) < 1:
            raise ModelError(
                f"{where}: a map of {size[0]}x{size[1]} must not be smaller than the "
                f"{shape[2]}x{shape[3]} kernel"
            )

    def operand(self, tensors: Tensors) -> NDArray[np.int64]:
        found = [tensors[name] for name in self.sources]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=-3)

    def linear(self, tensors: Tensors) -> Linear:
        def convolved(counts):
            potential = convolve(counts, self.weight, self.axes, self.groups)
            if self.time == "each":
                return potential
            return like(framed(potential).sum(axis=1, keepdims=True), counts)

        return convolved

    def interval(self, facts: Facts) -> Interval:
        found = [facts.known[name] for name in self.sources]
        levels = np.repeat([info.levels for info in found], [info.channels for info in found])
        low, high = conv_interval(self, levels)
        if self.time == "each":
            return low, high
        # Python integers: int64 may be too small for the sum of all steps.
        return low.astype(object) * found[0].steps, high.astype(object) * found[0].steps

    def events(self, tensors: Tensors, weigh: Weigh) -> NDArray[np.int64]:
        """A spike is added once for every output position that it reaches."""
        lanes, total = self.channels // self.groups, 0
        for name in self.sources:
            source = weigh(tensors[name], name)
            rows, columns = (
                axis.cover(size) for axis, size in zip(self.axes, source.shape[-2:], strict=True)
            )
            reached = source.sum(axis=-3) @ columns @ rows
            total = total + reached.reshape(len(source), -1).sum(axis=1) * lanes
        return total

    def products(self, known: Infos) -> tuple[int, int, int]:
        """Rows are output positions, row-major, step after step unless steps are summed."""
        steps = known[self.sources[0]].steps
        rows, terms = self._positions(known), self.weight[0].size
        return (
            (rows * steps, self.channels, terms)
            if self.time == "each"
            else (rows, self.channels, terms * steps)
        )

    def operands(self, tensors: Tensors, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        source = framed(self.operand(tensors))[0]
        reads = [
            axis.reads(length) for axis, length in zip(self.axes, source.shape[-2:], strict=True)
        ]
        step, position = divmod(row, len(reads[0]) * len(reads[1]))
        y, x = divmod(position, len(reads[1]))
        source = source[step : step + 1] if self.time == "each" else source
        # One more row and column of zeros, which -1 reads.
        padded = np.pad(source, ((0, 0), (0, 0), (0, 1), (0, 1)))
        window = padded[:, :, reads[0][y]][..., reads[1][x]]
        window = window.reshape(len(source), self.groups, -1).swapaxes(0, 1)
        window = window.reshape(self.groups, -1).repeat(self.channels // self.groups, axis=0)
        weights = self.weight.reshape(self.channels, -1).astype(np.int64)
        return window, np.tile(weights, len(source))

    def by_row(self, potentials: NDArray[np.int64]) -> NDArray[np.int64]:
        maps = framed(potentials)[0].reshape(-1, self.channels, prod(potentials.shape[-2:]))
        return maps.transpose(0, 2, 1).reshape(-1, self.channels)

    def unfolded(self, known: Infos) -> int:
        return (
            self.weight[0].size
            * self.groups
            * self._positions(known)
            * known[self.sources[0]].steps
        )

    def operand_bits(self, known: Infos, bits: Widths) -> int:
        return self.weight_bits

    def _positions(self, known):
        """Number of output positions."""
        return prod(
            axis.length(size)
            for axis, size in zip(self.axes, known[self.sources[0]].size, strict=True)
        )


def conv_interval(layer: Conv, levels: ArrayLike) -> Bounds:
    """Least and largest potential of every channel of a convolution of one step.

    The bounds are attained: every input at its largest where the weight is positive, or where it
    is negative.

    Parameters
    ----------
    layer : Conv
        Its epilogue is not looked at.
    levels : int, or int array of shape (in_channels,)
        Largest count of all channels or of each; pixels go to 255, whatever an int says.

    Returns
    -------
    low, high : int64 arrays, shape (out_channels,)
    """
    outputs, inputs = layer.weight.shape[:2]
    if np.ndim(levels) == 0:
        levels = np.full(inputs * layer.groups, 255 if PIXELS in layer.sources else levels)
    largest = np.reshape(levels, (layer.groups, inputs)).astype(np.int64)
    largest = largest.repeat(outputs // layer.groups, axis=0)
    weight = layer.weight.reshape(outputs, inputs, -1).astype(np.int64)
    return (
        (np.minimum(weight, 0).sum(axis=2) * largest).sum(axis=1),
        (np.maximum(weight, 0).sum(axis=2) * largest).sum(axis=1),
    )
