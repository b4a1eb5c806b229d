"""The reader and all behind it, against what files compute in exact numbers."""

import copy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import golden
from golden.data.digits import load_digits
from hw.build import build
from hw.compiler.compile import compile_model
from sim.verify import verify
from tests.qonnx.converted import compare, convert, logits_are_exact, saved
from tests.qonnx.others import perceptron, pooled, streamlined
from tests.qonnx.residual import residual
from tests.qonnx.spelling import PIXELS
from train.graph import Neuron, Ties
from train.qonnx import read


DATA = Path(__file__).parent.parent / "data"
FIXTURES = ["brevitas-digits", "brevitas-digits-dynamo", "residual-qonnx"]
BYTE = Fraction(1, 256)

#: Networks whose sums have a common step, so that every count is that of the file.
SPELLINGS = [
    {},
    {"mean": "AveragePool"},
    {"mean": "ReduceMean", "flatten": "Reshape"},
    {"mean": "ReduceMean-13", "flatten": "Reshape-minus"},
    {"mean": "none", "norm": "any"},
    {"head": "MatMul"},
    {"head": "MatMul-plain", "constants": "listed"},
    {"constants": "nodes"},
    {"activation": "IntQuant", "rounding": "half_even"},
    {"relu": False, "rounding": ""},
    {"activation": "MultiThreshold", "relu": False},
    {"activation": "MultiThreshold", "relu": False, "norm": "none"},
    {"scales": "one"},
    {"scales": "channel", "narrow_weights": False, "bits": 3, "narrow": True},
    {"scales": "channel", "narrow_weights": False, "norm": "any", "weight_bits": 3},
    {"batch": "N"},
    {"norm": "any"},
    {"norm": "none", "bias": "quant", "weight_bits": 2},
    {"bits": 1, "norm": "any"},
    {"bits": 8, "weight_bits": 8, "max_pool": True, "norm": "none"},
    {"depthwise": True, "max_pool": True},
    {"depthwise": True, "max_pool": True, "auto_pad": True},
    *({"pixels": pixels} for pixels in PIXELS if pixels != "quant"),
    {"pixels": "signed", "auto_pad": True, "norm": "any"},
    *({"rounding": mode} for mode in ("CEIL", "Floor", "UP", "DOWN", "HALF_UP", "HALF_DOWN")),
]
#: What a spelling may be drawn of.
CHOICES = {
    "pixels": list(PIXELS),
    "activation": ["Quant", "IntQuant"],
    "relu": [False, True],
    "bits": [2, 3, 4, 6, 8],
    "narrow": [False, True],
    "rounding": ["ROUND", "ceil", "Floor", "UP", "half_down", "HALF_UP", ""],
    "weight_bits": [2, 3, 4, 6, 8],
    "narrow_weights": [False, True],
    "scales": ["scalar", "one", "channel"],
    "norm": ["dyadic", "any", "none"],
    "bias": ["float", "quant"],
    "auto_pad": [False, True],
    "depthwise": [False, True],
    "max_pool": [False, True],
    "mean": ["GlobalAveragePool", "AveragePool", "ReduceMean", "ReduceMean-13", "none"],
    "flatten": ["Flatten", "Reshape", "Reshape-minus"],
    "head": ["Gemm", "MatMul", "MatMul-plain"],
    "constants": ["initializers", "listed", "nodes"],
}


@pytest.fixture(scope="module")
def pictures():
    return load_digits()[2][:5]


def assert_exact(changes, seed, folder, pictures):
    model = residual(seed, **changes)
    pixels = changes.get("pixels", "quant")
    step, zero = PIXELS[pixels]
    converted = convert(saved(model, folder), scale=step if pixels == "none" else None)
    differ = compare(model, converted, pictures, step, zero)
    assert len(differ) == 6
    assert not any(differ.values()), (seed, changes, differ)
    if pixels != "quant255":
        assert logits_are_exact(model, converted, pictures, step, zero)
    if changes.get("norm") != "any":
        traced = converted.quantised.run(pictures, trace=True)
        tensors = golden.run(converted.model, pictures, trace=True).tensors
        for name, tensor in traced.items():
            assert np.array_equal(tensor, tensors[name].reshape(tensor.shape)), name


