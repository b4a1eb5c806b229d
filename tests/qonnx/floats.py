"""What a QONNX file computes in float64, by onnx's own evaluator and QONNX's text."""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from tests.qonnx.graph import DOMAIN


__all__ = ["evaluate"]


ROUNDINGS = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(abs(x)),
    "DOWN": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(abs(x) - 0.5),
}


class Quant(OpRun):
    """Scales, clips, rounds, and scales back."""

    op_domain = DOMAIN

    def _run(self, x, scale, zero, bits, signed=None, narrow=None, rounding_mode=None):
        least = -(2 ** (bits - 1)) + narrow if signed else 0
        most = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
        clipped = np.clip(x / scale + zero, least, most)
        rounded = ROUNDINGS[(rounding_mode or "ROUND").upper()](clipped)
        return ((rounded - zero) * scale,)


class IntQuant(Quant):
    """The other name of the same."""


class MultiThreshold(OpRun):
    """Counts thresholds that are reached; channels are the second axis."""

    op_domain = DOMAIN

    def _run(self, x, thresholds, out_scale=None, out_bias=None, out_dtype=None):
        reached = np.moveaxis(x, 1, -1)[..., np.newaxis] >= thresholds
        counts = np.moveaxis(reached.sum(-1), -1, 1).astype(float)
        return (counts * (out_scale or 1.0) + (out_bias or 0.0),)


def doubled(tensor):
    if tensor.data_type != TensorProto.FLOAT:
        return tensor
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name)


def evaluate(model, cells):
    """Every tensor that a node computes, by name, of one input in float64."""
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    graph = wide.graph
    held = [doubled(tensor) for tensor in graph.initializer]
    del graph.initializer[:]
    graph.initializer.extend(held)
    for node in graph.node:
        for entry in node.attribute:
            if node.op_type == "Constant":
                entry.t.CopyFrom(doubled(entry.t))
    names = [node.output[0] for node in graph.node]
    (source,) = {value.name for value in graph.input} - {tensor.name for tensor in held}
    evaluator = ReferenceEvaluator(wide, new_ops=[Quant, IntQuant, MultiThreshold])
    return dict(zip(names, evaluator.run(names, {source: cells}), strict=True))
