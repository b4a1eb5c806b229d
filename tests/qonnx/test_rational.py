from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from golden.data.digits import load_digits
from tests.qonnx import floats
from tests.qonnx.exact import Exact
from tests.qonnx.nodes import NODES
from tests.qonnx.rational import evaluate, source
from tests.qonnx.residual import residual
from tests.qonnx.spelling import PIXELS


DATA = Path(__file__).parent.parent / "data"

#: Before 1.23, onnx's evaluator pads convolutions otherwise than its text says.
PINNED = pytest.mark.pinned

#: Ways to write the same network, with what the graph is given of a byte.
SAME = [
    {"mean": "AveragePool"},
    {"mean": "ReduceMean", "flatten": "Reshape"},
    {"mean": "ReduceMean-13", "flatten": "Reshape-minus"},
    {"head": "MatMul"},
    {"head": "MatMul-plain", "constants": "listed"},
    {"constants": "nodes"},
    {"activation": "IntQuant", "rounding": "half_even"},
    {"relu": False, "rounding": ""},
    {"scales": "one"},
    {"batch": "N"},
    *({"pixels": pixels} for pixels in ("none", "mul", "div", "zero_point")),
]
#: Other networks.
OTHERS = [
    {"activation": "MultiThreshold"},
    {"activation": "MultiThreshold", "narrow": True, "relu": False},
    {"norm": "none", "bias": "quant", "weight_bits": 2},
    {"depthwise": True, "max_pool": True},
    pytest.param({"depthwise": True, "max_pool": True, "auto_pad": True}, marks=PINNED),
    pytest.param({"auto_pad": True, "mean": "none"}, marks=PINNED),
    {"scales": "channel", "narrow_weights": False, "bits": 3, "narrow": True},
    {"pixels": "signed"},
    {"pixels": "shifted"},
    {"signed_add": True, "bits": 2},
    {"zero": 3, "relu": False},
    *({"rounding": mode} for mode in ("CEIL", "Floor", "UP", "DOWN", "HALF_UP", "HALF_DOWN")),
]


@pytest.fixture(scope="module")
def pictures():
    return load_digits()[2][:20]


def test_quantisers_are_as_worked_by_hand():
    """In steps of 1/2, the numbers are -5, 3/2, 5/2, 19/3 and 40."""
    numbers = Exact.of([
        Fraction(-5, 2),
        Fraction(3, 4),
        Fraction(5, 4),
        Fraction(19, 6),
        Fraction(20),
    ])
    half, zero, three = Exact.of(0.5), Exact.of(0.0), Exact.of(3.0)

    def steps(zero=zero, **attributes):
        return NODES["Quant"](attributes, numbers, half, zero, three).integers(0.5).tolist()

    assert steps(signed=0, narrow=0) == [0, 2, 2, 6, 7]
    assert steps(signed=0, narrow=1) == [0, 2, 2, 6, 6]
    assert steps(signed=1, narrow=0) == [-4, 2, 2, 3, 3]
    assert steps(signed=1, narrow=1) == [-3, 2, 2, 3, 3]
    assert steps(signed=0, narrow=0, rounding_mode=b"half_up") == [0, 2, 3, 6, 7]
    # 1 is added, and then taken away: 5/2 and 7/2 are the ties now.
    assert steps(Exact.of(1.0), signed=0, narrow=0) == [-1, 1, 3, 6, 6]


def test_thresholds_count_what_is_reached():
    numbers = Exact.of([[0.0, 0.0], [1.0, 2.0], [5.0, 5.0]])
    levels = Exact.of([[1.0, 1.0, 3.0], [-1.0, 2.0, 9.0]])
    counted = NODES["MultiThreshold"]({"out_scale": 0.5, "out_bias": -1.0}, numbers, levels)
    assert (counted.fractions() * 2 + 2).tolist() == [[0, 1], [2, 2], [3, 2]]
    nhwc = numbers.moved(lambda array: array.reshape(1, 1, 3, 2))
    counted = NODES["MultiThreshold"]({"data_layout": b"NHWC"}, nhwc, levels)
    assert counted.integers().reshape(3, 2).tolist() == [[0, 1], [2, 2], [3, 2]]


