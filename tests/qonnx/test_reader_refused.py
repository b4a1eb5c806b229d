"""Nodes that the reader refuses, in a sentence each."""

import numpy as np
import pytest
from onnx import helper

from tests.qonnx.converted import saved
from tests.qonnx.graph import Graph
from tests.qonnx.residual import residual
from train.normalise import findings
from train.qonnx import read


def small(write, shape=(1, 2, 4, 4)):
    """A network of one node in its middle: ``write`` adds it to a graph, and returns its output."""
    graph = Graph(shape)
    constants = [graph.constant(value) for value in (2.0**-8, 0.0, 8.0)]
    name = graph.node("Quant", "pixels", "pixels", *constants, signed=0, narrow=0)
    weight = graph.constant(np.ones((2, 2, 1, 1)) / 4)
    name = graph.node("Conv", "first", name, weight, kernel_shape=[1, 1])
    name = write(graph, name)
    weight = graph.constant(np.ones((3, 32)) / 4)
    name = graph.node("Flatten", "flat", name)
    return graph.model(graph.node("Gemm", "head", name, weight, transB=1), (1, 3))


def quant(graph, name, *, scale=0.5, zero=0.0, bits=4, kind="Quant", **attributes):
    constants = [graph.constant(value) for value in (scale, zero, bits)]
    attributes = {"signed": 0, "narrow": 0} | attributes
    return graph.node(kind, "x", name, *constants, **attributes)


def node(kind, **attributes):
    return lambda graph, name: quant_after(graph, graph.node(kind, "x", name, **attributes))


def quant_after(graph, name):
    constants = [graph.constant(value) for value in (0.5, 0.0, 4)]
    return graph.node("Quant", "act", name, *constants, signed=0, narrow=0)


def thresholds(graph, name, **attributes):
    return graph.node("MultiThreshold", "x", name, graph.constant([[1.0, 2.0]]), **attributes)


def convolution(graph, name, weight, **attributes):
    weight = graph.constant(weight)
    name = graph.node("Conv", "x", quant_after(graph, name), weight, **attributes)
    return quant_of(graph, "y", name)


def quant_of(graph, scope, name):
    constants = [graph.constant(value) for value in (0.5, 0.0, 4)]
    return graph.node("Quant", scope, name, *constants, signed=0, narrow=0)


def weight_by(kind, **attributes):
    def write(graph, name):
        constants = [graph.constant(value) for value in (0.25, 0.0, 4)][
            : 1 if kind != "Quant" else 3
        ]
        if kind == "Quant":
            constants[1] = graph.constant(attributes.pop("zero", 0.0))
        weight = graph.constant(np.ones((2, 2, 1, 1)))
        weight = graph.node(kind, "w", weight, *constants, **attributes)
        name = graph.node("Conv", "x", quant_after(graph, name), weight)
        return quant_of(graph, "y", name)

    return write


def gated(graph, name):
    left, right = quant_after(graph, name), quant_of(graph, "other", name)
    return quant_of(graph, "y", graph.node("Mul", "x", left, right))


def behind_relu(graph, name):
    weight = graph.constant(np.ones((2, 2, 1, 1)))
    name = graph.node("Conv", "second", graph.node("Relu", "x", name), weight)
    return quant_of(graph, "y", name)


def positions(graph, name):
    numbers = graph.constant(np.arange(32).reshape(1, 2, 4, 4))
    return quant_of(graph, "y", graph.node("Add", "x", name, numbers))


def last_channels(graph, name):
    output = "/x/Conv_output_0"
    weight = graph.constant(np.ones((2, 2, 1, 1)))
    domain = "qonnx.custom_op.channels_last"
    graph.nodes.append(helper.make_node("Conv", [name, weight], [output], "/x/Conv", domain=domain))
    return quant_of(graph, "y", output)