@pytest.mark.parametrize("changes", SPELLINGS, ids=str)
def test_every_count_and_logit_is_that_of_the_file(changes, seed, tmp_path, pictures):
    assert_exact(changes, seed, tmp_path, pictures)


@pytest.mark.soak
def test_so_are_those_of_spellings_at_random(seed, soak, tmp_path, pictures):
    draw = np.random.default_rng(seed)
    for _ in range(400 if soak else 16):
        changes = {name: values[draw.integers(len(values))] for name, values in CHOICES.items()}
        assert_exact(changes, int(draw.integers(2**31)), tmp_path, pictures)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixtures_are_exact(name, pictures):
    model = onnx.load(DATA / f"{name}.onnx")
    converted = convert(DATA / f"{name}.onnx")
    differ = compare(model, converted, pictures, BYTE)
    assert not any(differ.values()), differ
    # Biases that Brevitas trained are floats of more bits than class scores have.
    assert logits_are_exact(model, converted, pictures, BYTE) == (name == "residual-qonnx")


def test_both_files_of_brevitas_become_one_model():
    left, right = (convert(DATA / f"{name}.onnx").model for name in FIXTURES[:2])
    assert [layer.name for layer in left.layers] == ["1.0", "2.0", "3.0", "4.0", "6"]
    for one, other in zip(left.layers, right.layers, strict=True):
        assert one.name == other.name
        assert np.array_equal(one.weight, other.weight)
        if one.name != "6":
            assert np.array_equal(one.epilogue.neuron.thresholds, other.epilogue.neuron.thresholds)


def scaled(name, seed):
    """A fixture whose scales are no powers of two, but for that of the pictures."""
    model = onnx.load(DATA / f"{name}.onnx")
    draw = np.random.default_rng(seed)
    scales = {node.input[1] for node in model.graph.node if node.op_type == "Quant"}
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if tensor.name in scales and value != 2**-8:
            value = (value * draw.uniform(0.7, 1.4)).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    return model


def test_any_scale_is_exact_where_no_sum_needs_a_common_one(seed, tmp_path, pictures):
    model = scaled("brevitas-digits", seed)
    differ = compare(model, convert(saved(model, tmp_path)), pictures, BYTE)
    assert not any(differ.values()), differ


@pytest.mark.parametrize(("bits", "most"), [(8, 64), (14, 4)])
def test_mixed_scales_before_a_sum_are_nearly_exact(seed, tmp_path, pictures, bits, most):
    model = scaled("residual-qonnx", seed)
    converted = convert(saved(model, tmp_path), weight_bits=bits)
    assert (
        max(layer.weight_bits for layer in converted.model.layers if layer.KIND == "conv") <= bits
    )
    differ = compare(model, converted, pictures, BYTE)
    assert differ["stem.act"] == differ["block1.act1"] == 0
    # The first sum, of 2560 counts: later layers read what it counts.
    assert differ["block1.act2"] <= most


def test_names_are_those_of_modules():
    graph = read(DATA / "residual-qonnx.onnx")
    assert [node.name for node in graph.nodes[:11]] == [
        "pixels",
        "stem.conv",
        "stem.norm",
        "stem.act",
        "block1.conv1",
        "block1.norm1",
        "block1.act1",
        "block1.conv2",
        "block1.norm2",
        "block1.Add",
        "block1.act2",
    ]
    layers = convert(DATA / "residual-qonnx.onnx").model.layers
    assert [layer.name for layer in layers] == [
        "stem.conv",
        "block1.conv1",
        "block1.conv2",
        "block1",
        "block2.conv1",
        "block2.conv2",
        "block2",
        "head",
    ]


def test_the_least_weight_needs_one_bit_more(tmp_path):
    for narrow, width in ((True, 4), (False, 5)):
        model = residual(narrow_weights=narrow)
        layer = convert(saved(model, tmp_path)).model.layers[0]
        assert layer.weight.min() == (-7 if narrow else -8)
        assert layer.weight_bits == width


