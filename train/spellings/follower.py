"""What has been followed of a network so far: nodes, and what each of torch's values is."""

from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Real

import torch

from train.graph import Neuron, Pixels, Refused, Scale
from train.graph.layout import Layout
from train.graph.unique import Unique
from train.nn.pixels import PIXEL_DIVISOR
from train.spellings.chain import Chain, ChainError


__all__ = ["Follower", "Parameter", "Value"]


#: The chain of a value to which nothing was done.
_NOTHING = Chain()


@dataclass(frozen=True)
class Value:
    """A tensor of the network, of which a node computes the map.

    Parameters
    ----------
    node : str
    layout : Layout
    chain : Chain
        Elementwise steps that are no node yet.
    less : Value or None
        What is subtracted of it, in a straight-through estimator.
    """

    node: str
    layout: Layout
    chain: Chain = _NOTHING
    less: "Value | None" = None


@dataclass(frozen=True)
class Parameter:
    """A parameter or buffer, by its path."""

    path: str


class Follower:
    """Nodes of the float graph, made one after another.

    Parameters
    ----------
    network : nn.Module
    results : dict of fx.Node to tensor or other value
        Of shapes alone.
    image : (int, int, int)
    scale : Fraction or None
    """

    def __init__(self, network, results, image, scale):
        self.network = network
        self.results = results
        self.nodes = []
        self.outputs = []
        self._image = image
        self._scale = scale
        self._values = {}
        self._unique = Unique("#")
        self._resolved = {}

    # What handlers ask.

    def value(self, argument):
        """What an argument of a call is: a `Value`, a `Parameter` or a plain Python value."""
        if isinstance(argument, torch.fx.Node):
            return self._values[argument]
        if isinstance(argument, (tuple, list)):
            return tuple(self.value(inner) for inner in argument)
        return argument

    def argument(self, node, position, name, default=None):
        """A call's argument by position or name."""
        if len(node.args) > position:
            return self.value(node.args[position])
        return self.value(node.kwargs.get(name, default))

    def read(self, node, position=0, name="input"):
        """Node behind a tensor that is read as it is, its elementwise steps included."""
        return self.resolved(node, self.argument(node, position, name))

    def shape(self, node):
        """Shape behind the images; that of the first, where a call returns several tensors."""
        result = self.results[node]
        while not torch.is_tensor(result):
            result = next(iter(result.values() if isinstance(result, dict) else result))
        return tuple(result.shape[1:])

    def kind(self, node):
        """What a call's author calls it: the class of a module, or a function's name."""
        if node.op == "call_module":
            return type(self.network.get_submodule(node.target)).__name__
        return getattr(node.target, "__name__", str(node.target))

    def scope(self, node):
        """Path of the innermost module whose ``forward`` holds a node."""
        stack = list(node.meta.get("nn_module_stack") or ())
        if node.op == "call_module":
            stack = stack[:-1]
        return stack[-1] if stack else ""

    def size(self, name):
        """Channels, height and width of a node."""
        return next(node.size for node in self.nodes if node.name == name)

    def is_refused(self, name):
        """Whether a node was refused."""
        return any(node.name == name and isinstance(node, Refused) for node in self.nodes)

    def parameter_at(self, path):
        """The parameter or buffer of a path."""
        module, _, name = path.rpartition(".")
        return getattr(self.network.get_submodule(module), name)

    # What handlers say.

    def add(self, node, kind, *inputs, size=None, layout=None, name=None, **fields):
        """Append a node; the call's value is its map in the layout of its shape."""
        if layout is None:
            layout = self.layout_of(node, size)
        self.alias(node, self._append(node, kind, inputs, size, name, fields), layout)

    def alias(self, node, name, layout, **changes):
        """Let a call's value be that of a node."""
        self._values[node] = Value(name, layout, **changes)

    def keep(self, node, value):
        """Let a call's value be another one."""
        self._values[node] = value

    def step(self, node, value, step):
        """Add an elementwise step to a value, a function of its chain."""
        name = self._place(node)
        if not isinstance(value, Value) or value.less is not None:
            self.refuse(node, name, "reads what is no map")
            return
        try:
            chain = step(value.chain).named(name)
        except ChainError as error:
            self.refuse(node, name, error.reason, error.remedy)
            return
        self.keep(node, replace(value, chain=chain))

    def begin_with(self, constant):
        """Let the input be bytes over 256, with one more constant channel if there is one."""
        first = self.nodes[0]
        channels, height, width = first.size
        self.nodes[0] = replace(
            first,
            scale=Fraction(1, PIXEL_DIVISOR),
            constant=constant,
            size=(channels + (constant > 0), height, width),
        )

    def refuse(self, node, kind, reason="is nothing that spikes can compute", remedy=None):
        """Append a node that has no meaning; what is behind it is looked at as if it had one."""
        read = [
            value for value in map(self.value, node.all_input_nodes) if isinstance(value, Value)
        ]
        fields = {
            "kind": kind,
            "reason": reason,
            "remedy": remedy or "take it out or put a neuron or a batch norm in its place",
        }
        inputs = [self.resolved(node, value) for value in read]
        shape = self.shape(node)
        same = next((value.layout for value in read if value.layout.shape == shape), None)
        if same is None:
            size = (*shape, 1, 1, 1)[:3] if len(shape) <= 3 else shape[-3:]
            same = Layout.maps(*size)
        else:
            size = same.size
        self.alias(node, self._append(node, Refused, inputs, size, None, fields), same)

    def layout_of(self, node, size):
        """Layout of a call's value whose axes are those of a map, or of its positions at once."""
        return Layout.maps(*size).reshape(self.shape(node))

    def resolved(self, node, value):
        """Name of the node that computes a value, after its elementwise steps became one."""
        if not isinstance(value, Value):
            return self._constant(node, value)
        if value.less is not None:
            return self._refused_chain(node, value, ChainError("subtracts maps", "add them"))
        if value.chain == _NOTHING:
            return value.node
        key = value.node, value.chain
        if key not in self._resolved:
            self._resolved[key] = self._chained(node, value)
        return self._resolved[key]

    def _chained(self, node, value):
        """Append the node that a value's elementwise steps are."""
        chain, size = value.chain, self.size(value.node)
        if chain.only_scales:
            fields = {"factor": chain.gain}
            return self._append(node, Scale, [value.node], size, chain.names[-1], fields)
        try:
            fields = {"firing": chain.firing()}
        except ChainError as error:
            return self._refused_chain(node, value, error)
        return self._append(node, Neuron, [value.node], size, chain.names[-1], fields)

    # What every graph has.

    def input(self, node):
        """The images."""
        height, width, channels = self._image
        self.add(
            node,
            Pixels,
            size=(channels, height, width),
            scale=None if self._scale is None else Fraction(self._scale),
        )

    def output(self, node):
        """What ``forward`` returns."""
        found = self.value(node.args[0])
        if isinstance(found, tuple) and len(found) == 1:
            (found,) = found
        if isinstance(found, Value):
            self.outputs.append(self.resolved(node, found))
            return
        inputs = [self.resolved(node, self.value(read)) for read in node.all_input_nodes]
        what = f"{len(found)} values" if isinstance(found, tuple) else f"a {type(found).__name__}"
        fields = {
            "kind": "output",
            "reason": f"is {what}",
            "remedy": "return one tensor of class scores",
        }
        self.outputs.append(self._append(node, Refused, inputs, (1, 1, 1), None, fields))

    def parameter(self, node):
        """A parameter or buffer of a module."""
        self._values[node] = Parameter(node.target)

    def _append(self, node, kind, inputs, size, name, fields):
        name = self._unique(name or self._place(node))
        self.nodes.append(
            kind(
                name=name,
                inputs=tuple(inputs),
                size=tuple(size),
                scope=self.scope(node),
                **fields,
            )
        )
        return name

    def _place(self, node):
        """Path of a module, where it is used if several share it; or scope and name of a call."""
        scope = self.scope(node)
        if node.op == "call_module":
            if node.target.startswith(scope):
                return node.target
            return f"{scope}.{node.target.rpartition('.')[2]}"
        return f"{scope}.{node.name}" if scope else node.name

    def _refused_chain(self, node, value, error):
        names = value.chain.names or (node.name,)
        fields = {"kind": names[-1], "reason": error.reason, "remedy": error.remedy}
        return self._append(node, Refused, [value.node], self.size(value.node), names[-1], fields)

    def _constant(self, node, value):
        """A parameter or number where a map belongs."""
        what = value.path if isinstance(value, Parameter) else _written(value)
        fields = {
            "kind": "constant",
            "reason": f"is {what}, which no layer computes",
            "remedy": "give it to a batch norm or a convolution's bias",
        }
        return self._append(node, Refused, [], (1, 1, 1), None, fields)


def _written(value):
    """A number as a user wrote it, or its type."""
    return f"{value:g}" if isinstance(value, Real) else f"a {type(value).__name__}"
