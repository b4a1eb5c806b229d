"""Tap windows of a convolution: which taps of each output position lie inside the map."""

from ..isa.plan import TapWindow


__all__ = ["conv_tap_windows"]


def conv_tap_windows(layer, *, size, out_size, words, stride, word_stride, row_step, tap_rows):
    """Tap windows of the output lines, and of the positions of each line.

    Rows are stored tap after tap, line-major, ``tap_rows`` rows each.

    Parameters
    ----------
    layer : Conv
    size, out_size : (int, int)
        Height and width of the input and output map.
    words : int
        Words that are read of an input position.
    stride, word_stride : int
        Distance of two input positions in the spike memory, and of two words of a line.
    row_step : int
        Rows from one word to the next.
    tap_rows : int
        Rows of one tap.

    Returns
    -------
    lines, positions : tuple of TapWindow
    """
    down, across = layer.axes
    (_, width), (out_height, out_width) = size, out_size

    lines = []
    for index in range(out_height):
        first, taps, start = _inside(index, size[0], down)
        row = first * across.kernel * tap_rows
        lines.append(TapWindow(start * width * stride, row, 0, taps - 1, 0))
    positions = []
    for index in range(out_width):
        first, taps, start = _inside(index, width, across)
        jump = row_step + (across.kernel - taps) * tap_rows
        positions.append(
            TapWindow(
                start * stride,
                first * tap_rows,
                jump,
                taps * words - 1,
                (taps * words - 1) * word_stride,
            )
        )
    return tuple(lines), tuple(positions)


def _inside(index, size, axis):
    """First tap inside the map, number of taps inside, and where the first one reads."""
    start = index * axis.stride - axis.before
    first = max(0, -start)
    last = min(axis.kernel - 1, size - 1 - start)
    return first, last - first + 1, start + first
