"""Exact ranges: attained by some input, left by none."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest

from golden import (
    PIXELS,
    Conv,
    Fire,
    Input,
    IntegerModel,
    Membrane,
    ModelError,
    Neuron,
    Order,
    Output,
    Reset,
    Rounding,
    SpikeCode,
    Sum,
    Write,
    planes,
    run,
    stream_thresholds,
    validate,
)
from golden.analysis.synthetic import random_images, random_model
from golden.interval import kv_width, saturate, width
from golden.model.ranges import analyse, widths
from golden.ops.conv import conv_interval
from golden.ops.convolve import convolve
from golden.ops.key_value import key_value
from golden.ops.query import query
from golden.spike import passes


def tiny_conv(weight, *, source="x.counts", groups=1):
    weight = np.array(weight, np.int8)
    return Conv.square("tiny", source, weight, 4, 1, 0, groups, epilogue=None)


@pytest.mark.parametrize("max_count", [1, 2, 3])
def test_conv_bounds_are_the_extremes_over_all_inputs(max_count):
    layer = tiny_conv([[[[3]], [[-2]], [[7]]], [[[-1]], [[-5]], [[0]]], [[[0]], [[0]], [[0]]]])
    inputs = np.array(list(product(range(max_count + 1), repeat=3))).reshape(-1, 3, 1, 1)
    potential = convolve(inputs, layer.weight)
    low, high = conv_interval(layer, max_count)
    assert low.tolist() == potential.min(axis=(0, 2, 3)).tolist()
    assert high.tolist() == potential.max(axis=(0, 2, 3)).tolist()


def test_stem_bounds_are_the_extremes_over_all_pixels():
    layer = tiny_conv([[[[7]]], [[[-7]]]], source=PIXELS)
    potential = convolve(np.arange(256).reshape(-1, 1, 1, 1), layer.weight)
    low, high = conv_interval(layer, 4)
    assert low.tolist() == potential.min(axis=(0, 2, 3)).tolist() == [0, -1785]
    assert high.tolist() == potential.max(axis=(0, 2, 3)).tolist() == [1785, 0]


@pytest.mark.parametrize("code", SpikeCode)
def test_accumulators_stay_inside_the_bounds_at_every_addition(code):
    weight = [5, -7, 2]
    (low,), (high,) = conv_interval(tiny_conv([[[[w]] for w in weight]]), 3)
    reached = set()
    for counts, order in product(product(range(4), repeat=3), permutations(range(3))):
        accumulator = 0
        expanded = planes(np.array(counts), code, 3)
        for group in passes(code, 3):
            accumulator *= 2 if code is SpikeCode.BIT_SERIAL else 1
            # All spikes of a synapse come one after the other.
            for synapse, index in product(order, reversed(group)):
                reached.add(accumulator)
                weighs = 1 if index == group[-1] else 2
                accumulator += int(expanded[index, synapse]) * weight[synapse] * weighs
            reached.add(accumulator)
    assert min(reached) == low
    assert max(reached) == high


def test_attention_bounds_are_attained_when_everything_spikes():
    model = random_model(3)
    ranges = analyse(model)
    full = np.full((1, 16, 2, 2), 4)
    memory = key_value(full, np.full((1, 64, 2, 2), 4), 2)
    assert (ranges.memory["block3.0.attn.kv"][1] == memory.max(axis=(0, 2, 3))).all()
    assert (ranges.memory["block3.0.attn.kv"][0] == 0).all()
    low, high = ranges.potential["block3.0.attn.attn"]
    assert (high == query(full, memory).max(axis=(0, 2, 3))).all()
    assert (low == 0).all()


@pytest.mark.parametrize("seed", range(4))
def test_no_tensor_of_a_run_leaves_its_interval(seed):
    model = random_model(seed, max_count=[1, 4, 7, 15][seed])
    ranges = analyse(model)
    tensors = run(model, random_images(seed, 8, model.image_shape), trace=True).tensors
    for name, (low, high) in ranges.stream.items():
        stream = tensors[f"{name}.stream"]
        assert (stream.min(axis=(0, 2, 3)) >= low).all(), name
        assert (stream.max(axis=(0, 2, 3)) <= high).all(), name
    for name, (_, high) in ranges.memory.items():
        assert (tensors[name].max(axis=(0, 2, 3)) <= high).all(), name
    low, high = ranges.logits
    assert (tensors["logits"] >= low).all()
    assert (tensors["logits"] <= high).all()


def test_streams_add_up_channel_by_channel():
    model = random_model(3)
    ranges = analyse(model)
    layer = next(layer for layer in model.layers if layer.name == "block3.0")
    before, after = ranges.stream["block3.0.attn"], ranges.stream["block3.0"]
    branch = [
        (bound << layer.epilogue.shift) + layer.epilogue.bias
        for bound in ranges.potential["block3.0"]
    ]
    assert after[0].tolist() == (before[0] + branch[0]).tolist()
    assert after[1].tolist() == (before[1] + branch[1]).tolist()
    # The sum over tokens has the bounds of one token, as often as there are tokens.
    last = [bound * 4 for bound in ranges.stream["block4.0"]]
    assert [bound.tolist() for bound in ranges.potential["head.sum"]] == [
        bound.tolist() for bound in last
    ]


def test_widths_hold_the_intervals():
    model = random_model(3)
    ranges = analyse(model)
    bits = widths(model)
    assert bits == model.widths
    for name, (low, high) in ranges.potential.items():
        limit = 2 ** (bits[name]["potential"] - 1)
        assert -limit <= low.min()
        assert high.max() < limit
        assert low.min() < -limit // 2 or high.max() >= limit // 2
    assert bits["block3.0.attn.kv"] == {"memory": (4 * 16).bit_length()}
    assert set(bits["head"]) == {"potential", "output"}
    assert set(bits["block3.0"]) == {"potential", "stream"}


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [
        (0, 0, 1),
        (-1, 0, 1),
        (0, 1, 2),
        (-2, 1, 2),
        (-3, 1, 3),
        (-128, 127, 8),
        (-129, 0, 9),
        (0, 128, 9),
    ],
)
def test_width_is_that_of_twos_complement(low, high, bits):
    assert width(low, high) == bits
    assert width(np.array([low, 0]), np.array([0, high])) == bits


def test_kv_width_has_no_sign():
    assert [kv_width(high) for high in (0, 1, 3136, 4095, 4096)] == [1, 1, 12, 12, 13]


def test_thresholds_saturate_just_outside_the_interval():
    thresholds = np.array([[-99, 0, 99], [-(10**12), 5, 10**12]])
    assert saturate(thresholds, np.array([-4, 5]), np.array([4, 5])).tolist() == [
        [-4, 0, 5],
        [5, 5, 6],
    ]


def test_more_bits_than_int64_sums_allow_are_refused():
    model = random_model(3)
    last = [layer.name for layer in model.layers].index("block4.0")
    layer = model.layers[last]
    weight = np.full(layer.weight.shape, 2**15 - 1, np.int16)
    wide = replace(layer, weight=weight, weight_bits=16, epilogue=replace(layer.epilogue, shift=32))
    layers = (*model.layers[:last], wide, *model.layers[last + 1 :])
    with pytest.raises(ModelError, match=r"Layer block4\.0: values must fit 48 bits, not need"):
        analyse(replace(model, layers=layers))


def summed_model(bias, side=1):
    """A stream of ``bias`` alone, on ``side`` x ``side`` positions, and its sum."""
    zero = np.zeros((1, 1, 1, 1), np.int8)
    rounding = Rounding.HALF_UP
    write = Write(None, 0, np.array([bias]), 1, Neuron(stream_thresholds(1, 1, rounding), rounding))
    ladder = stream_thresholds(1, 1, rounding, side**2)
    return IntegerModel(
        "sums",
        Input((side, side, 1)),
        (
            Conv.square("a", PIXELS, zero, 2, 1, 0, 1, write),
            Sum("sum", "a.stream", Fire(Neuron(ladder, rounding))),
            Conv.square("head", "sum.counts", zero, 2, 1, 0, 1, Output(np.zeros(1, np.int64), 1.0)),
        ),
    )


@pytest.mark.parametrize("bias", [2**46 - 1, -(2**46)])
def test_a_sum_that_wraps_to_a_small_number_is_refused(bias):
    with pytest.raises(ModelError, match=r"Layer sum: values must fit 48 bits, not need 6\d"):
        validate(summed_model(bias, side=2**9))


def test_the_least_number_of_48_bits_is_legal():
    model = summed_model(-(2**46))
    again = replace(
        model.layers[0], name="b", epilogue=replace(model.layers[0].epilogue, previous="a.stream")
    )
    model = replace(model, layers=(model.layers[0], again, *model.layers[1:]))
    validate(model)
    assert widths(model)["b"]["stream"] == 48
    below = replace(
        again, name="c", epilogue=replace(again.epilogue, previous="b.stream", bias=np.array([-1]))
    )
    with pytest.raises(ModelError, match="Layer c: values must fit 48 bits, not need 49"):
        validate(replace(model, layers=(*model.layers[:2], below, *model.layers[2:])))


def test_a_late_state_is_lowered_by_the_counts_of_the_layer_before():
    late = Membrane(reset=Reset.SUBTRACT, unit=3, order=Order.LATE, state="shared")

    def silent(name, ladder):
        neuron = Neuron(np.array([ladder]), Rounding.HALF_UP, late)
        return Conv.square(name, PIXELS, np.zeros((1, 1, 1, 1), np.int8), 2, 1, 0, 1, Fire(neuron))

    head = Conv.square(
        "head",
        "second.counts",
        np.ones((1, 1, 1, 1), np.int8),
        2,
        1,
        0,
        1,
        Output(np.zeros(1, np.int64), 1.0),
    )
    # The first layer fires 3 of a state of 0, which the second one subtracts: 0 - 3 * 2**3.
    model = IntegerModel(
        "late", Input((1, 1, 1)), (silent("first", [0, 0, 0]), silent("second", [1]), head)
    )
    validate(model)
    tensors = run(model, np.zeros((1, 1, 1, 1), np.uint8), trace=True).tensors
    assert tensors["first.counts"].item() == 3
    assert tensors["second.state"].item() == -24
    assert widths(model)["second"]["state"] == 6
