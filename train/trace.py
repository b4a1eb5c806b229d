"""``torch.fx`` follows a network's ``forward``, and what it saw becomes a float graph."""

import copy
import warnings
from dataclasses import replace

import torch
from torch import fx

from golden.data.reading import printable
from train.graph import GraphError, SpikeGraph
from train.nn import SpikeNeuron
from train.spellings import FUNCTIONS, METHODS, MODULES, Follower


__all__ = ["TraceError", "trace"]


class TraceError(GraphError):
    """A network that cannot be followed, told in one sentence."""


def trace(network, image, *, scale=None, otherwise=None, name="network"):
    """Follow a network into a float graph.

    The network is not called with numbers: shapes are found on torch's ``meta`` device.

    Parameters
    ----------
    network : nn.Module
        Takes a tensor of shape (images, channels, height, width).
    image : (int, int, int)
        Height, width and channels of an image.
    scale : Fraction, optional
        What a byte stands for, unless the network begins with ``addend.nn.pixels``.
    otherwise : Fraction, optional
        The same, where neither ``scale`` nor the network tells.
    name : str
        Of the graph.

    Returns
    -------
    SpikeGraph
        Whose modules are ``network``; what has no meaning is a `train.graph.Refused` in it.

    Raises
    ------
    TraceError
        If ``forward`` depends on numbers of its input, or torch refuses a shape.
    """
    graph = _followed(network)
    height, width, channels = image
    shapes = _Shapes(network, graph)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shapes.run(torch.empty(2, channels, height, width, device="meta"))
    # torch has no common exception for shapes that do not fit.
    except Exception as error:
        # Whoever asks for numbers gets none of a meta tensor.
        if isinstance(error, NotImplementedError) or "meta tensor" in str(error):
            raise TraceError(
                f"{shapes.where} depends on the numbers in a tensor: let shapes be those of the "
                "image"
            ) from error
        raise TraceError(
            f"{shapes.where} does not compute on images of {channels}x{height}x{width} "
            f"({printable(str(error).strip().splitlines()[0], 200)}): give it images of the shape "
            "that it takes"
        ) from error
    follower = Follower(network, shapes.results, image, scale)
    for node in graph.nodes:
        _visit(follower, node)
    if follower.nodes[0].scale is None and otherwise is not None:
        follower.nodes[0] = replace(follower.nodes[0], scale=otherwise)
    if follower.nodes[0].scale is None:
        raise TraceError(
            "nobody says what a byte of an image stands for: begin with addend.nn.pixels, or pass "
            "--pixel-scale 1/255 for pixels from 0 to 1"
        )
    return SpikeGraph(
        name=name,
        nodes=tuple(follower.nodes),
        outputs=tuple(follower.outputs),
        modules=network,
    )


def _visit(follower, node):
    """Let the handler of a node's target say what it is."""
    if node.op == "placeholder":
        follower.input(node)
    elif node.op == "output":
        follower.output(node)
    elif node.op == "get_attr":
        follower.parameter(node)
    else:
        _name_tensors_by_place(node)
        in_place = _visit_call(follower, node)
        if in_place and isinstance(node.args[0], fx.Node):
            # Whoever reads the argument from here on reads what the call left there.
            follower.keep(node.args[0], follower.value(node))


def _visit_call(follower, node):
    """Let the handler of a call say what it is; returns whether the call writes its argument."""
    module = None
    if node.op == "call_module":
        module = follower.network.get_submodule(node.target)
        handler = next((MODULES[kind] for kind in type(module).__mro__ if kind in MODULES), None)
        name = type(module).__name__
    else:
        handler = (METHODS if node.op == "call_method" else FUNCTIONS).get(node.target)
        name = getattr(node.target, "__name__", str(node.target))
        if not _has_tensors(follower.results.get(node)):
            follower.number(node)
            return False
    unknown = [key for key in _UNKNOWN if node.kwargs.get(key) is not None]
    if handler is None:
        follower.refuse(node, name)
    elif unknown:
        follower.refuse(node, name, f"is called with {unknown[0]}", "spell it without")
    elif module is None:
        handler(follower, node)
    else:
        handler(follower, node, module)
    if module is None and name.endswith("_"):
        return True
    return bool(node.kwargs.get("inplace") or getattr(module, "inplace", False))


#: Settings of torch's functions that change what a call computes and that no handler reads.
_UNKNOWN = ("alpha", "decimals", "rounding_mode")


def _has_tensors(result):
    """Whether a call returns a tensor or several."""
    if isinstance(result, (tuple, list)):
        return any(map(torch.is_tensor, result))
    return torch.is_tensor(result)


def _name_tensors_by_place(node):
    """Move a function's tensors from keywords to their places."""
    if node.op == "call_module":
        return
    kwargs = dict(node.kwargs)
    found = [kwargs.pop(name) for name in ("input", "other") if name in kwargs]
    if found:
        node.args, node.kwargs = (*node.args, *found), kwargs


class _Tracer(fx.Tracer):
    """Keeps our neurons whole, as torch's own modules are kept."""

    def is_leaf_module(self, module, path):
        """Whether a module's ``forward`` is not looked into."""
        return type(module) is SpikeNeuron or super().is_leaf_module(module, path)


def _followed(network):
    """Graph of ``torch.fx``."""
    try:
        return _Tracer().trace(network)
    except fx.proxy.TraceError as error:
        raise TraceError(
            f"forward of {type(network).__name__} depends on the numbers in a tensor "
            f"({printable(str(error).splitlines()[0], 120)}): write it without if and loops over "
            "values"
        ) from error
    # A user's own code raises what it likes.
    except Exception as error:
        told = printable((str(error).strip().splitlines() or [""])[0], 200)
        raise TraceError(
            f"forward of {type(network).__name__} cannot be followed ({type(error).__name__}: "
            f"{told}): write it with calls of torch alone"
        ) from error


class _Shapes(fx.Interpreter):
    """Runs a graph on a copy of the network without numbers, and keeps all results."""

    def __init__(self, network, graph):
        empty = copy.deepcopy(network).to("meta", torch.float32).eval()
        super().__init__(fx.GraphModule(empty, graph), garbage_collect_values=False)
        # The copy's graph has nodes of its own, in the same order.
        self._nodes = dict(zip(self.module.graph.nodes, graph.nodes, strict=True))
        self.results = {}
        self.where = "input"

    def run_node(self, node):
        """Result of a node."""
        self.where = node.target if node.op == "call_module" else node.name
        self.results[self._nodes[node]] = super().run_node(node)
        return self.results[self._nodes[node]]
