"""``torch.fx`` with every shape known while ``forward`` is followed.

Each call is made at once on tensors without numbers. What is no tensor, such as a shape, is handed
to ``forward`` as it is, so that ``if`` and loops may depend on it.
"""

import copy
import operator
import warnings

import torch
from torch import fx
from torch.fx.node import map_arg

from golden.data.reading import printable
from train.graph import GraphError
from train.nn import SpikeNeuron


__all__ = ["CHANGED", "ShapeTracer", "TraceError", "is_changed", "told"]


class TraceError(GraphError):
    """A network that cannot be followed, told in one sentence."""


#: What a tensor without numbers raises where they are asked for.
_NUMBERS = "depends on the numbers in a tensor: let shapes be those of the image"

#: Said of a module that `is_changed`.
CHANGED = "has a hook or a forward of its own, which changes what it computes"


class ShapeTracer(fx.Tracer):
    """Follows a network on images of one shape.

    Parameters
    ----------
    image : (int, int, int)
        Height, width and channels.

    Attributes
    ----------
    results : dict of fx.Node to tensor, or tuple or dict of tensors
        On the device ``meta``.
    written : dict of fx.Node to list of fx.Node
        Earlier calls whose tensors a call changes in place.
    """

    def __init__(self, image):
        super().__init__()
        self.results = {}
        self.written = {}
        self._image = image
        self._empty = None
        self._computes = False

    def trace(self, network):
        """The graph of a network; raises `TraceError` or whatever the network raises."""
        self._empty = _emptied(network)
        if is_changed(network):
            raise TraceError(f"{type(network).__name__} {CHANGED}: write it in forward")
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = super().trace(network)
        if all(node.op != "placeholder" for node in graph.nodes):
            raise TraceError("forward takes no images: give it an argument")
        return graph

    def is_leaf_module(self, module, path):
        """Whether a module's ``forward`` is not looked into: torch's own and our neurons."""
        return type(module) is SpikeNeuron or super().is_leaf_module(module, path)

    def call_module(self, module, forward, args, kwargs):
        """Let a module be followed, or compute where shapes are found."""
        if self._computes:
            return forward(*args, **kwargs)
        return super().call_module(module, forward, args, kwargs)

    def getattr(self, name, value, cache):
        """Let a parameter be followed, or be read where shapes are found."""
        return value if self._computes else super().getattr(name, value, cache)

    def proxy(self, node):
        """Stands for a tensor while ``forward`` is followed."""
        return _Proxy(node, self)

    def create_node(self, kind, target, *others, **options):
        """Keep what a parameter or constant is; torch.fx asks for them by itself."""
        node = super().create_node(kind, target, *others, **options)
        if kind == "get_attr":
            path, _, name = target.rpartition(".")
            self._computes = True
            found = getattr(self.root.get_submodule(path), name)
            self._computes = False
            found = found.to("meta")
            self.results[node] = found.float() if found.is_floating_point() else found
        return node

    def create_proxy(self, kind, target, args, kwargs, *others, **options):
        """Make a call; returns a proxy of its tensors, or what is none as it is."""
        if kind == "placeholder":
            return self._placeholder(target, args)
        proxy = super().create_proxy(kind, target, args, kwargs, *others, **options)
        node = proxy.node
        if kind == "get_attr":
            return proxy
        result = self.results[node] = self._computed(node)
        if _has_tensors(result):
            return proxy
        self.graph.erase_node(node)
        del self.results[node]
        return result

    def to_bool(self, proxy):
        """An ``if`` over numbers."""
        raise TraceError(
            f"forward of {type(self.root).__name__} depends on the numbers in a tensor "
            f"({proxy.node.name}): write it without if and loops over values"
        )

    def iter(self, proxy):
        """A loop over tensors, of which there are as many as the shape says."""
        return (proxy[index] for index in range(len(proxy)))

    def _placeholder(self, name, default):
        """An argument of ``forward``: the images, or one that is left out."""
        if self.results and not name.startswith("*") and not default:
            raise TraceError(f"forward takes {name!r} beside images: give it a default")
        if self.results:
            return {} if name.startswith("**") else default[0] if default else ()
        if name.startswith("**"):
            raise TraceError("forward takes no images: give it an argument")
        proxy = super().create_proxy("placeholder", name.lstrip("*"), (), {})
        height, width, channels = self._image
        self.results[proxy.node] = torch.empty(2, channels, height, width, device="meta")
        return (proxy,) if name.startswith("*") else proxy

    def _computed(self, node):
        """Result of a call; notes which earlier ones it changes."""
        args, kwargs = map_arg((node.args, node.kwargs), self.results.__getitem__)
        versions = {other: result._version for other, result in self._tensors()}
        self._computes = True
        try:
            result = self._called(node, args, kwargs)
        # torch has no common exception for shapes that do not fit.
        except Exception as error:
            where = node.target if node.op == "call_module" else node.name
            # Whoever asks for numbers gets none of a meta tensor.
            if isinstance(error, NotImplementedError) or "meta tensor" in str(error):
                raise TraceError(f"{where} {_NUMBERS}") from error
            height, width, channels = self._image
            raise TraceError(
                f"{where} does not compute on images of {channels}x{height}x{width} "
                f"({told(error)}): give it images of the shape that it takes"
            ) from error
        finally:
            self._computes = False
        changed = [other for other, known in self._tensors() if known._version != versions[other]]
        if changed:
            self.written[node] = changed
            # An assignment to parts returns nothing.
            result = args[0] if result is None else result
        return result

    def _called(self, node, args, kwargs):
        if node.op == "call_module":
            return self._empty.get_submodule(node.target)(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], node.target)(*args[1:], **kwargs)
        return node.target(*args, **kwargs)

    def _tensors(self):
        return [(node, known) for node, known in self.results.items() if torch.is_tensor(known)]


