"""Convolutions and pools of ONNX in exact numbers, over any number of spatial axes."""

import itertools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tests.qonnx.exact import Exact, IrrationalError


__all__ = ["Windows", "average_pool", "convolve", "max_pool"]


@dataclass
class Windows:
    """Where the windows of a node lie.

    Parameters
    ----------
    kernel, strides, dilations : list of int
        One number for each spatial axis.
    before, after : list of int
        Padding, one number for each spatial axis.
    """

    kernel: list
    strides: list
    dilations: list
    before: list
    after: list

    @classmethod
    def of(cls, attributes, kernel, size):
        """Windows that a node's attributes say, over pictures of some size."""
        if attributes.get("ceil_mode", 0):
            raise ValueError("ceil_mode is not evaluated")
        ones = [1] * len(kernel)
        kernel = list(attributes.get("kernel_shape", kernel))
        strides = list(attributes.get("strides", ones))
        dilations = list(attributes.get("dilations", ones))
        auto = attributes.get("auto_pad", b"NOTSET").decode()
        if auto == "NOTSET":
            pads = list(attributes.get("pads", [0] * 2 * len(kernel)))
            return cls(kernel, strides, dilations, pads[: len(kernel)], pads[len(kernel) :])
        if auto == "VALID":
            return cls(kernel, strides, dilations, [0] * len(kernel), [0] * len(kernel))
        before, after = [], []
        for cells, width, stride, step in zip(size, kernel, strides, dilations, strict=True):
            outputs = -(-cells // stride)
            missing = max(0, (outputs - 1) * stride + (width - 1) * step + 1 - cells)
            less, more = missing // 2, missing - missing // 2
            before.append(less if auto == "SAME_UPPER" else more)
            after.append(more if auto == "SAME_UPPER" else less)
        return cls(kernel, strides, dilations, before, after)

    def slices(self, array, outputs):
        """For each place of the kernel, the padded cells that it meets."""
        pads = [(0, 0), (0, 0), *zip(self.before, self.after, strict=True)]
        padded = np.pad(array, pads)
        for place in itertools.product(*map(range, self.kernel)):
            starts = [at * step for at, step in zip(place, self.dilations, strict=True)]
            cells = [
                slice(start, start + (count - 1) * stride + 1, stride)
                for start, count, stride in zip(starts, outputs, self.strides, strict=True)
            ]
            yield padded[:, :, *cells]

    def outputs(self, size):
        """How many windows fit along each axis."""
        return [
            (cells + before + after - (width - 1) * step - 1) // stride + 1
            for cells, before, after, width, step, stride in zip(
                size,
                self.before,
                self.after,
                self.kernel,
                self.dilations,
                self.strides,
                strict=True,
            )
        ]

    def over(self, numbers):
        """For each place of the kernel, the numbers that it meets, and which are no padding."""
        outputs = self.outputs(numbers.shape[2:])
        inside = self.slices(np.ones(numbers.shape, bool), outputs)
        wholes = self.slices(numbers.whole, outputs)
        if numbers.rational:
            for whole, real in zip(wholes, inside, strict=True):
                yield Exact(whole, numbers.denominator), real
            return
        roots = self.slices(numbers.surd, outputs), self.slices(numbers.radicand, outputs)
        for whole, surd, radicand, real in zip(wholes, *roots, inside, strict=True):
            yield Exact(whole, numbers.denominator, surd, radicand), real


def convolve(numbers, weight, attributes):
    """Conv of ONNX without its bias; the padding is zeros."""
    if not numbers.rational:
        raise IrrationalError("Numbers with roots are multiplied")
    groups = attributes.get("group", 1)
    windows = Windows.of(attributes, weight.shape[2:], numbers.shape[2:])
    met = [slid for slid, _ in windows.over(numbers)]
    pictures, channels, *size = met[0].shape
    # Order: channels of a group, then places of the kernel, as the weights lie.
    columns = np.stack([slid.whole for slid in met], axis=2)
    columns = columns.reshape(pictures, groups, channels // groups * len(met), -1)
    rows = weight.moved(lambda array: array.reshape(groups, array.shape[0] // groups, -1))
    summed = rows @ Exact(columns, met[0].denominator)
    return summed.moved(lambda array: array.reshape(pictures, weight.shape[0], *size))


def max_pool(numbers, attributes):
    """MaxPool of ONNX; padding is never the largest."""
    windows = Windows.of(attributes, attributes["kernel_shape"], numbers.shape[2:])
    best, known = None, None
    for slid, real in windows.over(numbers):
        if best is None:
            best, known = slid, real
        else:
            larger = real & (~known | (best - slid).negative())
            best, known = slid.where(larger, best), known | real
    return best


def average_pool(numbers, attributes):
    """AveragePool of ONNX: padding counts where ``count_include_pad`` says so."""
    windows = Windows.of(attributes, attributes["kernel_shape"], numbers.shape[2:])
    pairs = list(windows.over(numbers))
    summed = sum((slid for slid, _ in pairs[1:]), pairs[0][0])
    if attributes.get("count_include_pad", 0):
        return summed * Exact.of(Fraction(1, len(pairs)))
    counts = sum(real.astype(int) for _, real in pairs)
    return summed * Exact(counts).inverse()
