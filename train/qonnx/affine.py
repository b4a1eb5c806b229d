"""Nodes that are affine in what they read: convolutions, matrices, batch norms, sums, factors."""

from fractions import Fraction

import numpy as np

from train.graph import Add, Convolve
from train.graph.layout import Layout
from train.qonnx.channels import is_channels, is_map, per_channel, same_axes
from train.qonnx.constants import Fixed
from train.qonnx.factors import fold, normalise
from train.qonnx.modules import convolution, linear
from train.qonnx.reader import Bytes
from train.qonnx.unfit import Unfit
from train.qonnx.windows import Windows


__all__ = ["add", "batch_norm", "convolve", "divide", "gemm", "matmul", "multiply", "subtract"]


#: Largest weight, in steps.
_MOST_STEPS = 2**15 - 1

_GATE = Unfit("multiplies maps, and spikes only add", "multiply by constants alone")


def convolve(reader, operation):
    """``Conv``."""
    found, weight, *bias = reader.inputs(operation)
    value = reader.map(operation, found, centred=True)
    _require_constant(weight)
    channels, height, width = reader.size(value)
    groups = operation.attributes.get("group", 1)
    if weight.values.ndim != 4 or not is_map(value.layout, (channels, height, width)):
        raise Unfit(
            "walks along other axes than rows and columns",
            "hand on (pictures, channels, rows, columns)",
        )
    outputs, inputs, *kernel = weight.values.shape
    if inputs * groups != channels:
        raise Unfit(
            f"has weights for {inputs * groups} channels and reads {channels}", "export it again"
        )
    if groups > 1 and value.node == "pixels" and reader.entry.centre:
        raise Unfit("reads signed pixels in groups", "let the first convolution be dense")
    windows = Windows.of(operation, tuple(kernel), (height, width))
    if windows.kernel != tuple(kernel):
        raise Unfit("has weights of another shape than its kernel", "export it again")
    path = reader.modules.add(
        operation.place.name,
        convolution(
            weight.values,
            stride=windows.stride,
            padding=windows.even,
            dilation=windows.dilation,
            groups=groups,
        ),
    )
    reader.add(
        operation,
        Convolve,
        value,
        size=(outputs, *windows.outputs),
        module=path,
        step=_steps(weight),
        pads=None if windows.even else windows.pads,
    )
    _bias(reader, operation, *bias)


