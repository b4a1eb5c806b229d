"""The compiler: where maps lie, and which taps a tap window has."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import golden
from golden import PIXELS, Conv, SpikeCode
from golden.analysis.synthetic import random_model
from golden.model.shapes import last_readers
from golden.names import counts_name
from hw.compiler import compile_model
from hw.compiler.allocate import Allocator
from hw.compiler.tap_windows import conv_taps
from hw.isa.core_config import SPIKE_CODES


@pytest.mark.parametrize("kernel", [1, 3, 4, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("size", "columns"), [((4, 9), 1), ((7, 7), 3), ((7, 7), 4)])
def test_windows_hold_the_taps_inside_the_map(kernel, stride, size, columns):
    padding = (kernel - 1) // 2
    out_size = [(n + 2 * padding - kernel) // stride + 1 for n in size]
    weight = np.zeros((1, 1, kernel, kernel), np.int8)
    layer = Conv.square("conv", "x.counts", weight, 4, stride, padding, 1, None)
    words, lanes = 2, 8
    taps = conv_taps(layer, size=size, words=words, stride=words, unit=lanes, columns=columns)
    rows, positions = taps.rows, taps.positions
    assert (taps.word_stride, taps.by_word, taps.order) == (1, False, tuple(range(kernel)))
    n_rows = len(rows) // -(-out_size[0] // columns)
    for line, position in np.ndindex(*out_size):
        expected = []
        for dy, dx in np.ndindex(kernel, kernel):
            y, x = line * stride + dy - padding, position * stride + dx - padding
            if 0 <= y < size[0] and 0 <= x < size[1]:
                expected += [
                    ((y * size[1] + x) * words + word, ((dy * kernel + dx) * words + word) * lanes)
                    for word in range(words)
                ]
        batch, column = divmod(line, columns)
        # What a column adds to all addresses.
        base = column * taps.column_stride
        found = [
            (base + row.offset + positions[position].offset + step, row.row + first + step * lanes)
            for row in rows[batch * n_rows : (batch + 1) * n_rows]
            for first in [positions[position].row]
            for step in range(positions[position].steps + 1)
            if row.columns >> column & 1
        ]
        assert found == expected
    for number, row in enumerate(rows):
        assert row.columns >> min(columns, out_size[0] - number // n_rows * columns) == 0


@pytest.mark.parametrize("code", SPIKE_CODES)
@pytest.mark.parametrize(("columns", "lanes"), [(1, 8), (3, 5), (4, 12)])
def test_maps_that_are_needed_together_do_not_overlap(code, columns, lanes):
    model = random_model(3, heads=4, dims=(8, 16, 24, 16))
    plan = compile_model(model, columns=columns, lanes=lanes, spike_code=code)
    last = last_readers(model)
    made = {counts_name(layer): step for step, layer in enumerate(model.layers)}
    # Pixels have a memory of their own.
    placed = [(name, one) for name, one in plan.maps.items() if name != PIXELS]
    for index, (name, one) in enumerate(placed):
        assert one.base + one.size <= plan.required.spike_depth
        for other_name, other in placed[:index]:
            alive = made[name] <= last.get(other_name, made[other_name])
            if alive and made[other_name] <= last.get(name, made[name]):
                assert one.base >= other.base + other.size or other.base >= one.base + one.size


def test_every_weight_has_one_place():
    model = random_model(3, dims=(8, 16, 24, 16))
    plan = compile_model(model, columns=2, lanes=5, spike_code=SpikeCode.BIT_SERIAL)
    total = sum(
        int(np.abs(layer.weight.astype(int)).sum())
        for layer in model.layers
        if isinstance(layer, Conv)
    )
    assert int(np.abs(plan.rows.astype(int)).sum()) == total


def test_a_spike_code_may_be_given_by_name():
    model = random_model(3, dims=(8, 16, 24, 16))
    by_name, by_code = (
        compile_model(model, columns=2, lanes=8, spike_code=code).required
        for code in ("split", SpikeCode.SPLIT)
    )
    assert by_name == by_code


@st.composite
def blocks(draw):
    """Sizes, steps in the order of placing, and last steps, of some blocks."""
    steps = sorted(draw(st.lists(st.integers(0, 9), min_size=1, max_size=12)))
    return [(draw(st.integers(1, 20)), step, draw(st.integers(step, step + 4))) for step in steps]


@given(blocks=blocks())
def test_arranged_blocks_share_words_only_at_different_steps(blocks):
    allocator = Allocator()
    for size, step, last in blocks:
        allocator.place(size, step=step, last=last)
    if not (bases := allocator.arranged()):
        return
    again = Allocator(bases)
    assert [again.place(size, step=step, last=last) for size, step, last in blocks] == bases
    assert again.depth < allocator.depth
    for (one, at), (other, there) in combinations(zip(blocks, bases, strict=True), 2):
        (size, step, last), (other_size, other_step, other_last) = one, other
        if step <= other_last and other_step <= last:
            assert at + size <= there or there + other_size <= at


@pytest.mark.parametrize(
    ("name", "columns", "words"), [("cifar10-nano", 4, 2048), ("digits", 2, 192)]
)
def test_maps_take_no_more_words_than_are_needed_at_once(project_root, name, columns, words):
    model = golden.load(project_root / "tests" / "data" / f"{name}.safetensors")
    plan = compile_model(model, columns=columns, lanes=16, spike_code=SpikeCode.SPLIT)
    assert plan.required.spike_depth == words


def test_the_allocator_uses_words_again():
    allocator = Allocator()
    assert allocator.place(10, step=0, last=1) == 0
    assert allocator.place(5, step=1, last=2) == 10
    assert allocator.place(8, step=2, last=3) == 0
    assert allocator.depth == 15
