"""Axes that are drawn: windows of every kind, by the sizes of the maps that they make."""

from functools import cache
from itertools import product

from golden import Axis


__all__ = ["odd_axes", "odd_pair", "squares"]


#: Sizes of kernels, and strides; after the last, beyond all maps, there is no second position.
KERNELS, STRIDES = (1, 2, 3, 4, 5, 7, 9), (1, 2, 3, 4, 6, 8, 2**64)

#: Axes with the same padding on both sides.
PLAIN = tuple(
    Axis.padded(kernel, stride, padding)
    for kernel in KERNELS
    for stride in STRIDES
    for padding in range(kernel)
)


def _padded(*axes):
    """Axes with some paddings in front and behind, where they are legal."""
    return tuple(
        Axis(kernel, stride, before, after, dilation, upsample, transposed)
        for kernel, stride, dilation, upsample, transposed in axes
        for before, after in product({0, 1, 2, dilation * (kernel - 1)}, repeat=2)
        if max(before, after) <= dilation * (kernel - 1)
    )


#: Axes of each kind, of which one is drawn before the axis.
ODD = {
    "plain": PLAIN,
    "uneven": tuple(
        axis
        for axis in _padded(
            *((kernel, stride, 1, 1, False) for kernel in KERNELS[1:6] for stride in (1, 2, 3))
        )
        if axis.before != axis.after
    ),
    "dilated": _padded(
        *(
            (kernel, stride, dilation, 1, False)
            for kernel in (2, 3, 4)
            for stride in (1, 2)
            for dilation in (2, 3, 5)
        )
    ),
    "repeated": _padded(
        *((1, stride, 1, repeated, False) for stride in (1, 2, 3) for repeated in (2, 3))
    ),
    "transposed": _padded(
        *(
            (kernel, stride, dilation, 1, True)
            for kernel in (1, 2, 3, 4)
            for stride in (1, 2, 3)
            for dilation in (1, 2)
        )
    ),
}


def squares(size, fits):
    """Pairs of one plain axis, for a map whose output sizes pass a test."""
    lengths = [_lengths("plain", length) for length in size]
    return [
        (axis, axis)
        for axis, *out in zip(PLAIN, *lengths, strict=True)
        if min(out) >= 1 and fits(tuple(out))
    ]


def odd_axes(rng, length, fits):
    """An axis of any kind for a side whose output length passes a test, or None."""
    kinds = list(ODD)
    rng.shuffle(kinds)
    for kind in kinds:
        found = [
            axis
            for axis, out in zip(ODD[kind], _lengths(kind, length), strict=True)
            if out >= 1 and fits(out)
        ]
        if found:
            return found[rng.integers(len(found))]
    return None


def odd_pair(rng, size, most):
    """Two axes of any kind whose map has at most so many positions; some kernels are 1-D."""
    down = odd_axes(rng, size[0], lambda out: out <= most) or Axis(1, 2**64)
    rows = down.length(size[0])
    across = odd_axes(rng, size[1], lambda out: out * rows <= most) or Axis(1, 2**64)
    if rng.random() < 0.3 and rows * size[1] <= most:
        across = Axis(1)
    return down, across


@cache
def _lengths(kind, size):
    """Output lengths of all axes of a kind."""
    return tuple(axis.length(size) for axis in ODD[kind])
