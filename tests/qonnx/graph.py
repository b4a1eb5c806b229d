"""A graph of ONNX that is written node by node."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


__all__ = ["DOMAIN", "Graph"]


#: Where QONNX's own kinds of nodes are.
DOMAIN = "qonnx.custom_op.general"

QONNX = {"Quant", "IntQuant", "MultiThreshold", "BipolarQuant"}


class Graph:
    """Collects nodes and constants. Equal constants are one, as exporters have it.

    Parameters
    ----------
    shape : sequence of int or str
        Of the one input.
    constants : str
        ``"initializers"``, ``"listed"`` (initializers that are inputs too) or ``"nodes"``.
    opset : int
        Version of the standard kinds of nodes.
    """

    def __init__(self, shape, *, constants="initializers", opset=18):
        self.shape = shape
        self.constants = constants
        self.opset = opset
        self.nodes = []
        self.held = {}

    def constant(self, value, kind=np.float32):
        """Name of a constant."""
        value = np.asarray(value, kind)
        key = (value.tobytes(), value.shape, value.dtype.str)
        return self.held.setdefault(key, f"constant_{len(self.held)}")

    def node(self, kind, scope, *inputs, **attributes):
        """Name of what a node computes, whose own name is ``/scope/kind``."""
        name = f"/{scope}/{kind}"
        domain = {"domain": DOMAIN} if kind in QONNX else {}
        output = f"{name}_output_0"
        assert all(output not in node.output for node in self.nodes), f"{name} is there twice"
        self.nodes.append(helper.make_node(kind, inputs, [output], name, **domain, **attributes))
        return output

    def model(self, output, shape):
        """The finished file, which computes a tensor of some shape."""
        arrays = {
            name: np.frombuffer(data, kind).reshape(shape)
            for (data, shape, kind), name in self.held.items()
        }
        tensors = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
        inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, self.shape)]
        if self.constants == "listed":
            inputs += [
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                for tensor in tensors
            ]
        nodes = self.nodes
        if self.constants == "nodes":
            made = [
                helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in tensors
            ]
            nodes, tensors = made + nodes, []
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)]
        graph = helper.make_graph(nodes, "residual", inputs, outputs, initializer=tensors)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(DOMAIN, 2)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)
