"""Multiplications and additions by channel, which go into the layer in front where they fit."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch

from train.graph import Convolve, Norm, Scale
from train.qonnx.modules import norm
from train.qonnx.unfit import Unfit


__all__ = ["fold", "normalise", "shift"]


def fold(reader, operation, value, factors, terms):
    """``factor * x + term`` of each channel, without rounding.

    Parameters
    ----------
    reader : Reader
    operation : Operation
    value : Value
    factors, terms : list of Fraction
    """
    if not any(factors):
        raise Unfit("multiplies by 0", "take it out")
    nothing = all(factor == 1 for factor in factors) and not any(terms)
    if nothing or (value.alone and _folded(reader, value, factors, terms)):
        reader.keep(operation, value)
    elif not any(terms) and len(set(factors)) == 1 and _scales(reader, value, factors[0]):
        reader.add(
            operation,
            Scale,
            value,
            size=reader.node(value.node).size,
            layout=value.layout,
            factor=factors[0],
        )
    else:
        arrays = [_array(numbers) for numbers in (factors, terms)]
        if any(array is None for array in arrays):
            raise Unfit("has numbers of more than 53 bits", "use numbers of float32")
        normalise(reader, operation, value, *arrays)


def normalise(reader, operation, value, *arrays, epsilon=0.0):
    """Append a batch norm."""
    path = reader.modules.add(operation.place.name, norm(*arrays, epsilon=epsilon))
    reader.add(operation, Norm, value, size=reader.size(value), layout=value.layout, module=path)


def shift(reader, value, terms):
    """Add a number of each channel to a node that already is; returns whether it took them."""
    return value.alone and _folded(reader, value, [1] * len(terms), terms)


def _folded(reader, value, factors, terms):
    """Whether the node in front took factors and terms into its own parameters."""
    node = reader.node(value.node)
    if isinstance(node, Norm):
        module = reader.modules.get(node.module)
        weight = _times(module.weight, factors, [0] * len(terms))
        bias = _times(module.bias, factors, terms)
        if weight is None or bias is None:
            return False
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(weight))
            module.bias.copy_(torch.from_numpy(bias))
        return True
    if not isinstance(node, Convolve):
        return False
    module = reader.modules.get(node.module)
    if any(factor != 1 for factor in factors):
        if module.bias is not None or node.step is None or 0 in factors:
            return False
        bias = _array(terms)
    else:
        before = torch.zeros(len(terms)) if module.bias is None else module.bias
        bias = _times(before, factors, terms)
    if bias is None:
        return False
    if any(terms) or module.bias is not None:
        module.bias = torch.nn.Parameter(torch.from_numpy(bias))
    _multiply(reader, node, module, factors)
    return True


def _multiply(reader, node, module, factors):
    """Multiply weights, and the steps of which they are whole multiples."""
    if all(factor == 1 for factor in factors):
        return
    steps = [
        abs(factor) * step
        for factor, step in zip(factors, node.step * (len(factors) // len(node.step)), strict=True)
    ]
    step = tuple(steps[:1] if len(set(steps)) == 1 else steps)
    by = torch.tensor([float(factor) for factor in factors], dtype=torch.float64)
    with torch.no_grad():
        module.weight.mul_(by.view(-1, *[1] * (module.weight.dim() - 1)))
    reader.replace(replace(node, step=step))


def _scales(reader, value, factor):
    """Whether a factor is a node of its own: behind counts and batch norms it stays exact."""
    if reader.is_counts(value):
        return factor > 0
    return not isinstance(reader.node(value.node), Convolve)


def _times(values, factors, terms):
    return _array([
        Fraction(value) * factor + term
        for value, factor, term in zip(values.detach().tolist(), factors, terms, strict=True)
    ])


def _array(numbers):
    """Numbers in float64, or ``None`` if it does not have one of them."""
    array = np.array([float(number) for number in numbers])
    exact = all(a == b for a, b in zip(array.tolist(), numbers, strict=True))
    return array if exact else None
