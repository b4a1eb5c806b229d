"""Geometry of an axis against a walk over single positions."""

import itertools

import numpy as np
import pytest

from golden.axis import Axis
from golden.errors import ModelError


def walked(axis, size):
    """Pairs of every output position, by laying the stretched and padded map out in a list."""
    if axis.transposed:
        line = [
            index // axis.stride if index % axis.stride == 0 else None
            for index in range((size - 1) * axis.stride + 1)
        ]
        step = 1
    else:
        line = [index for index in range(size) for _ in range(axis.upsample)]
        step = axis.stride
    line = [None] * axis.before + line + [None] * axis.after
    found, start = [], 0
    while start + (axis.kernel - 1) * axis.dilation < len(line):
        taps = [(tap, line[start + tap * axis.dilation]) for tap in range(axis.kernel)]
        found.append(tuple(pair for pair in taps if pair[1] is not None))
        start += step
    return found


def axes():
    for kernel, stride, dilation, transposed in itertools.product(
        (1, 2, 3, 4), (1, 2, 3), (1, 2), (False, True)
    ):
        span = dilation * (kernel - 1) + 1
        for before, after in {(0, 0), (span - 1, 0), (0, span - 1), (span // 2, span // 3)}:
            yield Axis(kernel, stride, before, after, dilation, transposed=transposed)
    for stride, upsample in itertools.product((1, 2, 3), (2, 3)):
        yield Axis(1, stride, upsample=upsample)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pairs_are_those_of_a_walk(size):
    for axis in axes():
        axis.check("here")
        expected = walked(axis, size)
        assert max(0, axis.length(size)) == len(expected), axis
        if not expected:
            continue
        assert [axis.pairs(out, size) for out in range(len(expected))] == expected, axis
        for pairs in expected:
            assert [*pairs] == sorted(pairs, key=lambda pair: (pair[1], pair[0])), axis
        reached = [
            sum(index == place for pairs in expected for _, index in pairs) for place in range(size)
        ]
        assert axis.cover(size).tolist() == reached, axis


def test_a_stretched_line_is_read_by_a_plain_window():
    line = np.arange(1, 6)
    for axis in axes():
        if axis.length(5) < 1:
            continue
        stretched = axis.stretch(line, 0)
        step = 1 if axis.transposed else axis.stride
        for out in range(axis.length(5)):
            taps = stretched[out * step :][: axis.span : axis.dilation]
            assert [(tap, value - 1) for tap, value in enumerate(taps.tolist()) if value] == [
                *axis.pairs(out, 5)
            ], axis


def test_a_transposed_axis_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for kernel, stride, padding, dilation in [(4, 2, 1, 1), (3, 2, 0, 1), (2, 3, 0, 2)]:
        values, weight = rng.integers(-9, 9, 5), rng.integers(-9, 9, kernel)
        expected = torch.nn.functional.conv_transpose1d(
            torch.tensor(values)[None, None].double(),
            torch.tensor(weight)[None, None].double(),
            stride=stride,
            padding=padding,
            dilation=dilation,
        )[0, 0].tolist()
        edge = dilation * (kernel - 1) - padding
        axis = Axis(kernel, stride, edge, edge, dilation, transposed=True)
        assert [
            sum(int(weight[::-1][tap]) * int(values[place]) for tap, place in axis.pairs(out, 5))
            for out in range(axis.length(5))
        ] == expected


def test_a_stride_beyond_the_map_may_be_any_integer():
    for stride in (5, 2**31, 2**70):
        assert Axis(3, stride, 1, 1).cover(4).tolist() == [1, 1, 0, 0]
        assert Axis(1, stride, transposed=True).pairs(0, 1) == ((0, 0),)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        (Axis(0), "the kernel of an axis must be at least 1, not 0"),
        (Axis(3, 0), "the stride of an axis must be at least 1, not 0"),
        (Axis(3, True), "the stride of an axis must be at least 1, not True"),
        (Axis(3, dilation=-1), "the dilation of an axis must be at least 1, not -1"),
        (Axis(1, upsample=0), "the upsample of an axis must be at least 1, not 0"),
        (Axis(3, before=3), "the padding of an axis must be 0 to 2, not 3"),
        (Axis(3, after=-1), "the padding of an axis must be 0 to 2, not -1"),
        (Axis(3, before=5, dilation=2), "the padding of an axis must be 0 to 4, not 5"),
        (
            Axis(3, upsample=2),
            ("an axis that upsamples must have a kernel of 1 and must not be transposed"),
        ),
        (Axis(2, dilation=2**70), f"a kernel must span at most 65536 positions, not {2**70 + 1}"),
        (Axis(2, transposed=1), "transposed must be true or false, not 1"),
    ],
)
def test_what_is_no_axis_is_refused(axis, message):
    with pytest.raises(ModelError) as error:
        axis.check("Layer a")
    assert str(error.value) == f"Layer a: {message}"


def test_plain_axes_are_told_from_others():
    assert Axis(3, 2, 1, 1).plain
    assert Axis.padded(3, 2, 1) == Axis(3, 2, 1, 1)
    for other in (
        Axis(3, 2, 1, 0),
        Axis(3, dilation=2),
        Axis(1, upsample=2),
        Axis(3, transposed=True),
    ):
        assert not other.plain
