"""Every rule of an integer model, broken once."""

from dataclasses import replace

import numpy as np
import pytest

from golden import ModelError, Rounding, stream_thresholds, validate
from golden.analysis.synthetic import random_model
from golden.model.ranges import analyse
from tests.models import changed


@pytest.fixture(scope="module")
def model():
    return random_model(5)


def layer_of(model, name):
    return next(layer for layer in model.layers if layer.name == name)


def refused(model, sentence):
    with pytest.raises(ModelError) as caught:
        validate(model)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("max_count", [0, 256])
def test_largest_count(model, max_count):
    thresholds = np.zeros((1, max_count), np.int64)
    refused(
        changed(model, "block3.0.attn.q", neuron={"thresholds": thresholds}),
        f"Layer block3.0.attn.q: the largest count D must be 1 to 255, not {max_count}",
    )


@pytest.mark.parametrize("value", [-128, -8, 8])
def test_weights_stay_symmetric(model, value):
    weight = layer_of(model, "downsample2").weight.copy()
    weight[2, 1, 0, 0] = value
    refused(
        changed(model, "downsample2", weight=weight),
        f"Layer downsample2: weights of 4 bits must be -7 to 7, not {value}",
    )


@pytest.mark.parametrize("bits", [1, 17])
def test_weight_width(model, bits):
    refused(
        changed(model, "downsample2", weight_bits=bits),
        f"Layer downsample2: weight width must be 2 to 16 bits, not {bits}",
    )


def test_weight_type(model):
    weight = layer_of(model, "downsample2").weight
    refused(
        changed(model, "downsample2", weight=weight.astype(np.int64)),
        "Layer downsample2: weights must be int8, not int64",
    )
    refused(
        changed(model, "downsample2", weight=weight, weight_bits=9),
        "Layer downsample2: weights must be int16, not int8",
    )
    validate(changed(model, "downsample2", weight=weight.astype(np.int16), weight_bits=9))


def test_thresholds_never_decrease(model):
    thresholds = layer_of(model, "block3.0.attn.q").epilogue.neuron.thresholds.copy()
    thresholds[3, 2] = thresholds[3, 1] - 1
    refused(
        changed(model, "block3.0.attn.q", neuron={"thresholds": thresholds}),
        "Layer block3.0.attn.q: thresholds must not decrease, as those of channel 3 do",
    )


@pytest.mark.parametrize("thresholds", [np.zeros(4, np.int64), np.zeros((16, 4), np.int32)])
def test_threshold_shape_and_type(model, thresholds):
    refused(
        changed(model, "block3.0.attn.q", neuron={"thresholds": thresholds}),
        "Layer block3.0.attn.q: thresholds must be int64 of shape (channels, D), not "
        f"{thresholds.dtype} of shape {thresholds.shape}",
    )


def test_threshold_rows(model):
    thresholds = layer_of(model, "block3.0.attn.q").epilogue.neuron.thresholds[:-1]
    refused(
        changed(model, "block3.0.attn.q", neuron={"thresholds": thresholds}),
        "Layer block3.0.attn.q: thresholds must have 1 or 16 rows, not 15",
    )


@pytest.mark.parametrize("beyond", ["below", "above"])
def test_thresholds_are_saturated(model, beyond):
    low, high = (bound[3] for bound in analyse(model).potential["block3.0.attn.q"])
    thresholds = layer_of(model, "block3.0.attn.q").epilogue.neuron.thresholds.copy()
    thresholds[3] = [low, high, high + 1, high + 1]
    validate(changed(model, "block3.0.attn.q", neuron={"thresholds": thresholds}))
    if beyond == "below":
        thresholds[3, 0] = low - 1
    else:
        thresholds[3, 3] = high + 2
    wrong = thresholds[3, 0 if beyond == "below" else 3]
    refused(
        changed(model, "block3.0.attn.q", neuron={"thresholds": thresholds}),
        f"Layer block3.0.attn.q: thresholds of channel 3 must be {low} to {high + 1}, the "
        f"range of its potential, not {wrong}",
    )


def test_attention_thresholds_are_saturated(model):
    thresholds = np.array([[1, 2, 3, 10**6]])
    refused(
        changed(model, "block3.0.attn.attn", neuron={"thresholds": thresholds}),
        "Layer block3.0.attn.attn: thresholds of channel 0 must be 0 to",
    )


