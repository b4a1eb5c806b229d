"""Functions of addend.nn: attention, gates, pixels."""

from fractions import Fraction

from train.graph import Attend, Gate
from train.graph.layout import Layout
from train.spellings.follower import Value


__all__ = ["attend", "gate", "pixels"]


def attend(follower, node):
    """Attention without softmax."""
    names = [
        follower.read(node, place, noun) for place, noun in enumerate(("queries", "keys", "values"))
    ]
    scale = follower.argument(node, 4, "scale", (1, 1))
    follower.add(
        node,
        Attend,
        *names,
        size=(follower.size(names[2])[0], *follower.size(names[0])[1:]),
        heads=follower.argument(node, 3, "heads"),
        scale=tuple(map(Fraction, scale)),
    )


def gate(follower, node):
    """Values that a gate lets pass."""
    names = [follower.read(node, place, noun) for place, noun in enumerate(("gate", "values"))]
    heads = follower.argument(node, 2, "heads")
    follower.add(node, Gate, *names, size=follower.size(names[1]), heads=heads)


def pixels(follower, node):
    """Bytes over 256, with a constant channel or without."""
    value = follower.argument(node, 0, "images")
    first = follower.nodes[0]
    if not isinstance(value, Value) or value.node != first.name or value.chain.names:
        return follower.refuse(node, "pixels", "reads something else than images", "begin with it")
    if first.scale is not None:
        return follower.refuse(
            node, "pixels", "says a second time what a byte stands for", "say no --pixel-scale"
        )
    constant = follower.argument(node, 1, "constant", 0)
    follower.begin_with(constant)
    return follower.alias(node, first.name, Layout.maps(*follower.nodes[0].size))
