"""What a QONNX file computes, in exact numbers, straight from the file.

It shares nothing with the reader: nodes are evaluated one by one, as their standard says. Every
float of the file is taken as the number it is, and the root of a batch norm as a root, so nothing
is rounded but by quantisers.

Examples
--------
>>> picture = np.full((1, 8, 8, 1), 240, np.uint8)
>>> tensors = evaluate("tests/data/residual-qonnx.onnx", picture, Fraction(1, 256))
>>> tensors["/pixels/Quant_output_0"].fractions()[0, 0, 0, 0]
Fraction(15, 16)
>>> tensors["/stem/act/Quant_output_0"].integers(Fraction(1, 8))[0, :, 0, 0]
array([ 0, 11,  2,  0,  0, 13, 13,  7])
"""

from fractions import Fraction

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.qonnx.exact import Exact
from tests.qonnx.nodes import NODES


__all__ = ["compute", "evaluate", "source"]


def attributes_of(node):
    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


def constants(graph):
    """Tensors that the file itself holds, and what follows from them alone."""
    return {entry.name: Exact.of(numpy_helper.to_array(entry)) for entry in graph.initializer}


def compute(graph, known):
    """Adds to the tensors that are known by name those that follow from them, node by node.

    A node that a needed tensor is missing for is left out.
    """
    known = {**known}
    for node in graph.node:
        if node.output[0] in known or not {name for name in node.input if name} <= known.keys():
            continue
        if node.op_type not in NODES:
            raise ValueError(f"{node.op_type} {node.name!r} is not evaluated")
        inputs = [known[name] if name else None for name in node.input]
        try:
            known[node.output[0]] = NODES[node.op_type](attributes_of(node), *inputs)
        except ValueError as error:
            error.add_note(f"in {node.op_type} {node.name!r}")
            raise
    return known


def source(graph):
    """Name of the tensor that the pictures come in; the file may list its constants beside it."""
    held = {entry.name for entry in graph.initializer}
    (name,) = {value.name for value in graph.input} - held
    return name


def evaluate(model, pictures, byte=Fraction(1), zero=0):
    """Every tensor of the graph, exactly.

    Parameters
    ----------
    model : path or onnx.ModelProto
        The file.
    pictures : uint8 array, shape (N, H, W, C)
        Each is computed by itself, as files have a batch of one.
    byte : Fraction
        A byte ``b`` is given to the graph as ``(b - zero) * byte``.
    zero : int
        Byte that stands for nothing.

    Returns
    -------
    dict of str to Exact
        By name: constants as they are, others with all pictures along their first axis.

    Raises
    ------
    ValueError
        If a node is of an unknown kind, or asks for what exact numbers are not multiplied for: a
        batch norm into a convolution without a quantiser between.
    """
    graph = (model if isinstance(model, onnx.ModelProto) else onnx.load(model)).graph
    fixed = compute(graph, constants(graph))
    seen = []
    for picture in pictures:
        cells = picture.transpose(2, 0, 1)[np.newaxis].astype(int) - zero
        numbers = Exact(cells) * Exact.of(Fraction(byte))
        tensors = compute(graph, {**fixed, source(graph): numbers})
        seen.append({name: tensors[name] for name in tensors.keys() - fixed.keys()})
    return fixed | {name: joined([tensors[name] for tensors in seen]) for name in seen[0]}


def joined(parts):
    """The numbers of several arrays along the first axis."""
    common = np.lcm.reduce([part.denominator for part in parts], dtype=object)
    parts = [part.over(common) for part in parts]
    whole = np.concatenate([part.whole for part in parts])
    if all(part.rational for part in parts):
        return Exact(whole, common)
    surds = [np.zeros(part.shape, object) if part.rational else part.surd for part in parts]
    radicands = [surds[0] * 0 if part.rational else part.radicand for part in parts]
    return Exact(whole, common, np.concatenate(surds), np.concatenate(radicands))