SIGNED = "hands on signed numbers, and spikes are none or some"
REFUSED = {
    "signed": (
        lambda graph, name: quant(graph, name, signed=1),
        f"x (Quant) {SIGNED}: quantise behind a ReLU, or by an unsigned quantiser",
    ),
    "zero point": (
        lambda graph, name: quant(graph, name, zero=3.0),
        (
            "x (Quant) has zero point 3, and no spike must stand for 0: quantise activations with "
            "zero point 0"
        ),
    ),
    "wide": (
        lambda graph, name: quant(graph, name, bits=9),
        "x (Quant) counts to 511: use 8 bits or fewer (4 or fewer run in hardware)",
    ),
    "scales": (
        lambda graph, name: quant(graph, name, scale=np.array([0.5, 0.25]).reshape(1, 2, 1, 1)),
        "x (Quant) has a scale for each channel: use one scale for all channels of an activation",
    ),
    "no scale": (
        lambda graph, name: quant(graph, name, scale=0.0),
        "x (Quant) has a scale that is not above 0: use scales above 0",
    ),
    "one signed bit": (
        lambda graph, name: quant(graph, name, bits=1, signed=1),
        (
            "x (Quant) has no width of whole bits, or a signed one of 1: use 2 to 32 bits, the "
            "same for all channels"
        ),
    ),
    "rounding": (
        lambda graph, name: quant(graph, name, rounding_mode="NEAREST"),
        (
            "x (Quant) rounds by 'NEAREST': round by one of ROUND, HALF_EVEN, CEIL, FLOOR, UP, "
            "DOWN, HALF_UP, HALF_DOWN"
        ),
    ),
    "bipolar": (
        lambda graph, name: graph.node("BipolarQuant", "x", name, graph.constant(0.5)),
        (
            "x (BipolarQuant) hands on -1 and 1, and spikes are none or some: quantise weights to "
            "2 bits and activations without sign"
        ),
    ),
    "bipolar weights": (
        weight_by("BipolarQuant"),
        (
            "w (BipolarQuant) hands on -1 and 1, and spikes are none or some: quantise weights to "
            "2 bits and activations without sign"
        ),
    ),
    "zero point of weights": (
        weight_by("Quant", zero=2.0, signed=1, narrow=0),
        "w (Quant) quantises weights with zero point 2: quantise weights with 0",
    ),
    "signed thresholds": (
        lambda graph, name: thresholds(graph, name, out_bias=-1.0),
        f"x (MultiThreshold) {SIGNED}: let out_bias be 0",
    ),
    "thresholds of three channels": (
        lambda graph, name: graph.node(
            "MultiThreshold", "x", name, graph.constant(np.ones((3, 2)))
        ),
        (
            "x (MultiThreshold) has thresholds of 3 channels for an axis that is not that of 2: "
            "use a row for each channel, or one for all"
        ),
    ),
    "softmax": (
        node("Softmax"),
        "x (Softmax) exponentiates and divides: leave it out behind the logits",
    ),
    "sigmoid": (
        node("Sigmoid"),
        "x (Sigmoid) hands on real numbers: use a ReLU with an unsigned quantiser in its place",
    ),
    "unknown": (
        node("Einsum", equation="nchw->nchw"),
        (
            "x (Einsum) is nothing that spikes can compute: take it out or put a quantiser or a "
            "batch norm in its place"
        ),
    ),
    "QCDQ": (
        node("QuantizeLinear"),
        (
            "x (QuantizeLinear) belongs to ONNX's own form of quantised networks: export QONNX, "
            "which has Quant nodes"
        ),
    ),
    "channels last": (
        last_channels,
        (
            "x (channels_last Conv) is nothing that spikes can compute: take it out or put a "
            "quantiser or a batch norm in its place"
        ),
    ),
    "gate": (
        gated,
        "x.Mul (Mul) multiplies maps, and spikes only add: multiply by constants alone",
    ),
    "ReLU": (
        behind_relu,
        (
            "second (Conv) reads real numbers behind a ReLU, which are no counts: put an unsigned "
            "quantiser behind the ReLU"
        ),
    ),
    "positions": (
        positions,
        (
            "x.Add (Add) has a number for each position: use one number for each channel, or for "
            "the whole map"
        ),
    ),
    "padded mean": (
        node("AveragePool", kernel_shape=[3, 3], pads=[1] * 4),
        "x (AveragePool) averages padding, too: average whole windows",
    ),
    "sizes up": (
        node("MaxPool", kernel_shape=[3, 3], pads=[1] * 4, ceil_mode=1),
        "x (MaxPool) rounds sizes up: set ceil_mode to 0",
    ),
    "channels": (
        lambda graph, name: convolution(graph, name, np.ones((2, 3, 1, 1))),
        "x (Conv) has weights for 3 channels and reads 2: export it again",
    ),
    "cast": (
        node("Cast", to=6),
        "x (Cast) rounds numbers to another type: leave them float32",
    ),
    "kernel": (
        lambda graph, name: convolution(graph, name, np.ones((2, 2, 3, 3)), kernel_shape=[1, 1]),
        "x (Conv) has weights of another shape than its kernel: export it again",
    ),
    "auto_pad": (
        lambda graph, name: convolution(graph, name, np.ones((2, 2, 3, 3)), auto_pad="SAME"),
        "x (Conv) pads by SAME: give the padding in numbers",
    ),
    "variance": (
        lambda graph, name: quant_after(
            graph,
            graph.node(
                "BatchNormalization",
                "x",
                name,
                *[graph.constant(values) for values in ([1, 1], [0, 0], [0, 0], [1, -1])],
            ),
        ),
        (
            "x (BatchNormalization) has a variance that is not above 0: export a network that was "
            "trained"
        ),
    ),
    "rows cut across channels": (
        lambda graph, name: quant_after(
            graph, graph.node("Reshape", "x", name, graph.constant([1, 3, 4, 2], np.int64))
        ),
        (
            "x.Reshape (Reshape) views axes (2, 4, 3) that cannot become (3, 4, 2): keep "
            "pictures, channels and positions apart"
        ),
        (1, 2, 4, 3),
    ),
    "pictures moved": (
        node("Transpose", perm=[1, 0, 2, 3]),
        "x.Transpose (Transpose) moves the axis of pictures: keep it the first",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_node_is_refused_in_a_sentence(name, tmp_path):
    write, sentence, *shape = REFUSED[name]
    found = [str(finding) for finding in findings(read(saved(small(write, *shape), tmp_path)))]
    assert sentence in found


def test_thresholds_of_a_stream_must_be_evenly_spaced(tmp_path):
    graph = read(saved(residual(activation="MultiThreshold", narrow=True, relu=False), tmp_path))
    assert [str(finding) for finding in findings(graph)] == [
        f"{name} (neuron) has thresholds of its own for a stream: quantise the sum by evenly "
        "spaced steps"
        for name in ("block1.act2", "block2.act2")
    ]


def test_signed_pixels_are_for_convolutions(tmp_path):
    graph = Graph((1, 2, 4, 4))
    constants = [graph.constant(value) for value in (2.0**-8, 0.0, 8.0)]
    name = graph.node("Quant", "pixels", "pixels", *constants, signed=1, narrow=0)
    name = graph.node("MaxPool", "pool", name, kernel_shape=[2, 2])
    graph = read(saved(graph.model(name, (1, 2, 3, 3)), tmp_path))
    assert (
        "pool (MaxPool) reads signed pixels: put a convolution or a linear layer between them"
        in [str(finding) for finding in findings(graph)]
    )
