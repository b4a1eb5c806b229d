"""Views: the same values on other axes."""

from dataclasses import replace
from types import EllipsisType

import torch

from train.graph.layout import LayoutError
from train.spellings.follower import Parameter


__all__ = ["dropout", "item", "permute", "same", "transpose", "view"]


def same(follower, node, module=None):
    """What leaves values as they are."""
    if not follower.results[node].is_floating_point():
        return follower.refuse(
            node, "cast", "makes whole numbers of real ones", "round by addend.nn.SpikeNeuron"
        )
    if follower.results[node].dtype.itemsize < torch.float32.itemsize:
        return follower.refuse(node, "cast", "rounds real numbers", "stay with float32")
    return follower.keep(node, follower.value(node.args[0]))


def dropout(follower, node):
    """Dropout in evaluation, which a function must be told of."""
    if follower.argument(node, 2, "training", True):
        return follower.refuse(
            node, "dropout", "drops in evaluation, too", "pass training=self.training"
        )
    return same(follower, node)


def item(follower, node):
    """One of several tensors, or a view by slices."""
    value, index = follower.value(node.args[0]), node.args[1]
    if not torch.is_tensor(follower.results[node.args[0]]):
        if value.layout.shape == follower.shape(node):
            return follower.keep(node, value)
        return follower.refuse(node, "part", "is one of several tensors", "compute it by itself")
    parts = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(part, int | slice | EllipsisType | None) for part in parts):
        return follower.refuse(node, "index", "picks values one by one", "keep all in their order")
    return view(follower, node)


def view(follower, node, module=None):
    """The same values on other axes."""
    value = follower.value(node.args[0])
    if isinstance(value, Parameter):
        return follower.keep(node, value)
    if follower.results[node].shape[0] != follower.results[node.args[0]].shape[0]:
        return follower.refuse(node, "view", "mixes images", "keep the first axis as it is")
    try:
        layout = value.layout.reshape(follower.shape(node))
    except LayoutError as error:
        return follower.refuse(
            node, "view", str(error), "keep images, channels and positions apart"
        )
    return follower.keep(node, replace(value, layout=layout))


def permute(follower, node):
    """Axes in another order."""
    order = node.args[1:] if len(node.args) > 2 else node.args[1]
    _moved(follower, node, [int(index) for index in follower.value(tuple(order))])


def transpose(follower, node):
    """Two axes exchanged."""
    order = list(range(follower.results[node].dim()))
    first, second = (int(follower.value(index)) for index in node.args[1:3])
    order[first], order[second] = order[second], order[first]
    _moved(follower, node, order)


def _moved(follower, node, order):
    value = follower.value(node.args[0])
    if isinstance(value, Parameter):
        return follower.keep(node, value)
    order = [index % len(order) for index in order]
    if order[0] != 0:
        return follower.refuse(node, "view", "moves the axis of images", "keep it the first")
    layout = value.layout.permute([index - 1 for index in order[1:]])
    return follower.keep(node, replace(value, layout=layout))
