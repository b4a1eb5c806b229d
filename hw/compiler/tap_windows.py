"""Tap windows: which taps of each output position lie inside the map."""

from dataclasses import dataclass
from math import gcd

import numpy as np

from ..isa.plan import TapPosition, TapRow


__all__ = ["ConvTaps", "conv_taps", "line_tap_windows"]


@dataclass(frozen=True, eq=False)
class ConvTaps:
    """How a convolution goes through its taps.

    Parameters
    ----------
    rows : tuple of TapRow
        Of each batch of output lines, equally many.
    positions : tuple of TapPosition
        Of each line.
    column_stride, word_stride : int
        Fields of the layer descriptor.
    order : tuple of int
        Taps of a line of the kernel, as their rows of weights follow one another.
    by_word : bool
        Whether each word of the inputs has rows of taps of its own.
    """

    rows: tuple
    positions: tuple
    column_stride: int
    word_stride: int
    order: tuple
    by_word: bool


def conv_taps(layer, *, size, words, stride, unit, columns):
    """Tap windows of a convolution, and how its rows of weights have to lie for them.

    Taps of one line of the kernel are read as one run of words. Where inputs that follow one
    another in a run do not lie side by side, each word of an input has a run of its own. Taps of a
    transposed axis that meet the same outputs are stored side by side.

    Column c of a batch takes the c-th of its output lines. What it reads lies a stride behind what
    the column before reads, inside the map or not. Where axes are stretched, or where that takes
    fewer rows, each row of taps is one line of the map, of which only the columns use something
    whose line it meets.

    Parameters
    ----------
    layer : Conv
    size : (int, int)
        Height and width of the input map.
    words : int
        Words that are read of an input position.
    stride : int
        Distance of two input positions in the spike memory.
    unit : int
        Rows of weights of a word.
    columns : int
        Of the array.

    Returns
    -------
    ConvTaps
    """
    down, across = layer.axes
    order, runs, step = _across(across, size[1])
    several = max(number for _, _, number in runs) > 1
    by_word = words > 1 and several and (step != 1 or words != stride)
    split = range(words if by_word else 1)
    of_tap = unit * (1 if by_word else words)
    batches, line_stride = _down(down, size[0], columns)
    rows = tuple(
        TapRow(
            line * size[1] * stride + word,
            (tap * len(split) + word) * across.kernel * of_tap,
            mask,
        )
        for batch in batches
        for tap, line, mask in batch
        for word in split
    )
    positions = tuple(
        TapPosition(start * stride, first * of_tap, number * (1 if by_word else words) - 1)
        for first, start, number in runs
    )
    return ConvTaps(
        rows,
        positions,
        line_stride * size[1] * stride,
        step * stride if by_word or words == 1 else 1,
        order,
        by_word,
    )


def line_tap_windows(size, *, stride, columns):
    """Tap windows of positions that read one input position each.

    Parameters
    ----------
    size : (int, int)
        Lines and positions of each.
    stride : int
        Distance of two positions in the spike memory.
    columns : int

    Returns
    -------
    rows, positions
        As of `ConvTaps`.
    """
    height, width = size
    rows = tuple(
        TapRow(first * width * stride, 0, (1 << min(columns, height - first)) - 1)
        for first in range(0, height, columns)
    )
    return rows, tuple(TapPosition(index * stride, 0, 0) for index in range(width))


def _across(axis, size):
    """Order of taps, the run of each output position, and the step from input to input.

    A run is the place of its first tap in the order, the input that it reads, and the number of
    taps. Every position must read something.
    """
    reads = axis.reads(size)
    # Taps this far from each other meet the same outputs.
    phases = axis.stride // gcd(axis.stride, axis.dilation) if axis.transposed else 1
    order = sorted(range(axis.kernel), key=lambda tap: (tap % phases, tap))
    runs, step = [], 1
    for inputs in reads[:, order]:
        (places,) = np.nonzero(inputs >= 0)
        runs.append((int(places[0]), int(inputs[places[0]]), len(places)))
        if len(places) > 1:
            step = int(inputs[places[1]] - inputs[places[0]])
    return tuple(order), runs, step


def _down(axis, size, columns):
    """Rows of taps of each batch of output lines, and input lines from column to column.

    A row of taps is a tap, the input line that column 0 reads, and a bit for each column for whose
    line it lies inside the map. All batches have equally many.
    """
    reads = axis.reads(size)
    batches = [reads[first : first + columns] for first in range(0, len(reads), columns)]
    by_line = [_by_line(batch) for batch in batches]
    most = max(1, *map(len, by_line))
    # Taps that never lie inside are not read.
    taps = [tap for tap in range(axis.kernel) if (reads[:, tap] >= 0).any()] or [0]
    if axis.transposed or axis.upsample > 1 or most < len(taps):
        return [rows + [(0, 0, 0)] * (most - len(rows)) for rows in by_line], 0
    dilation = axis.dilation if axis.kernel > 1 else 1
    found = [
        [
            (
                tap,
                number * columns * axis.stride - axis.before + tap * dilation,
                _mask(batch[:, tap] >= 0),
            )
            for tap in taps
        ]
        for number, batch in enumerate(batches)
    ]
    # One line alone may have any stride.
    return found, axis.stride if len(reads) > 1 else 0


def _by_line(reads):
    """Rows of taps of a batch: every input line that a tap of one of its lines reads."""
    pairs = sorted({(tap, line) for row in reads.tolist() for tap, line in enumerate(row)})
    return [(tap, line, _mask(reads[:, tap] == line)) for tap, line in pairs if line >= 0]


def _mask(columns):
    """A bit for each column."""
    return sum(1 << column for column, inside in enumerate(columns.tolist()) if inside)