class _Proxy(fx.Proxy):
    """A tensor or several, whose shapes are known and whose numbers are not."""

    def __getattr__(self, name):
        result = self.tracer.results[self.node]
        if name == "device":
            # New tensors have numbers, for they become constants of the graph.
            return torch.device("cpu")
        found = getattr(result, name, None)
        if callable(found) or torch.is_tensor(found) or not hasattr(result, name):
            return super().__getattr__(name)
        return found

    def __len__(self):
        return len(self.tracer.results[self.node])

    def __setitem__(self, index, value):
        self.tracer.create_proxy("call_function", operator.setitem, (self, index, value), {})

    def _number(self):
        return self.tracer.to_bool(self)

    __int__ = __float__ = __index__ = __complex__ = item = tolist = numpy = _number


def _in_place(function):
    def method(proxy, other):
        return proxy.tracer.create_proxy("call_function", function, (proxy, other), {})

    return method


# torch.fx takes `x += y` for `x = x + y`.
for _name in ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"):
    setattr(_Proxy, f"__{_name}__", _in_place(getattr(operator, _name)))


def is_changed(module, kind=None):
    """Whether a module that is not looked into computes something else than its class.

    Parameters
    ----------
    module : nn.Module
    kind : type, optional
        Class whose ``forward`` it must have.
    """
    forward = type(module).forward if kind is None else kind.forward
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or "forward" in vars(module)
        or type(module).forward is not forward
    )


def told(error):
    """First line of what an exception says."""
    return printable((str(error).strip().splitlines() or [type(error).__name__])[0], 200)


def _has_tensors(result):
    """Whether a call returns a tensor or several."""
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, (tuple, list)):
        return any(map(_has_tensors, result))
    return torch.is_tensor(result)


def _emptied(network):
    """A copy without numbers, in evaluation."""
    for path, module in network.named_modules():
        _require_plain(path or type(network).__name__, module)
    try:
        return copy.deepcopy(network).to("meta", torch.float32).eval()
    # Modules may keep whatever does not let itself be copied.
    except Exception as error:
        raise TraceError(
            f"{type(network).__name__} cannot be copied ({told(error)}): give it parameters, and "
            "torch.nn.utils.parametrizations in place of hooks"
        ) from error


def _require_plain(path, module):
    """Raises `TraceError` for modules that are more than their ``forward`` and parameters."""
    if isinstance(module, torch.jit.ScriptModule) or hasattr(module, "_orig_mod"):
        raise TraceError(f"{path} is compiled: hand on the module that it was made of")
    for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
        if torch.nn.parameter.is_lazy(tensor):
            raise TraceError(f"{path} has no shape yet: call it on images before it is handed on")
        if tensor.is_complex():
            raise TraceError(f"{path} has complex numbers: use real ones")
