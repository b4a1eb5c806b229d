"""Windows that walk along an axis, and what they sum up or choose from."""

from itertools import product

import numpy as np


__all__ = ["convolve", "largest", "taps"]


def taps(axis, size):
    """Taps that read something and the inputs that they read, of each output position."""
    stride, dilation = axis.get("stride", 1), axis.get("dilation", 1)
    if axis.get("transposed", False):
        line, step = [0], 1
        for place in range(1, size):
            line += [None] * (stride - 1) + [place]
    else:
        line = [place for place in range(size) for _ in range(axis.get("upsample", 1))]
        step = stride
    line = [None] * axis.get("before", 0) + line + [None] * axis.get("after", 0)
    span = dilation * (axis["kernel"] - 1) + 1
    return [
        [
            (tap, line[start + tap * dilation])
            for tap in range(axis["kernel"])
            if line[start + tap * dilation] is not None
        ]
        for start in range(0, len(line) - span + 1, step)
    ]


def _windows(layer, source):
    """Place, taps and what they read of every output position that reads anything."""
    down, across = (
        taps(axis, size) for axis, size in zip(layer["axes"], source.shape[3:], strict=True)
    )
    for (y, rows), (x, columns) in product(enumerate(down), enumerate(across)):
        if rows and columns:
            i, row = map(list, zip(*rows, strict=True))
            j, column = map(list, zip(*columns, strict=True))
            yield (y, x), (i, j), source[:, :, :, row][..., column]


def _size(layer, source):
    return [
        len(taps(axis, size)) for axis, size in zip(layer["axes"], source.shape[3:], strict=True)
    ]


def convolve(layer, source, weight):
    """Sums of each step, one output position after the other."""
    samples, steps = source.shape[:2]
    groups = layer["groups"]
    result = np.zeros((samples, steps, len(weight), *_size(layer, source)), np.int64)
    for (y, x), (i, j), seen in _windows(layer, source):
        inputs = seen.reshape(samples * steps, groups, -1)
        entries = weight[:, :, i][..., j].reshape(groups, len(weight) // groups, -1)
        sums = np.einsum("ngk,gok->ngo", inputs, entries)
        result[..., y, x] = sums.reshape(samples, steps, -1)
    return result


def largest(layer, source):
    """Largest count in each window; where nothing is read there are zeros."""
    result = np.zeros((*source.shape[:3], *_size(layer, source)), np.int64)
    for (y, x), _, seen in _windows(layer, source):
        result[..., y, x] = seen.max(axis=(3, 4))
    return result
