"""Kinds of nodes: what a network computes in real numbers, as its author wrote it.

A node has one output, a map of ``(channels, height, width)`` per image. Views are no nodes: front
ends follow them, and name the axes that are left.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from train.graph.firing import Firing


__all__ = [
    "Add",
    "Attend",
    "Convolve",
    "Gate",
    "Largest",
    "Mean",
    "Neuron",
    "Node",
    "Norm",
    "Pixels",
    "Pool",
    "Refused",
    "Scale",
]


@dataclass(frozen=True, kw_only=True)
class Node:
    """What all nodes have; ``kind`` is what a user reads.

    Parameters
    ----------
    name : str
        Its own among all nodes: the path of its module, or the name of the file's node.
    inputs : tuple of str
        Nodes that it reads.
    size : (int, int, int)
        Channels, height and width of its output.
    scope : str
        Path of the innermost module whose ``forward`` holds it; empty for the network's own.
    """

    name: str
    inputs: tuple[str, ...] = ()
    size: tuple[int, int, int] = (1, 1, 1)
    scope: str = ""

    kind = "node"


@dataclass(frozen=True, kw_only=True)
class Pixels(Node):
    """The input: bytes times ``scale``.

    Parameters
    ----------
    scale : Fraction
    constant : int
        Byte of one more channel, as ``addend.nn.pixels`` has it; 0 for none.
    centre : int
        What is subtracted of every byte first; then ``constant`` is this, too.
    """

    scale: Fraction
    constant: int = 0
    centre: int = 0

    kind = "input"


@dataclass(frozen=True, kw_only=True)
class Convolve(Node):
    """Convolution, or a linear layer over channels or over a whole map.

    Parameters
    ----------
    module : str
        Path of an ``nn.Conv2d``, ``nn.Conv1d`` or ``nn.Linear`` in the graph's modules.
    step : tuple of Fraction, or None
        Known step of the weights, one or one per output channel: they are whole multiples.
    pads : (int, int, int, int) or None
        Zeros before and after the rows, before and after the columns, in place of the module's.
    """

    module: str
    step: tuple[Fraction, ...] | None = None
    pads: tuple[int, int, int, int] | None = None

    kind = "convolution"


@dataclass(frozen=True, kw_only=True)
class Norm(Node):
    """Batch norm; ``module`` is the path of an ``nn.BatchNorm2d`` or ``nn.BatchNorm1d``."""

    module: str

    kind = "batch norm"


@dataclass(frozen=True, kw_only=True)
class Scale(Node):
    """Multiplication by a number, or by the parameter at a path, shape (channels,)."""

    factor: Fraction | str

    kind = "scale"


@dataclass(frozen=True, kw_only=True)
class Neuron(Node):
    """Counts of a potential."""

    firing: Firing

    kind = "neuron"


@dataclass(frozen=True, kw_only=True)
class Add(Node):
    """Sum of two maps."""

    kind = "add"


@dataclass(frozen=True, kw_only=True)
class Mean(Node):
    """Mean over all positions of a map."""

    kind = "mean"


@dataclass(frozen=True, kw_only=True)
class Pool(Node):
    """Mean over windows without padding.

    Parameters
    ----------
    kernel, stride : (int, int)
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]

    kind = "average pool"


@dataclass(frozen=True, kw_only=True)
class Attend(Node):
    """``addend.nn.attention`` of queries, keys and values."""

    heads: int
    scale: tuple[Fraction, Fraction] = field(default=(Fraction(1), Fraction(1)))

    kind = "attention"


@dataclass(frozen=True, kw_only=True)
class Gate(Node):
    """``addend.nn.masked_sum`` of a gate and values."""

    heads: int

    kind = "mask"


@dataclass(frozen=True, kw_only=True)
class Largest(Node):
    """Largest value in a window.

    Parameters
    ----------
    kernel, stride : (int, int)
    padding : (int, int, int, int)
        Before and after, of height and of width.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    kind = "max pool"


@dataclass(frozen=True, kw_only=True)
class Refused(Node):
    """What has no meaning for hardware or golden, and what to do about it.

    Parameters
    ----------
    kind : str
        As its author calls it: ``LayerNorm``, ``Softmax``.
    reason, remedy : str
        Parts of a sentence.
    """

    kind: str
    reason: str
    remedy: str
