"""Networks as other people's tools spell them."""

import numpy as np

from tests.qonnx.graph import Graph


__all__ = ["perceptron", "pooled", "streamlined"]


def weights(graph, draw, scope, shape, scale=0.25):
    """Name of quantised weights."""
    name = graph.constant(draw.integers(-7, 8, shape) * scale)
    constants = [graph.constant(value) for value in (scale, 0.0, 4.0)]
    return graph.node("Quant", scope, name, *constants, signed=1, narrow=1)


def counted(graph, scope, name, *, scale=0.5, bits=3, signed=0):
    constants = [graph.constant(value) for value in (scale, 0.0, bits)]
    return graph.node("Quant", scope, name, *constants, signed=signed, narrow=0)


def pixels_of(graph):
    constants = [graph.constant(value) for value in (2.0**-8, 0.0, 8.0)]
    return graph.node("Quant", "pixels", "pixels", *constants, signed=0, narrow=0)


def streamlined(draw):
    """As FINN leaves a network: integer weights, then a factor and thresholds by channel."""
    graph = Graph((1, 1, 8, 8))
    name = pixels_of(graph)
    weight = graph.constant(draw.integers(-7, 8, (4, 1, 3, 3)))
    name = graph.node("Conv", "a", name, weight, kernel_shape=[3, 3], pads=[1, 0, 2, 1])
    factor = graph.constant(
        draw.uniform(0.01, 0.2, (1, 4, 1, 1)) * np.array([1, -1, 1, 1]).reshape(1, 4, 1, 1)
    )
    name = graph.node("Mul", "a/scale", name, factor)
    name = graph.node("Add", "a/shift", name, graph.constant(draw.uniform(-1, 1, (4, 1, 1))))
    levels = np.sort(draw.uniform(-1, 2, (4, 5)), 1)
    # Thresholds below 0 are always reached behind it.
    name = graph.node("Relu", "a", name)
    name = graph.node("Transpose", "a/last", name, perm=[0, 2, 3, 1])
    name = graph.node("MultiThreshold", "a/act", name, graph.constant(levels), data_layout="NHWC")
    name = graph.node("Transpose", "a/first", name, perm=[0, 3, 1, 2])
    weight = graph.constant(draw.integers(-1, 2, (6, 4, 3, 3)))
    name = graph.node("Conv", "b", name, weight, kernel_shape=[3, 3], strides=[2, 2])
    name = graph.node("Div", "b/scale", name, graph.constant(3.0))
    levels = np.sort(draw.uniform(-3, 3, (1, 7)), 1)
    name = graph.node("MultiThreshold", "b/act", name, graph.constant(levels), out_scale=0.125)
    name = graph.node("Reshape", "flat", name, graph.constant([1, -1], np.int64))
    weight = graph.constant(draw.integers(-7, 8, (72, 5)))
    name = graph.node("MatMul", "head", name, weight)
    return graph.model(graph.node("Mul", "head/scale", name, graph.constant(0.25)), (1, 5))


def perceptron(draw):
    """Features in place of maps, and batch norms behind linear layers."""
    graph = Graph((1, 1, 8, 8))
    name = graph.node("Flatten", "flat", pixels_of(graph))
    for layer, (inputs, outputs) in enumerate([(64, 12), (12, 8)]):
        weight = weights(graph, draw, f"fc{layer}", (outputs, inputs))
        # Of a bias times 0 nothing is left.
        bias = graph.constant(draw.uniform(8, 9, outputs))
        name = graph.node("Gemm", f"fc{layer}", name, weight, bias, transB=1, alpha=0.5, beta=0.0)
        norm = [draw.uniform(0.5, 2, outputs), draw.uniform(-1, 1, outputs)]
        norm += [draw.uniform(-1, 1, outputs), draw.uniform(0.5, 4, outputs)]
        norm = [graph.constant(values) for values in norm]
        name = graph.node("BatchNormalization", f"norm{layer}", name, *norm)
        name = counted(graph, f"act{layer}", graph.node("Relu", f"act{layer}", name), scale=0.3)
    weight = weights(graph, draw, "head", (3, 8), 0.5)
    bias = graph.constant(draw.integers(-9, 9, 3) / 4)
    return graph.model(graph.node("Gemm", "head", name, weight, bias, transB=1, beta=0.5), (1, 3))


def pooled(draw):
    """A ReLU in front of a max pool, windows that are averaged, counts that are quantised again."""
    graph = Graph((1, 1, 8, 8))
    name = graph.node("Sub", "pixels/centre", "pixels", graph.constant(100.0))
    name = graph.node("Mul", "pixels", name, graph.constant(2.0**-7))
    weight = weights(graph, draw, "a", (4, 1, 3, 3))
    name = graph.node("Conv", "a", name, weight, kernel_shape=[3, 3], pads=[1] * 4)
    name = graph.node("Relu", "a/act", name)
    name = graph.node("MaxPool", "a/pool", name, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    # A signed quantiser behind a ReLU counts to 7.
    name = counted(graph, "a/act", name, bits=4, signed=1)
    name = counted(graph, "a/again", name, scale=0.75, bits=2)
    name = counted(graph, "a/same", name, scale=0.75, bits=5, signed=1)
    name = graph.node("AveragePool", "b/pool", name, kernel_shape=[2, 2], strides=[2, 2])
    name = counted(graph, "b/act", name, scale=0.25, bits=4)
    weight = weights(graph, draw, "c", (6, 2, 1, 1))
    name = graph.node("Conv", "c", name, weight, kernel_shape=[1, 1], group=2)
    name = counted(graph, "c/act", graph.node("Relu", "c/act", name), bits=4)
    weight = weights(graph, draw, "head", (4, 6, 2, 2))
    name = graph.node("Conv", "head", name, weight, kernel_shape=[2, 2])
    return graph.model(graph.node("Flatten", "flat", name), (1, 4))