def test_a_batch_norm_keeps_its_root():
    """Slope 3 / √2 from a variance of 1 and an epsilon of 1, slope 3 / 2 from one of 3."""
    numbers = Exact.of([[4.0, 4.0]])
    parameters = map(Exact.of, ([3.0, 3.0], [0.0, 0.0], [1.0, 1.0], [1.0, 3.0]))
    normed = NODES["BatchNormalization"]({"epsilon": 1.0}, numbers, *parameters)
    assert (normed.whole / normed.denominator).tolist() == [[0, 4.5]]
    assert (normed.surd / normed.denominator).tolist() == [[9, 0]]
    assert normed.radicand[0, 0] == Fraction(1, 2)
    quantised = NODES["Quant"](
        {"signed": 0, "narrow": 0}, normed, Exact.of(1.0), Exact.of(0.0), Exact.of(4.0)
    )
    assert quantised.integers().tolist() == [[6, 4]]


def of_one(kind, shape, rest=(), **attributes):
    """A file of one node."""
    inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)]
    held = [onnx.numpy_helper.from_array(array, f"c{i}") for i, array in enumerate(rest)]
    node = helper.make_node(kind, ["x", *(tensor.name for tensor in held)], ["y"], **attributes)
    graph = helper.make_graph([node], kind, inputs, outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


GEOMETRIES = [
    {"kernel_shape": [3, 3]},
    {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "strides": [2, 1]},
    {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER", "strides": [2, 2]},
    {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [2, 1]},
    {"kernel_shape": [2, 3], "auto_pad": "SAME_UPPER"},
    pytest.param({"kernel_shape": [2, 3], "auto_pad": "VALID", "strides": [1, 2]}, marks=PINNED),
]


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize(
    "kind", ["Conv", "depthwise", "dilated", "MaxPool", "AveragePool", "padded"]
)
def test_windows_are_those_of_onnx(kind, geometry, seed):
    draw = np.random.default_rng(seed)
    bytes_ = draw.integers(0, 256, (2, 7, 6, 4), np.uint8)
    weight = draw.integers(-8, 8, (8, 4, *geometry["kernel_shape"])).astype(np.float32)
    bias = draw.integers(-8, 8, 8).astype(np.float32)
    match kind:
        case "Conv":
            model = of_one("Conv", [1, 4, 7, 6], [weight, bias], **geometry)
        case "depthwise":
            model = of_one("Conv", [1, 4, 7, 6], [weight[:, :1]], group=4, **geometry)
        case "dilated":
            more = {"group": 2, "dilations": [1, 2]}
            model = of_one("Conv", [1, 4, 7, 6], [weight[:, :2]], **geometry, **more)
        case "padded":
            model = of_one("AveragePool", [1, 4, 7, 6], count_include_pad=1, **geometry)
        case _:
            model = of_one(kind, [1, 4, 7, 6], **geometry)
    cells = bytes_.transpose(0, 3, 1, 2).astype(np.float64) - 100
    found = evaluate(model, bytes_, zero=100)["y"].floats()
    if (kind, geometry.get("auto_pad")) == ("MaxPool", "SAME_LOWER"):
        # Which onnx's evaluator begins elsewhere than at its own padding.
        model = of_one(kind, [1, 4, 7, 6], kernel_shape=[3, 3], strides=[2, 1], pads=[1] * 4)
    expected = [floats.evaluate(model, cells[i : i + 1])["y"] for i in range(2)]
    assert np.array_equal(found, np.concatenate(expected))


@pytest.mark.parametrize("changes", [{}, *SAME, *OTHERS])
def test_a_residual_network_is_what_float64_computes(changes, pictures, seed):
    """Where all steps are powers of two, float64 has room for every number."""
    model = residual(seed, **changes)
    onnx.checker.check_model(model)
    step, zero = PIXELS[changes.get("pixels", "quant")]
    tensors = evaluate(model, pictures[:3], step, zero)
    for at in range(3):
        cells = (pictures[at].transpose(2, 0, 1)[np.newaxis].astype(float) - zero) * float(step)
        for name, expected in floats.evaluate(model, cells).items():
            found = tensors[name].floats()
            if tensors[name].shape != expected.shape:
                found = found[at : at + 1]
            assert np.array_equal(found, expected), name


@pytest.mark.parametrize("changes", SAME)
def test_spellings_of_one_network_compute_the_same(changes, pictures, seed):
    plain, other = residual(seed), residual(seed, **changes)
    expected = evaluate(plain, pictures[:3], *PIXELS["quant"])
    found = evaluate(other, pictures[:3], *PIXELS[changes.get("pixels", "quant")])
    names = [model.graph.output[0].name for model in (plain, other)]
    assert (expected[names[0]].fractions() == found[names[1]].fractions()).all()


@pytest.mark.parametrize("changes", [{}, {"norm": "any"}, {"activation": "MultiThreshold"}])
def test_activations_of_a_random_network_differ(changes, pictures, seed):
    model = residual(seed, **changes)
    tensors = evaluate(model, pictures, *PIXELS["quant"])
    for node in model.graph.node:
        if "/act" in node.name and node.op_type != "Relu":
            assert len(np.unique(tensors[node.output[0]].whole)) > 7, node.name


@pytest.mark.parametrize("name", ["brevitas-digits", "brevitas-digits-dynamo"])
def test_a_file_of_brevitas_is_what_float64_quantises(name, pictures):
    """Its batch norms divide by roots, so float64 has other numbers between the quantisers."""
    model = onnx.load(DATA / f"{name}.onnx")
    tensors = evaluate(DATA / f"{name}.onnx", pictures, Fraction(1, 256))
    for at in range(len(pictures)):
        cells = pictures[at].transpose(2, 0, 1)[np.newaxis] / 256
        nearly = floats.evaluate(model, cells)
        for node in model.graph.node:
            tensor = tensors[node.output[0]]
            found = tensor.floats()
            found = found[at : at + 1] if source(model.graph) in follows(model, node) else found
            if node.op_type in {"Quant", "Conv"}:
                assert np.array_equal(found, nearly[node.output[0]]), node.name
            elif node.op_type == "BatchNormalization":
                assert not tensor.rational
    labels = load_digits()[3][:20]
    assert tensors[model.graph.output[0].name].floats().argmax(1).tolist() == labels.tolist()


def follows(model, node):
    """Names of all tensors that a node's output follows from."""
    makers = {made.output[0]: made for made in model.graph.node}
    names, pending = set(), list(node.input)
    while pending:
        name = pending.pop()
        names.add(name)
        pending += makers[name].input if name in makers else []
    return names


def test_both_files_of_brevitas_hold_one_network(pictures):
    found = []
    for name in ("brevitas-digits", "brevitas-digits-dynamo"):
        model = onnx.load(DATA / f"{name}.onnx")
        tensors = evaluate(model, pictures, Fraction(1, 256))
        kinds = [node for node in model.graph.node if node.op_type in {"Quant", "Gemm"}]
        found.append([tensors[node.output[0]].fractions() for node in kinds])
    for left, right in zip(*found, strict=True):
        assert (left == right).all()


def test_the_committed_file_is_the_network_of_seed_0():
    assert onnx.load(DATA / "residual-qonnx.onnx") == residual()


def test_what_is_not_evaluated_is_named(pictures):
    model = of_one("Softmax", [1, 1, 8, 8])
    model.graph.node[0].name = "attention"
    with pytest.raises(ValueError, match="Softmax 'attention' is not evaluated"):
        evaluate(model, pictures[:1])