def gemm(reader, operation):
    """``Gemm``: ``alpha * A' * B' + beta * C``."""
    found, weight, *bias = reader.inputs(operation)
    _require_constant(weight)
    attributes = operation.attributes
    if attributes.get("transA", 0):
        raise Unfit("transposes what it reads", "export a linear layer")
    if not attributes.get("transB", 0):
        weight = weight.moved(np.transpose)
    alpha, beta = (float(attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    weight = Fixed(weight.values * alpha, None if weight.step is None else weight.step * alpha)
    _linear(reader, operation, found, weight)
    if bias and bias[0] is not None and beta:
        _require_constant(bias[0])
        _bias(reader, operation, Fixed(bias[0].values * beta))


def matmul(reader, operation):
    """``MatMul`` of a map and a constant."""
    found, weight = reader.inputs(operation)
    _require_constant(weight)
    _linear(reader, operation, found, weight.moved(np.transpose))


def _linear(reader, operation, found, weight):
    """A linear layer of weights of shape (out, in)."""
    value = reader.map(operation, found, centred=True)
    if weight.values.ndim != 2 or weight.values.shape[1] != value.layout.shape[-1]:
        raise Unfit("has weights for another number of inputs", "export it again")
    outputs = len(weight.values)
    _, height, width = reader.size(value)
    if value.layout.is_flat():
        size = (outputs, 1, 1)
        layout = Layout.maps(*size).reshape((outputs,))
    elif value.layout.is_tokens():
        size = (outputs, height, width)
        layout = Layout((*value.layout.axes[:-1], Layout.maps(*size).axes[0]))
    else:
        raise Unfit(
            "reads an axis that is neither channels nor a whole map",
            "let channels or the flattened map be the last axis",
        )
    path = reader.modules.add(operation.place.name, linear(weight.values))
    reader.add(
        operation, Convolve, value, size=size, layout=layout, module=path, step=_steps(weight)
    )


def _steps(weight):
    """Steps of weights, which are at most as wide as golden has them."""
    steps = weight.steps()
    if steps is not None:
        by = np.array([float(step) for step in steps]).reshape(-1, *[1] * (weight.values.ndim - 1))
        if np.abs(weight.values / by).max(initial=0) > _MOST_STEPS:
            raise Unfit("has weights of more than 16 bits", "quantise weights to 8 bits or fewer")
    return steps


def batch_norm(reader, operation):
    """``BatchNormalization`` with the statistics of the file."""
    found, *parameters = reader.inputs(operation)
    value = reader.map(operation, found)
    for parameter in parameters:
        _require_constant(parameter, "has parameters that are computed from the picture")
    channels = reader.size(value)[0]
    if operation.attributes.get("training_mode", 0):
        raise Unfit("measures each batch", "export the network in evaluation")
    if not is_channels(value.layout.axes[0], channels) or any(
        parameter.values.shape != (channels,) for parameter in parameters
    ):
        raise Unfit(
            "normalises an axis that is not that of channels", "let channels be the second axis"
        )
    epsilon = operation.attributes.get("epsilon", float(np.float32(1e-5)))
    if (parameters[-1].values + epsilon <= 0).any():
        raise Unfit("has a variance that is not above 0", "export a network that was trained")
    normalise(
        reader, operation, value, *(parameter.values for parameter in parameters), epsilon=epsilon
    )


def add(reader, operation):
    """``Add`` of two maps, or of a map and a constant."""
    left, right = reader.inputs(operation)
    if isinstance(left, Fixed):
        left, right = right, left
    if isinstance(right, Fixed):
        return _by(reader, operation, left, None, right)
    values = [reader.map(operation, found) for found in (left, right)]
    size = reader.size(values[0])
    if reader.size(values[1]) != size or not same_axes(*(value.layout for value in values)):
        raise Unfit("adds maps of different shapes", "add maps of one shape")
    name = reader.add(operation, Add, *values, size=size, layout=values[0].layout)
    reader.summands[name] = values
    return None


def subtract(reader, operation):
    """``Sub`` of a constant from a map, or the other way round."""
    left, right = reader.inputs(operation)
    if isinstance(right, Fixed):
        return _by(reader, operation, left, None, Fixed(-right.values))
    if isinstance(left, Fixed):
        return _by(reader, operation, right, Fixed(np.array(-1.0)), left)
    raise Unfit("subtracts maps", "add maps")


def multiply(reader, operation):
    """``Mul`` of a map by a constant."""
    left, right = reader.inputs(operation)
    if isinstance(left, Fixed):
        left, right = right, left
    if not isinstance(right, Fixed):
        raise _GATE
    return _by(reader, operation, left, right, None)


def divide(reader, operation):
    """``Div`` of a map by a constant."""
    left, right = reader.inputs(operation)
    if not isinstance(right, Fixed) or (right.values == 0).any():
        raise Unfit("divides by a map, or by 0", "divide by constants alone")
    return _by(reader, operation, left, right, None, divides=True)


def _by(reader, operation, found, factor, term, *, divides=False):
    """A map times one constant and more by another."""
    if isinstance(found, Fixed):
        return _constants(reader, operation, found, factor, term, divides)
    numbers = [
        Fraction(neutral) if one is None else one.number()
        for one, neutral in ((factor, 1), (term, 0))
    ]
    if divides and numbers[0] is not None:
        numbers[0] = 1 / numbers[0]
    if isinstance(found, Bytes) and None not in numbers:
        gain, shift = numbers
        if gain <= 0:
            raise Unfit("turns pixels round", "multiply pixels by a number above 0")
        return reader.keep(
            operation, Bytes(found.layout, found.gain * gain, found.shift * gain + shift)
        )
    value = reader.map(operation, found)
    channels = reader.size(value)[0]
    factors = [Fraction(1)] * channels if factor is None else per_channel(reader, value, factor)
    terms = [Fraction(0)] * channels if term is None else per_channel(reader, value, term)
    if divides:
        factors = [1 / one for one in factors]
    return fold(reader, operation, value, factors, terms)


def _constants(reader, operation, found, factor, term, divides):
    """The same of a constant, such as weights that are scaled behind their quantiser."""
    values, step = found.values, found.step
    if factor is not None:
        by = 1 / factor.values if divides else factor.values
        values, step = values * by, None if step is None else step * by
        if step is not None and (by <= 0).any():
            step = np.abs(step)
    if term is not None:
        values, step = values + term.values, None
    reader.keep(operation, Fixed(values, step))


def _bias(reader, operation, bias=None):
    """Add a bias to the convolution that was just made."""
    if bias is None:
        return
    _require_constant(bias, "has a bias that is computed from the picture")
    value = reader.known[operation.outputs[0]]
    channels = reader.size(value)[0]
    try:
        numbers = np.broadcast_to(bias.values.reshape(-1), (channels,))
    except ValueError as error:
        raise Unfit("has a bias of another shape than its channels", "export it again") from error
    terms = [Fraction(number) for number in numbers.tolist()]
    fold(reader, operation, value, [Fraction(1)] * channels, terms)


def _require_constant(found, reason="multiplies maps, and spikes only add"):
    if not isinstance(found, Fixed):
        raise Unfit(reason, "export it with constants")
