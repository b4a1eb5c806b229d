"""Neurons as modules, and the steps of neurons that are spelled out."""

import math
from fractions import Fraction
from numbers import Real

from train.graph import Firing, Neuron, Ties


__all__ = ["clamp", "hardtanh", "neuron", "relu", "relu6", "rounding"]


def neuron(follower, node, module):
    """A neuron as a module."""
    value = follower.argument(node, 0, "potential")
    firing = Firing(module.max_count, Ties.of(module.rounding), unit=Fraction(1, module.divisor))
    name = follower.resolved(node, value)
    follower.add(node, Neuron, name, size=follower.size(name), layout=value.layout, firing=firing)


def rounding(name):
    """Handler of the rounding of this name."""

    def handler(follower, node):
        follower.step(node, follower.value(node.args[0]), lambda chain: chain.round(name))

    return handler


def clamp(follower, node):
    """Limits on both sides, or on one."""
    low = follower.argument(node, 1, "min")
    high = follower.argument(node, 2, "max")
    if not all(isinstance(limit, Real | None) for limit in (low, high)):
        return follower.refuse(node, "clamp", "clamps at numbers of a tensor", "clamp at numbers")
    limits = [
        None if limit is None or math.isinf(limit) else Fraction(limit) for limit in (low, high)
    ]
    return follower.step(node, follower.value(node.args[0]), lambda chain: chain.clamp(*limits))


def relu(follower, node, module=None):
    """Nothing below 0."""
    follower.step(node, follower.value(node.args[0]), lambda chain: chain.clamp(Fraction(0)))


def hardtanh(follower, node, module=None):
    """Limits on both sides."""
    if module is None:
        low = follower.argument(node, 1, "min_val", -1)
        high = follower.argument(node, 2, "max_val", 1)
    else:
        low, high = module.min_val, module.max_val
    limits = [None if math.isinf(limit) else Fraction(limit) for limit in (low, high)]
    follower.step(node, follower.value(node.args[0]), lambda chain: chain.clamp(*limits))


def relu6(follower, node, module=None):
    """Limits at 0 and 6."""
    value = follower.value(node.args[0])
    follower.step(node, value, lambda chain: chain.clamp(Fraction(0), Fraction(6)))