@pytest.mark.parametrize("layer", ["downsample1_1", "ConvBlock2_1.0", "block3.0.attn", "head.sum"])
def test_stream_ladder_follows_fraction_bits_and_rounding(model, layer):
    thresholds = layer_of(model, layer).epilogue.neuron.thresholds.copy()
    thresholds[0, 2] += 1
    refused(
        changed(model, layer, neuron={"thresholds": thresholds}),
        f"Layer {layer}: thresholds must be the half-even ladder",
    )
    refused(
        changed(model, layer, neuron={"rounding": Rounding.HALF_UP}),
        f"Layer {layer}: thresholds must be the half-up ladder",
    )


def test_fraction_bits_belong_to_a_stage(model):
    bits = layer_of(model, "block3.0").epilogue.fraction_bits
    ladder = stream_thresholds(bits + 1, 4, Rounding.HALF_EVEN)
    refused(
        changed(
            model, "block3.0", epilogue={"fraction_bits": bits + 1}, neuron={"thresholds": ladder}
        ),
        f"Layer block3.0: fraction bits F must be {bits} like those of "
        f"block3.0.attn.stream, not {bits + 1}",
    )


@pytest.mark.parametrize("shift", [-1, 33])
def test_shift(model, shift):
    refused(
        changed(model, "block3.0", epilogue={"shift": shift}),
        f"Layer block3.0: the shift must be 0 to 32, not {shift}",
    )


@pytest.mark.parametrize("bits", [0, 33])
def test_fraction_bits(model, bits):
    refused(
        changed(model, "block3.0", epilogue={"fraction_bits": bits}),
        f"Layer block3.0: fraction bits F must be 1 to 32, not {bits}",
    )


@pytest.mark.parametrize("layer", ["block3.0", "head"])
def test_bias(model, layer):
    bias = layer_of(model, layer).epilogue.bias
    refused(
        changed(model, layer, epilogue={"bias": bias[1:]}),
        f"Layer {layer}: the bias must be int64 of shape ({len(bias)},), not int64 of shape "
        f"({len(bias) - 1},)",
    )
    refused(
        changed(model, layer, epilogue={"bias": bias.astype(np.float64)}),
        f"Layer {layer}: the bias must be int64",
    )
    refused(
        changed(model, layer, epilogue={"bias": bias + 2**46}),
        f"Layer {layer}: the bias must fit 47 bits",
    )


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_logit_scale(model, scale):
    refused(
        changed(model, "head", epilogue={"scale": scale}),
        "Layer head: the scale of an output must be positive and finite",
    )


def test_rounding_rule(model):
    refused(
        changed(model, "block3.0.attn.q", neuron={"rounding": "up"}),
        "Layer block3.0.attn.q: the rounding rule must be half-up or half-even, not 'up'",
    )


@pytest.mark.parametrize(
    ("layer", "noun"),
    [
        ("block3.0.attn.q", "potential"),
        ("block3.0", "stream"),
        ("block3.0.attn.kv", "memory"),
        ("head", "output"),
    ],
)
def test_stored_widths_hold_the_exact_ranges(model, layer, noun):
    bits = model.widths[layer][noun]
    widths = {name: dict(entry) for name, entry in model.widths.items()}
    widths[layer][noun] = bits + 3
    validate(replace(model, widths=widths))
    widths[layer][noun] = bits - 1
    refused(
        replace(model, widths=widths),
        f"Layer {layer}: the {noun} width must be at least {bits} bits, which its exact range "
        f"needs, not {bits - 1}",
    )
    del widths[layer]
    refused(replace(model, widths=widths), f"Layer {layer}: the")


@pytest.mark.parametrize("mean", [-0.1, float("nan"), "0.5", None])
def test_mean_counts(model, mean):
    refused(
        replace(model, mean_counts={"pixels": mean}),
        f"The mean count of pixels must be a number of at least 0, not {mean!r}",
    )


def test_graphs_are_checked_too(model):
    refused(
        changed(model, "block3.0.attn.q", sources=("nowhere.counts",)),
        "Layer block3.0.attn.q: source nowhere.counts",
    )
