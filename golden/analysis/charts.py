"""Pictures of a report: bars as SVG text, spike maps as PNG. Same numbers, same bytes."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image


__all__ = ["bars", "scatter", "spike_map", "stacks"]


ROW = 16
#: Widths of names, of the values beside them, which a narrow window shows too, and of the bars.
LABEL = 230
VALUE = 66
SPAN = 420
START = LABEL + VALUE

#: Colours of 0, 1, ... spikes, from the page's paper to ink.
PAPER = np.array([238, 240, 243])
INK = np.array([140, 20, 60])


def bars(rows: Sequence[tuple[str, float]], *, limit: float | None = None, digits: int = 0) -> str:
    """Horizontal bars, with names and values on their left.

    Parameters
    ----------
    rows : sequence of (str, float)
        Names and values, at least 0.
    limit : float, optional
        Value that no bar can exceed; a line marks it.
    digits : int
        Decimals of the values.

    Returns
    -------
    str
        An ``svg`` element.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not rows:
        raise ValueError("Bars must be at least 1, not 0")
    largest = max([value for _, value in rows] + ([] if limit is None else [limit])) or 1
    height = ROW * len(rows) + 8
    width = START + SPAN + 4
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" font-size="11">']
    for row, (name, value) in enumerate(rows):
        top = 4 + ROW * row
        length = SPAN * value / largest
        parts += [
            f'<text x="{LABEL - 6}" y="{top + 11}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{START}" y="{top + 2}" width="{length:.1f}" height="{ROW - 4}"/>',
            f'<text x="{START - 6}" y="{top + 11}" text-anchor="end">{value:,.{digits}f}</text>',
        ]
    if limit is not None:
        x = START + SPAN * limit / largest
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>')
    return "\n".join([*parts, "</svg>"])


def scatter(
    points: Sequence[tuple[float, float]],
    *,
    front: Sequence[tuple[float, float]],
    axes: tuple[str, str],
    labels: Sequence[str] = (),
    formats: tuple[str, str] = (",.0f", ",.0f"),
    linear: bool = False,
) -> str:
    """Points over two axes, and a line through the best of them.

    Parameters
    ----------
    points : sequence of (float, float)
        Positive.
    front : sequence of (float, float)
        Those that the line connects.
    axes : (str, str)
        What x and y are.
    labels : sequence of str, optional
        What is written beside each point.
    formats : (str, str)
        Of the numbers beside the axes, as `format` takes them.
    linear : bool
        Whether the axes are linear; they are logarithmic otherwise.

    Returns
    -------
    str
        An SVG file.
    """
    scaled, unscaled = (float, float) if linear else (np.log, np.exp)
    size, left, low = 480, 90, 40
    spans = []
    for axis in range(2):
        values = [point[axis] for point in points]
        least, most = scaled(min(values)), scaled(max(values)) or 1
        # Room for the labels around the points.
        margin = ((most - least) or most) / 10 if labels else 0
        spans.append((least - margin, most + margin))

    def place(point):
        across, up = (
            (scaled(value) - least) / ((most - least) or 1)
            for value, (least, most) in zip(point, spans, strict=True)
        )
        return left + across * size, 10 + (1 - up) * size

    height, width = size + low + 20, size + left + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" font-size="12" font-family="sans-serif">'
    )
    parts = [
        head,
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left},10 v{size} h{size}" stroke="black" fill="none"/>',
    ]
    for axis, (least, most) in enumerate(spans):
        for share in (0, 0.5, 1):
            text = format(unscaled(least + share * (most - least)), formats[axis])
            x, y = (
                (left + share * size, size + 26)
                if axis == 0
                else (left - 6, 14 + (1 - share) * size)
            )
            anchor = "middle" if axis == 0 else "end"
            parts.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{text}</text>')
    middle = left + size / 2
    parts += [
        f'<text x="{middle:.0f}" y="{size + 46}" text-anchor="middle">{escape(axes[0])}</text>',
        f'<text x="{left + 8}" y="22">{escape(axes[1])}</text>',
    ]
    parts += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#9aa5b1"/>' for x, y in map(place, points)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, front))
    parts.append(f'<polyline points="{path}" stroke="#8c143c" fill="none" stroke-width="2"/>')
    parts += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#8c143c"/>' for x, y in map(place, front)
    ]
    for label, (x, y) in zip(labels, map(place, points), strict=bool(labels)):
        # Towards the middle, so that no text leaves the picture.
        anchor, aside = ("start", 8) if x < middle else ("end", -8)
        parts.append(
            f'<text x="{x + aside:.1f}" y="{y + 16:.1f}" text-anchor="{anchor}">'
            f"{escape(label)}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def stacks(rows: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Horizontal bars of equal length, divided into the shares of 0, 1, ... spikes.

    Parameters
    ----------
    rows : sequence of (str, sequence of int)
        Names and histograms of equal length.

    Returns
    -------
    str
        An ``svg`` element; each share tells its size where a pointer rests on it.
    """
    height, width = ROW * len(rows) + 8, LABEL + SPAN + 4
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" font-size="11">']
    for row, (name, histogram) in enumerate(rows):
        top, left, total = 4 + ROW * row, float(LABEL), sum(histogram) or 1
        parts.append(
            f'<text x="{LABEL - 6}" y="{top + 11}" text-anchor="end">{escape(name)}</text>'
        )
        for count, number in enumerate(histogram):
            length = SPAN * number / total
            colour = np.rint(PAPER + (INK - PAPER) * count / max(1, len(histogram) - 1)).astype(int)
            parts.append(
                f'<rect x="{left:.2f}" y="{top + 2}" width="{length:.2f}" height="{ROW - 4}" '
                f'style="fill:rgb{tuple(colour.tolist())}"><title>{escape(name)}: '
                f"{number / total:.2%} fire {count}</title></rect>"
            )
            left += length
    return "\n".join([*parts, "</svg>"])


def spike_map(counts: NDArray[np.integer], *, max_count: int) -> tuple[str, int, int]:
    """Picture of the counts of one layer: its channels side by side, darker where more spikes are.

    Parameters
    ----------
    counts : int array, shape (channels, height, width)
        0 to ``max_count``.
    max_count : int
        ``D``.

    Returns
    -------
    source : str
        ``data:`` address of a PNG.
    width, height : int
        Its size in pixels, of which a count takes one.
    """
    channels, height, width = counts.shape
    columns = min(channels, max(1, int(np.ceil(np.sqrt(channels * 4)))))
    rows = -(-channels // columns)
    # Lines between the channels have a colour of their own, the last of the palette.
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), max_count + 1, np.uint8)
    for channel, plane in enumerate(counts):
        row, column = divmod(channel, columns)
        top, left = row * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width] = plane
    steps = np.arange(max_count + 1)[:, np.newaxis] / max_count
    palette = np.rint(PAPER + steps * (INK - PAPER)).astype(np.uint8)
    image = Image.fromarray(sheet)
    image.putpalette([*palette.ravel().tolist(), 255, 255, 255])
    file = io.BytesIO()
    image.save(file, "PNG", optimize=False)
    source = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return source, sheet.shape[1], sheet.shape[0]