@pytest.mark.parametrize(
    ("pixels", "scale", "centre"),
    [
        ("quant", BYTE, 0),
        ("quant255", Fraction(float(np.float32(1 / 255))), 0),
        ("mul", BYTE, 0),
        ("signed", BYTE, 128),
        ("shifted", BYTE, 128),
        ("zero_point", BYTE, 0),
    ],
)
def test_the_file_says_what_a_byte_stands_for(pixels, scale, centre, tmp_path):
    entry = read(saved(residual(pixels=pixels), tmp_path)).nodes[0]
    assert (entry.scale, entry.centre, entry.constant) == (scale, centre, centre)
    assert entry.size == (1 + (centre > 0), 8, 8)


def test_a_scale_that_is_given_is_taken(tmp_path):
    entry = read(saved(residual(pixels="none"), tmp_path), scale=Fraction(1, 255)).nodes[0]
    assert entry.scale == Fraction(1, 255)


def test_another_scale_is_taken_where_nobody_says_one(tmp_path):
    scales = [
        read(saved(residual(pixels=pixels), tmp_path), otherwise=Fraction(1, 255)).nodes[0].scale
        for pixels in ("quant", "mul", "none")
    ]
    assert scales == [BYTE, BYTE, Fraction(1, 255)]


def test_a_quantiser_of_pictures_with_few_levels_is_a_neuron(tmp_path, pictures):
    """With a byte for 2^-10, the 8 bits of the input count to 64 alone."""
    model = residual(pixels="quant")
    graph = read(saved(model, tmp_path), scale=Fraction(1, 1024))
    neuron = next(node for node in graph.nodes if isinstance(node, Neuron))
    assert (neuron.name, neuron.firing.levels, neuron.inputs) == ("pixels#2", 255, ("pixels",))


@pytest.mark.parametrize(
    ("write", "byte"), [(streamlined, BYTE), (perceptron, BYTE), (pooled, Fraction(1))]
)
def test_other_spellings_are_exact(write, byte, seed, tmp_path, pictures):
    for number in range(4):
        model = write(np.random.default_rng(seed + number))
        onnx.checker.check_model(model)
        converted = convert(saved(model, tmp_path))
        differ = compare(model, converted, pictures, byte)
        assert not any(differ.values()), differ
        # The scale of the perceptron's counts is no power of two, and its bias no multiple of it.
        exact = logits_are_exact(model, converted, pictures, byte)
        assert exact == (write is not perceptron)


@pytest.mark.sim
@pytest.mark.parametrize("name", ["brevitas-digits", "residual-qonnx"])
def test_hardware_counts_what_golden_counts(name, tmp_path, project_root):
    model = convert(DATA / f"{name}.onnx").model
    plan = compile_model(model, columns=2, lanes=8, spike_code=golden.SpikeCode.BIT_SERIAL)
    build(plan, tmp_path)
    images = load_digits()[2][:4]
    figures = verify(tmp_path, model, images, cache=project_root / "build" / "sim")
    assert figures["first_mismatch"] is None
    assert (figures["mismatches"], figures["images"]) == (0, 4)
    assert figures["cycles"] == figures["predicted_cycles"]


def test_a_copy_of_the_network_is_the_same(tmp_path, pictures):
    """Bytes less a constant, and padding of two kinds, are bound to copies of the modules."""
    path = saved(residual(pixels="signed", auto_pad=True), tmp_path)
    quantised = convert(path).quantised
    again = replace(quantised, network=copy.deepcopy(quantised.network))
    left, right = (one.run(pictures)["logits"] for one in (quantised, again))
    assert np.array_equal(left, right)


def test_rounding_rules_are_ties(tmp_path):
    rules = {"FLOOR": Ties.FLOOR, "up": Ties.CEIL, "Half_Down": Ties.HALF_DOWN}
    for rule, ties in rules.items():
        graph = read(saved(residual(rounding=rule), tmp_path))
        assert {node.firing.ties for node in graph.nodes if isinstance(node, Neuron)} == {ties}
