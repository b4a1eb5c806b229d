"""Tap windows: which taps of each output position lie inside the map."""

from ..isa.plan import TapPosition, TapRow


__all__ = ["conv_tap_windows", "line_tap_windows"]


def conv_tap_windows(layer, *, size, out_size, words, stride, tap_rows, columns):
    """Tap windows of a convolution.

    Rows of weights are stored tap after tap, line-major, ``tap_rows`` rows each. Column c of a
    batch takes the c-th of its output lines; what it reads lies ``axis.stride`` input lines behind
    what the column before reads, inside the map or not.

    Parameters
    ----------
    layer : Conv
    size, out_size : (int, int)
        Height and width of the input and output map.
    words : int
        Words that are read of an input position.
    stride : int
        Distance of two input positions in the spike memory.
    tap_rows : int
        Rows of one tap.
    columns : int
        Of the array.

    Returns
    -------
    rows : tuple of TapRow
        Of each batch of output lines, equally many.
    positions : tuple of TapPosition
        Of each line.
    """
    down, across = layer.axes
    (height, width), (out_height, out_width) = size, out_size

    batches = []
    for first in range(0, out_height, columns):
        begins = [
            line * down.stride - down.before
            for line in range(first, min(first + columns, out_height))
        ]
        batches.append([
            TapRow(
                (begins[0] + tap) * width * stride,
                tap * across.kernel * tap_rows,
                sum(
                    1 << column for column, begin in enumerate(begins) if 0 <= begin + tap < height
                ),
            )
            for tap in range(down.kernel)
        ])
    # Taps that never lie inside are not read.
    read = [any(row.columns for row in rows) for rows in zip(*batches, strict=True)]
    rows = tuple(
        row for batch in batches for row, inside in zip(batch, read, strict=True) if inside
    )
    positions = []
    for index in range(out_width):
        first, taps, start = _inside(index, width, across)
        positions.append(TapPosition(start * stride, first * tap_rows, taps * words - 1))
    return rows, tuple(positions)


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
        As of `conv_tap_windows`.
    """
    height, width = size
    rows = tuple(
        TapRow(first * width * stride, 0, (1 << min(columns, height - first)) - 1)
        for first in range(0, height, columns)
    )
    return rows, tuple(TapPosition(index * stride, 0, 0) for index in range(width))


def _inside(index, size, axis):
    """First tap inside the map, number of taps inside, and where the first one reads."""
    start = index * axis.stride - axis.before
    first = max(0, -start)
    last = min(axis.kernel - 1, size - 1 - start)
    return first, last - first + 1, start + first
