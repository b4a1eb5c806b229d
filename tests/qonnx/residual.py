"""A random residual network in QONNX, with an unsigned activation after each sum.

``python -m tests.qonnx.residual FILE.onnx`` writes the one of ``tests/data``.
"""

import sys
from dataclasses import replace

import numpy as np
import onnx

from tests.qonnx.graph import Graph
from tests.qonnx.spelling import Spelling


__all__ = ["residual"]


#: A batch norm's epsilon that float32 adds to a variance without rounding.
EPSILON = 2.0**-10

CHANNELS, WIDE, CLASSES = 8, 16, 10


def nearest_power(value):
    return 2.0 ** round(np.log2(value))


class Writer:
    """Writes layers, and knows about how large what they compute is.

    A tensor is a pair of its name and its root mean square.
    """

    def __init__(self, seed, spelling):
        self.draw = np.random.default_rng(seed)
        self.spelling = spelling
        shape = (spelling.batch, 1, 8, 8)
        opset = 17 if spelling.mean == "ReduceMean-13" else 18
        self.graph = Graph(shape, constants=spelling.constants, opset=opset)

    def dyadic(self, size, spread):
        """Random multiples of 2^-6, about as large as the spread."""
        return np.rint(self.draw.uniform(-spread, spread, size) * 64) / 64

    def quant(self, scope, name, scale, bits, *, kind="Quant", zero=0.0, **attributes):
        constants = [self.graph.constant(value) for value in (scale, zero, bits)]
        return self.graph.node(kind, scope, name, *constants, **attributes)

    def weight(self, scope, channels, inputs, *kernel, transposed=False):
        """Name of quantised weights: floats near their integers, some beyond the range."""
        limit = 2 ** (self.spelling.weight_bits - 1)
        size = (channels, inputs, *kernel)
        floats = self.draw.integers(-limit - 1, limit + 1, size).astype(float)
        floats += self.draw.integers(-4, 5, size) / 8
        scale = 2.0**-self.spelling.weight_bits
        if self.spelling.scales == "one":
            scale = [scale]
        elif self.spelling.scales == "channel":
            scale = scale * 2.0 ** self.draw.integers(-1, 2, (channels, *[1] * (len(size) - 1)))
        floats = floats * scale
        if transposed:
            floats, scale = floats.T, np.transpose(scale)
        narrow = int(self.spelling.narrow_weights)
        attributes = {"signed": 1, "narrow": narrow, "rounding_mode": "ROUND"}
        name, bits = self.graph.constant(floats), self.spelling.weight_bits
        return self.quant(f"{scope}/weight_quant", name, scale, bits, **attributes)

    def bias(self, scope, channels, spread):
        name = self.graph.constant(self.dyadic(channels, spread))
        if self.spelling.bias == "float":
            return name
        attributes = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
        return self.quant(f"{scope}/bias_quant", name, 2.0**-4, 8.0, **attributes)

    def conv(self, scope, tensor, inputs, channels, kernel=3, stride=1, groups=1):
        name, size = tensor
        weight = self.weight(scope, channels, inputs // groups, kernel, kernel)
        size *= 0.3 * np.sqrt(inputs // groups * kernel**2)
        bias = [self.bias(scope, channels, size)] if self.spelling.norm == "none" else []
        padding = {"pads": [kernel // 2] * 4}
        if self.spelling.auto_pad:
            padding = {"auto_pad": "SAME_UPPER"}
        geometry = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "group": groups}
        output = self.graph.node("Conv", scope, name, weight, *bias, **geometry, **padding)
        return output, size

    def norm(self, scope, tensor, channels, *, summed=False):
        """Batch norm to about 1. Before a sum its slopes are powers of two."""
        name, size = tensor
        if self.spelling.norm == "none":
            return tensor
        if summed or self.spelling.norm == "dyadic":
            variance = np.full(channels, nearest_power(size) ** 2 - EPSILON)
            scale = 2.0 ** self.draw.integers(-1, 2, channels)
            scale *= np.where(self.draw.random(channels) < 0.25, -1, 1)
            epsilon = EPSILON
        else:
            variance = size**2 * self.draw.uniform(0.5, 2, channels)
            scale = self.draw.uniform(0.5, 2, channels) * self.draw.choice([-1, 1, 1, 1], channels)
            epsilon = 1e-5
        values = [scale, self.dyadic(channels, 1), self.dyadic(channels, size / 2), variance]
        constants = [self.graph.constant(value) for value in values]
        return self.graph.node("BatchNormalization", scope, name, *constants, epsilon=epsilon), 1.2

    def activation(self, scope, tensor, channels, *, signed=False):
        name, size = tensor
        most = 2**self.spelling.bits - 1 - self.spelling.narrow
        scale = nearest_power(3 * size / most) * 2.0 ** self.draw.integers(-1, 1)
        if self.spelling.relu and not signed:
            name = self.graph.node("Relu", scope, name)
        if self.spelling.activation == "MultiThreshold":
            rows = channels if self.draw.random() < 0.75 else 1
            steps = np.arange(1, most + 1) - self.draw.integers(0, 5, (rows, 1)) / 4
            if self.spelling.narrow:
                steps[:, 1::2] = steps[:, : most // 2 * 2 : 2]
            levels = self.graph.constant(steps * scale)
            attributes = {"out_scale": scale, "out_dtype": f"UINT{self.spelling.bits}"}
            name = self.graph.node("MultiThreshold", scope, name, levels, **attributes)
            return name, 0.6 * size
        rounding = {"rounding_mode": self.spelling.rounding} if self.spelling.rounding else {}
        attributes = {"signed": int(signed), "narrow": int(self.spelling.narrow), **rounding}
        kind, bits = self.spelling.activation, self.spelling.bits
        zero = float(self.spelling.zero)
        name = self.quant(scope, name, scale, bits, kind=kind, zero=zero, **attributes)
        return name, 0.6 * size

    def pixels(self):
        """The pictures as the first convolution sees them."""
        name, style = "pixels", self.spelling.pixels
        signed = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
        match style:
            case "quant" | "quant255":
                scale = 2.0**-8 if style == "quant" else 1 / 255
                name = self.quant("pixels", name, scale, 8, **signed | {"signed": 0})
            case "mul" | "div":
                factor = self.graph.constant(2.0**-8 if style == "mul" else 2.0**8)
                name = self.graph.node(style.capitalize(), "pixels", name, factor)
            case "signed":
                name = self.quant("pixels", name, 2.0**-8, 8, **signed)
            case "shifted":
                name = self.graph.node("Add", "pixels", name, self.graph.constant(-0.5))
                name = self.quant("pixels", name, 2.0**-8, 8, **signed)
            case "zero_point":
                name = self.quant("pixels", name, 2.0**-8, 8, zero=-128.0, **signed)
        return name, 0.4

    def block(self, scope, tensor, inputs, channels, *, stride=1, signed=False):
        """Two convolutions beside a shortcut, and their sum."""
        groups = inputs if self.spelling.depthwise and stride > 1 else 1
        middle = inputs if groups > 1 else channels
        first = self.conv(f"{scope}/conv1", tensor, inputs, middle, 3, stride, groups)
        first = self.norm(f"{scope}/norm1", first, middle)
        first = self.activation(f"{scope}/act1", first, middle)
        second = self.conv(f"{scope}/conv2", first, middle, channels)
        second = self.norm(f"{scope}/norm2", second, channels, summed=True)
        shortcut = tensor
        if inputs != channels:
            shortcut = self.conv(f"{scope}/shortcut", tensor, inputs, channels, 1, stride)
            shortcut = self.norm(f"{scope}/shortcut_norm", shortcut, channels, summed=True)
        summed = self.graph.node("Add", scope, second[0], shortcut[0]), second[1] + shortcut[1]
        return self.activation(f"{scope}/act2", summed, channels, signed=signed)

    def head(self, tensor):
        """Mean over the positions, and the logits."""
        graph, name, spelling = self.graph, tensor[0], self.spelling
        side = 2 if spelling.max_pool else 4
        features = WIDE * side**2 if spelling.mean == "none" else WIDE
        match spelling.mean:
            case "GlobalAveragePool":
                name = graph.node("GlobalAveragePool", "pool", name)
            case "AveragePool":
                name = graph.node("AveragePool", "pool", name, kernel_shape=[side, side])
            case "ReduceMean":
                axes = graph.constant([2, 3], np.int64)
                name = graph.node("ReduceMean", "pool", name, axes, keepdims=1)
            case "ReduceMean-13":
                name = graph.node("ReduceMean", "pool", name, axes=[-1, -2], keepdims=1)
        if spelling.flatten == "Flatten":
            name = graph.node("Flatten", "flatten", name, axis=1)
        else:
            size = features if spelling.flatten == "Reshape" else -1
            name = graph.node("Reshape", "flatten", name, graph.constant([1, size], np.int64))
        weight = self.weight("head", CLASSES, features, transposed=spelling.head == "MatMul-plain")
        bias = self.bias("head", CLASSES, 1)
        if spelling.head == "Gemm":
            return graph.node("Gemm", "head", name, weight, bias, transB=1)
        if spelling.head == "MatMul":
            weight = graph.node("Transpose", "head", weight, perm=[1, 0])
        return graph.node("Add", "head", graph.node("MatMul", "head", name, weight), bias)


def residual(seed=0, **changes):
    """A model for pictures of 8x8 and one channel: a stem, a block as wide, a strided one, a head.

    Parameters
    ----------
    seed : int
        Draws all its numbers.
    **changes
        Of `Spelling`.

    Returns
    -------
    onnx.ModelProto
    """
    spelling = replace(Spelling(), **changes)
    writer = Writer(seed, spelling)
    stem = writer.norm(
        "stem/norm", writer.conv("stem/conv", writer.pixels(), 1, CHANNELS), CHANNELS
    )
    tensor = writer.activation("stem/act", stem, CHANNELS)
    tensor = writer.block("block1", tensor, CHANNELS, CHANNELS, signed=spelling.signed_add)
    if spelling.max_pool:
        geometry = {"kernel_shape": [2, 2], "strides": [2, 2]}
        tensor = writer.graph.node("MaxPool", "pool1", tensor[0], **geometry), tensor[1]
    tensor = writer.block("block2", tensor, CHANNELS, WIDE, stride=2)
    return writer.graph.model(writer.head(tensor), (spelling.batch, CLASSES))


if __name__ == "__main__":
    onnx.save(residual(), sys.argv[1])
