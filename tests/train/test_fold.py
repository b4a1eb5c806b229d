"""Folding of affine maps into integer thresholds, against exact evaluation at every potential."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.neuron import Rounding
from golden.ops import Fire, Write
from tests.training import random_quantised
from train.graph import Firing, Ties
from train.interpret.lower import ExportError, integer_model
from train.quant.thresholds import fold_thresholds


BOTH = pytest.mark.parametrize("rounding", list(Rounding))


def exact_count(potential, slope, offset, max_count, rounding):
    """round(clamp(slope * I + offset, 0, D)) in rationals."""
    value = Fraction(slope) * potential + Fraction(offset)
    value = min(max(value, Fraction(0)), Fraction(max_count))
    if rounding is Rounding.HALF_EVEN:
        return round(value)
    return (value + Fraction(1, 2)).__floor__()


@BOTH
@given(
    slope=st.one_of(
        st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 5e-324, 1e300]), st.floats(1e-4, 10)
    ),
    offset=st.one_of(st.sampled_from([-0.5, 0.0, 0.5, 1.5, 4.0]), st.floats(-20, 20)),
    max_count=st.sampled_from([1, 2, 4, 15]),
)
def test_thresholds_count_like_the_affine_map(rounding, slope, offset, max_count):
    low, high = -40, 40
    firing = Firing(max_count, Ties.of(rounding))
    thresholds = fold_thresholds(firing, slope, offset, low=low, high=high)
    assert thresholds.shape == (max_count,)
    assert (np.diff(thresholds) >= 0).all()
    assert low <= thresholds[0]
    assert thresholds[-1] <= high + 1
    for potential in range(low, high + 1):
        count = (potential >= thresholds).sum()
        assert count == exact_count(potential, slope, offset, max_count, rounding)


@pytest.mark.parametrize(
    ("slope", "offset", "message"),
    [
        (-1.0, 0.0, "slope must be at least 0, not -1.0"),
        (float("nan"), 0.0, "slope and offset must be finite, not nan and 0.0"),
        (1.0, float("inf"), "slope and offset must be finite, not 1.0 and inf"),
    ],
)
def test_impossible_maps_are_refused(slope, offset, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        fold_thresholds(Firing(4), slope, offset, low=-1, high=1)


def test_layers_stand_in_order_of_execution():
    model = integer_model(random_quantised(0), name="t")
    names = [layer.name for layer in model.layers]
    assert names[:6] == [
        "downsample1_1",
        "ConvBlock1_1.0.Conv.pwconv1",
        "ConvBlock1_1.0.Conv.dwconv",
        "ConvBlock1_1.0.Conv",
        "ConvBlock1_1.0.conv1",
        "ConvBlock1_1.0",
    ]
    assert [name for name in names if name.startswith("block3.0")] == [
        "block3.0.conv.pwconv1",
        "block3.0.conv.dwconv",
        "block3.0.conv",
        "block3.0.attn.q",
        "block3.0.attn.k",
        "block3.0.attn.v",
        "block3.0.attn.kv",
        "block3.0.attn.attn",
        "block3.0.attn",
        "block3.0.mlp.fc1",
        "block3.0",
    ]
    assert names[-2:] == ["head.sum", "head"]


def test_writers_of_a_stage_share_fraction_bits():
    model = integer_model(random_quantised(0), name="t")
    stage = []
    for layer in model.layers:
        epilogue = getattr(layer, "epilogue", None)
        if not isinstance(epilogue, Write):
            continue
        if epilogue.previous is None:
            stage = []
        stage.append(epilogue)
        assert epilogue.fraction_bits == stage[0].fraction_bits >= 1
        assert epilogue.shift >= 0


def test_negative_slopes_negate_the_row():
    quantised = random_quantised(3)
    conv, norm = quantised.network.modules_of.block3[0].attn.q_conv
    step = quantised.grids.scales["block3.0.attn.q"].double()[:, None, None, None]
    trained = (conv.weight / step).round().clamp(-127, 127).detach().numpy()
    negative = norm.weight.detach().numpy() < 0
    assert negative.any()
    assert not negative.all()
    layer = next(
        layer
        for layer in integer_model(quantised, name="t").layers
        if layer.name == "block3.0.attn.q"
    )
    assert (layer.weight[negative] == -trained[negative]).all()
    assert (layer.weight[~negative] == trained[~negative]).all()


def test_a_slope_of_zero_makes_a_constant():
    quantised = random_quantised(4)
    norm = quantised.network.modules_of.block3[0].mlp.fc1_bn
    norm.weight.data[0] = 0
    norm.bias.data[0] = 1.5
    layer = next(
        layer
        for layer in integer_model(quantised, name="t").layers
        if layer.name == "block3.0.mlp.fc1"
    )
    assert isinstance(layer.epilogue, Fire)
    rows = layer.weight[0].astype(np.int64)
    low, high = (4 * rows[sign].sum() for sign in (rows < 0, rows > 0))
    assert layer.epilogue.neuron.thresholds[0].tolist() == [low, low, high + 1, high + 1]


def test_parameters_that_are_not_finite_are_refused_by_name():
    quantised = random_quantised(5)
    quantised.network.modules_of.block4[0].attn.k_conv[1].bias.data[0] = float("nan")
    with pytest.raises(ExportError, match=r"^block4\.0\.attn\.k: slope and offset must be finite"):
        integer_model(quantised, name="t")
