"""What each kind of node computes in exact numbers: a function of attributes and inputs."""

import math
from fractions import Fraction

import numpy as np
from onnx import numpy_helper

from tests.qonnx.exact import Exact
from tests.qonnx.windows import average_pool, convolve, max_pool


__all__ = ["NODES"]


#: What an epsilon is where a file has none.
EPSILON = float(np.float32(1e-5))


def root(square):
    """The square root of a rational, or None if it is none."""
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    rational = (top * top, bottom * bottom) == (square.numerator, square.denominator)
    return Fraction(top, bottom) if rational else None


def along_channels(numbers, rank, axis=1):
    """One number for each channel, or one for all, laid along the channels of a tensor."""
    return numbers.moved(
        lambda array: array.reshape([-1 if place == axis else 1 for place in range(rank)])
    )


def ints(numbers):
    return numbers.integers().ravel().tolist()


def conv(attributes, numbers, weight, bias=None):
    summed = convolve(numbers, weight, attributes)
    return summed if bias is None else summed + along_channels(bias, len(summed.shape))


def batch_normalization(attributes, numbers, scale, shift, mean, variance):
    if attributes.get("training_mode", 0):
        raise ValueError("A batch norm in training is not evaluated")
    rank = len(numbers.shape)
    epsilon = Exact.of(attributes.get("epsilon", EPSILON))
    squares = 1 / (variance + epsilon).fractions()
    roots = [root(square) for square in squares]
    rational = along_channels(Exact.of([known or Fraction(1) for known in roots]), rank)
    scale, shift, mean = (along_channels(noun, rank) for noun in (scale, shift, mean))
    scaled = (numbers - mean) * scale * rational
    if None in roots and not numbers.rational:
        raise ValueError("A batch norm of numbers with roots is not evaluated")
    if None not in roots:
        return scaled + shift
    # Channels without a rational root keep their square, the others are done.
    kept = along_channels(Exact([known is None for known in roots]), rank).whole
    under = along_channels(Exact(np.ones(len(roots), int)), rank).whole.copy()
    under.ravel()[:] = squares
    done = Exact(scaled.whole * (1 - kept), scaled.denominator)
    left = Exact(scaled.whole * 0, scaled.denominator, scaled.whole * kept, under)
    return done + left + shift


def quant(attributes, numbers, scale, zero, bits):
    if len(bits.shape) > 0 and bits.whole.size == 1:
        bits = bits.moved(np.ravel).moved(lambda array: array[0])
    width = bits.integers()
    signed, narrow = attributes["signed"], attributes["narrow"]
    if signed and np.any(width == 1):
        raise ValueError("A signed quantiser of one bit is not evaluated")
    least = -(2 ** (width - 1)) + narrow if signed else 0
    most = 2 ** (width - 1) - 1 if signed else 2**width - 1 - narrow
    mode = attributes.get("rounding_mode", b"ROUND").decode().upper()
    rounded = (numbers * scale.inverse() + zero).rounded(mode)
    clipped = np.minimum(np.maximum(rounded, least), most)
    return (Exact(clipped) - zero) * scale


def multi_threshold(attributes, numbers, thresholds):
    rank = len(numbers.shape)
    if rank not in {2, 4}:
        raise ValueError("A MultiThreshold needs pictures or vectors")
    last = rank == 4 and attributes.get("data_layout", b"NCHW") == b"NHWC"
    counts = np.zeros(numbers.shape, int)
    for step in range(thresholds.shape[1]):
        level = thresholds.moved(lambda array, step=step: array[:, step])
        level = along_channels(level, rank, axis=3 if last else 1)
        counts += ~(numbers - level).negative()
    scale = Exact.of(attributes.get("out_scale", 1.0))
    return Exact(counts) * scale + Exact.of(attributes.get("out_bias", 0.0))


def gemm(attributes, left, right, bias=None):
    left = left.moved(np.transpose) if attributes.get("transA", 0) else left
    right = right.moved(np.transpose) if attributes.get("transB", 0) else right
    summed = left @ right * Exact.of(attributes.get("alpha", 1.0))
    return summed if bias is None else summed + bias * Exact.of(attributes.get("beta", 1.0))


def relu(attributes, numbers):
    return numbers * Exact(~numbers.negative())


def reduced(attributes, numbers, axes):
    """Sum along some axes or all, and how many numbers each is of."""
    axes = attributes.get("axes") if axes is None else ints(axes)
    if not axes:
        if attributes.get("noop_with_empty_axes", 0):
            return numbers, 1
        axes = range(len(numbers.shape))
    axes = sorted(axis % len(numbers.shape) for axis in axes)
    count = math.prod(numbers.shape[axis] for axis in axes)
    for axis in reversed(axes):
        numbers = numbers.total(axis)
        if attributes.get("keepdims", 1):
            numbers = numbers.moved(lambda array, axis=axis: np.expand_dims(array, axis))
    return numbers, count


def reduce_sum(attributes, numbers, axes=None):
    return reduced(attributes, numbers, axes)[0]


def reduce_mean(attributes, numbers, axes=None):
    summed, count = reduced(attributes, numbers, axes)
    return summed * Exact.of(Fraction(1, count))


def global_average_pool(attributes, numbers):
    return reduce_mean({"axes": range(2, len(numbers.shape))}, numbers)


def flatten(attributes, numbers):
    axis = attributes.get("axis", 1)
    axis += len(numbers.shape) if axis < 0 else 0
    before = math.prod(numbers.shape[:axis])
    return numbers.moved(lambda array: array.reshape(before, -1))


def reshape(attributes, numbers, shape):
    sizes = ints(shape)
    if not attributes.get("allowzero", 0):
        sizes = [size or numbers.shape[place] for place, size in enumerate(sizes)]
    return numbers.moved(lambda array: array.reshape(sizes))


def transpose(attributes, numbers):
    return numbers.moved(lambda array: array.transpose(attributes.get("perm")))


def squeeze(attributes, numbers, axes=None):
    axes = attributes.get("axes") if axes is None else ints(axes)
    return numbers.moved(lambda array: array.squeeze(None if axes is None else tuple(axes)))


def unsqueeze(attributes, numbers, axes=None):
    axes = attributes.get("axes") if axes is None else ints(axes)
    return numbers.moved(lambda array: np.expand_dims(array, tuple(axes)))


def constant(attributes):
    ((name, value),) = attributes.items()
    if name == "value":
        value = numpy_helper.to_array(value)
    return Exact.of(value)


#: Kinds of nodes by name, whatever their domain: QONNX's have had several.
NODES = {
    "Add": lambda attributes, left, right: left + right,
    "AveragePool": lambda attributes, numbers: average_pool(numbers, attributes),
    "BatchNormalization": batch_normalization,
    "Constant": constant,
    "Conv": conv,
    "Div": lambda attributes, left, right: left * right.inverse(),
    "Flatten": flatten,
    "Gemm": gemm,
    "GlobalAveragePool": global_average_pool,
    "Identity": lambda attributes, numbers: numbers,
    "IntQuant": quant,
    "MatMul": lambda attributes, left, right: left @ right,
    "MaxPool": lambda attributes, numbers: max_pool(numbers, attributes),
    "Mul": lambda attributes, left, right: left * right,
    "MultiThreshold": multi_threshold,
    "Quant": quant,
    "ReduceMean": reduce_mean,
    "ReduceSum": reduce_sum,
    "Relu": relu,
    "Reshape": reshape,
    "Squeeze": squeeze,
    "Sub": lambda attributes, left, right: left - right,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
