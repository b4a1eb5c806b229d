"""``torch.fx`` follows a network's ``forward``, and what it saw becomes a float graph."""

import math
from dataclasses import replace

from train.graph import SpikeGraph
from train.shapes import CHANGED, ShapeTracer, TraceError, is_changed, told
from train.spellings import FUNCTIONS, METHODS, MODULES, Follower, views
from train.spellings.follower import Value
from train.spellings.neurons import clamp


__all__ = ["TraceError", "trace"]


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
    tracer = ShapeTracer(image)
    graph = _followed(tracer, network)
    follower = Follower(network, tracer.results, image, scale)
    for node in graph.nodes:
        _visit(follower, node, tracer.written.get(node, ()))
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


def _followed(tracer, network):
    """Graph of ``torch.fx``."""
    name = type(network).__name__
    try:
        return tracer.trace(network)
    except TraceError:
        raise
    # A user's own code raises what it likes.
    except Exception as error:
        raise TraceError(
            f"forward of {name} cannot be followed ({type(error).__name__}: {told(error)}): write "
            "it with calls of torch alone"
        ) from error


def _visit(follower, node, written):
    """Let the handler of a node's target say what it is."""
    if node.op == "placeholder":
        follower.input(node)
    elif node.op == "output":
        follower.output(node)
    elif node.op == "get_attr":
        follower.parameter(node)
    else:
        _name_tensors_by_place(node)
        same = follower.results[node]
        if all(follower.results[other] is same for other in written):
            _visit_call(follower, node)
        else:
            follower.refuse(node, follower.kind(node), *_WRITTEN)
        for other in written:
            # Whoever reads the tensor from here on reads what the call left there.
            if follower.results[other] is same:
                follower.keep(other, follower.value(node))


#: Reason and remedy of a call that changes a tensor of which others are views.
_WRITTEN = "changes a tensor in part, or one that is read otherwise", "let it return a new one"


def _visit_call(follower, node):
    """Let the handler of a call say what it is."""
    module = None
    if node.op == "call_module":
        module = follower.network.get_submodule(node.target)
        kind = next((kind for kind in type(module).__mro__ if kind in MODULES), None)
        handler = MODULES.get(kind)
        if kind is not None and is_changed(module, kind):
            return follower.refuse(node, follower.kind(node), CHANGED, "write it in forward")
    else:
        handler = (METHODS if node.op == "call_method" else FUNCTIONS).get(node.target)
    called = [value for value in (*node.args, *node.kwargs.values()) if isinstance(value, float)]
    if any(map(math.isnan, called)) or (any(map(math.isinf, called)) and handler is not clamp):
        return follower.refuse(node, follower.kind(node), *_INFINITE)
    if handler not in _OF_PARAMETERS and not _reads_maps(follower, node):
        return follower.refuse(node, follower.kind(node), *_CONSTANT)
    unknown = [key for key in _UNKNOWN if node.kwargs.get(key) is not None]
    if handler is None:
        follower.refuse(node, follower.kind(node))
    elif unknown:
        follower.refuse(
            node, follower.kind(node), f"is called with {unknown[0]}", "spell it without"
        )
    elif module is None:
        handler(follower, node)
    else:
        handler(follower, node, module)
    return None


def _reads_maps(follower, node):
    """Whether a call has an argument that depends on the images."""
    return any(isinstance(follower.value(read), Value) for read in node.all_input_nodes)


#: Reason and remedy of calls with numbers that are none, and of calls without a map.
_INFINITE = "is called with what is no finite number", "use finite numbers"
_CONSTANT = "computes with parameters alone", "let a parameter hold what it computes"

#: Handlers that take a parameter in place of a map.
_OF_PARAMETERS = (views.view, views.item, views.permute, views.transpose, views.same)

#: Settings of torch's functions that change what a call computes and that no handler reads.
_UNKNOWN = ("alpha", "decimals", "rounding_mode", "out", "dtype")


def _name_tensors_by_place(node):
    """Move a function's tensors from keywords to their places."""
    if node.op == "call_module":
        return
    kwargs = dict(node.kwargs)
    found = [kwargs.pop(name) for name in ("input", "other") if name in kwargs]
    if found:
        node.args, node.kwargs = (*node.args, *found), kwargs
