"""Layers that are affine in what they read: convolutions, linear layers, batch norms, scales."""

from fractions import Fraction
from numbers import Real

from torch import nn

from train.graph import Add, Convolve, Norm, Scale
from train.graph.layout import Layout
from train.spellings.follower import Parameter, Value


__all__ = ["add", "convolve", "divide", "linear", "multiply", "norm", "subtract"]


def convolve(follower, node, module):
    """A convolution of a map."""
    value = follower.argument(node, 0, "input")
    fault = _odd_convolution(module, value)
    if fault:
        return follower.refuse(node, type(module).__name__, *fault)
    name = follower.resolved(node, value)
    size = follower.size(name)
    if isinstance(module, nn.Conv1d):
        size = (module.out_channels, *size[1:])
    else:
        size = follower.shape(node)
    return follower.add(
        node, Convolve, name, size=size, module=node.target, pads=_pads_by_name(module)
    )


def _pads_by_name(module):
    """Zeros on every side of ``padding="same"`` and ``"valid"``, which torch keeps as names."""
    if not isinstance(module.padding, str) or isinstance(module, nn.Conv1d):
        return None
    left, right, top, bottom = module._reversed_padding_repeated_twice
    return top, bottom, left, right


def _odd_convolution(module, value):
    """Reason and remedy, if a convolution cannot be one of maps."""
    if module.padding_mode != "zeros":
        return "pads with other values than zeros", "pad with a number of zeros"
    if isinstance(module, nn.Conv1d) and (module.kernel_size, module.stride) != ((1,), (1,)):
        return "walks along flattened positions", "use a Conv2d of the map"
    if not value.layout.is_maps():
        return "reads axes that are no map", "hand on (images, channels, height, width)"
    return None


def linear(follower, node, module):
    """A linear layer over channels, or over a whole map."""
    value = follower.argument(node, 0, "input")
    name = follower.resolved(node, value)
    _, height, width = follower.size(name)
    if value.layout.is_tokens():
        size = (module.out_features, height, width)
        axes = (*value.layout.axes[:-1], Layout.maps(*size).axes[0])
        layout = Layout(axes)
    elif value.layout.is_flat():
        size = (module.out_features, 1, 1)
        layout = follower.layout_of(node, size)
    else:
        return follower.refuse(
            node,
            "Linear",
            "reads an axis that is neither channels nor a whole map",
            "let channels or the flattened map be the last axis",
        )
    return follower.add(node, Convolve, name, size=size, layout=layout, module=node.target)


def norm(follower, node, module):
    """A batch norm of channels."""
    value = follower.argument(node, 0, "input")
    if module.running_mean is None:
        return follower.refuse(
            node,
            type(module).__name__,
            "has no running statistics",
            "set track_running_stats=True",
        )
    if module.weight is None:
        return follower.refuse(
            node, type(module).__name__, "has no slope and offset", "set affine=True"
        )
    name = follower.resolved(node, value)
    size = follower.size(name)
    if not value.layout.is_maps() or module.num_features != size[0]:
        return follower.refuse(
            node,
            type(module).__name__,
            "normalises an axis that is not that of channels",
            "let channels be the second axis",
        )
    return follower.add(node, Norm, name, size=size, layout=value.layout, module=node.target)


def add(follower, node):
    """A sum of maps, or with a number; or the end of a straight-through estimator."""
    left, right = (follower.value(argument) for argument in node.args[:2])
    if isinstance(left, Real):
        left, right = right, left
    if isinstance(right, Real):
        number = Fraction(right)
        return follower.step(node, left, lambda chain: chain.plus(number))
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Value) and one.less is not None and one.less == other:
            # x + (y - x).detach() is y, whose gradient passes straight.
            return follower.keep(node, Value(one.node, one.layout, one.chain))
    if not isinstance(left, Value) or not isinstance(right, Value):
        return follower.refuse(
            node, "add", "adds a parameter to a map", "give it to a convolution's bias"
        )
    names = [follower.resolved(node, value) for value in (left, right)]
    if follower.is_refused(names[0]):
        # Its axes are a guess; those of the other side are known.
        left, right = right, left
    size = follower.size(left.node)
    guessed = any(map(follower.is_refused, names))
    if not guessed and (follower.size(right.node) != size or left.layout != right.layout):
        return follower.refuse(
            node, "add", "adds maps of different shapes", "add maps of one shape"
        )
    return follower.add(node, Add, *names, size=size, layout=left.layout)


def subtract(follower, node):
    """A number less, or the beginning of a straight-through estimator."""
    left, right = (follower.value(argument) for argument in node.args[:2])
    if isinstance(right, Real):
        number = -Fraction(right)
        return follower.step(node, left, lambda chain: chain.plus(number))
    if isinstance(left, Value) and isinstance(right, Value) and left.less is None:
        return follower.keep(node, Value(left.node, left.layout, left.chain, right))
    if isinstance(right, Parameter):
        return follower.refuse(
            node, "subtract", "subtracts a parameter", "give it to a convolution's bias"
        )
    return follower.refuse(node, "subtract", "subtracts maps", "add maps")


def multiply(follower, node):
    """A map times a number or a parameter."""
    left, right = (follower.value(argument) for argument in node.args[:2])
    if isinstance(left, (Real, Parameter)):
        left, right = right, left
    if isinstance(right, Real):
        factor = Fraction(right)
        return follower.step(node, left, lambda chain: chain.times(factor))
    if isinstance(left, Value) and isinstance(right, Parameter):
        return _scale(follower, node, left, right)
    return follower.refuse(
        node,
        "multiply",
        "multiplies maps, and spikes only add",
        "gate by spikes with addend.nn.masked_sum",
    )


def _scale(follower, node, value, parameter):
    name = follower.resolved(node, value)
    size = follower.size(name)
    factor = follower.parameter_at(parameter.path)
    shapes = [tuple(follower.results[argument].shape) for argument in node.args[:2]]
    mine = shapes[isinstance(follower.value(node.args[1]), Parameter)]
    if factor.numel() not in (1, size[0]) or not _across_channels(mine, value.layout):
        return follower.refuse(
            node, "scale", "has a factor for each position", "scale channels, or all at once"
        )
    return follower.add(node, Scale, name, size=size, layout=value.layout, factor=parameter.path)


def _across_channels(shape, layout):
    """Whether a parameter of this shape has one factor for each channel, or one for all."""
    # Shapes are aligned at their ends, and the axis of images has no atoms.
    axes = zip(reversed(shape), (*reversed(layout.axes), ()), strict=False)
    long = [axis for length, axis in axes if length != 1]
    return all({atom.name for atom in axis if atom.length != 1} == {"c"} for axis in long)


def divide(follower, node):
    """A map over a number."""
    left, right = (follower.value(argument) for argument in node.args[:2])
    if isinstance(left, Value) and isinstance(right, Real) and right:
        factor = 1 / Fraction(right)
        return follower.step(node, left, lambda chain: chain.times(factor))
    if isinstance(right, Parameter):
        return follower.refuse(
            node, "divide", "divides by a parameter", "multiply by a parameter, or divide weights"
        )
    return follower.refuse(node, "divide", "divides by a map or by 0", "divide by a number")
