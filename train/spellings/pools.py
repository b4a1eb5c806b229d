"""Means and largest values over windows and whole maps."""

from torch import nn

from train.graph import Largest, Mean, Pool


__all__ = ["adaptive", "average", "largest", "mean"]


def mean(follower, node, module=None):
    """A mean over all positions."""
    value = follower.argument(node, 0, "input")
    name = follower.resolved(node, value)
    channels = follower.size(name)[0]
    kept = follower.results[node].numel() // follower.results[node].shape[0]
    dims = follower.argument(node, 1, "dim", ()) if module is None else ()
    if kept != channels or _reduced(value.layout, dims, module) not in ("", "h", "w", "hw"):
        return follower.refuse(
            node, "mean", "is not over all positions", "average all positions of each channel"
        )
    return follower.add(node, Mean, name, size=(channels, 1, 1))


def _reduced(layout, dims, module):
    """Names of the atoms that a mean runs over."""
    if module is not None:
        return ""
    axes = [dims] if isinstance(dims, int) else list(dims)
    rank = len(layout.axes) + 1
    return "".join(
        sorted({
            atom.name for axis in axes for atom in layout.axes[axis % rank - 1] if atom.length != 1
        })
    )


def adaptive(follower, node, module=None):
    """A mean over all positions, by its output size."""
    size = module.output_size if module is not None else follower.argument(node, 1, "output_size")
    if size in (1, (1, 1), (None, 1)):
        return mean(follower, node, module or nn.AdaptiveAvgPool2d(1))
    return follower.refuse(
        node, "adaptive pool", "has windows of different sizes", "use AvgPool2d or a mean over all"
    )


def average(follower, node, module=None):
    """A mean over windows."""
    kernel, stride, padding, ceil_mode = _window(follower, node, module)
    value = follower.argument(node, 0, "input")
    if _extra(follower, node, module, 6, "divisor_override") is not None:
        return follower.refuse(node, "average pool", "divides otherwise", "leave its divisor out")
    if any(padding) or ceil_mode or not value.layout.is_maps():
        return follower.refuse(node, "average pool", "pads its map", "average whole windows")
    name = follower.resolved(node, value)
    size = follower.shape(node)
    return follower.add(node, Pool, name, size=size, kernel=kernel, stride=stride)


def largest(follower, node, module=None):
    """The largest value in windows."""
    kernel, stride, padding, ceil_mode = _window(follower, node, module)
    value = follower.argument(node, 0, "input")
    if _extra(follower, node, module, 4, "dilation") not in (None, 1, (1, 1), [1, 1]):
        return follower.refuse(node, "max pool", "has gaps in its windows", "set dilation=1")
    if ceil_mode or not value.layout.is_maps():
        return follower.refuse(node, "max pool", "rounds sizes up", "set ceil_mode=False")
    name = follower.resolved(node, value)
    before = tuple(length for length in padding for _ in range(2))
    return follower.add(
        node,
        Largest,
        name,
        size=follower.shape(node),
        kernel=kernel,
        stride=stride,
        padding=before,
    )


def _extra(follower, node, module, position, name):
    """A setting of a pooling layer that few networks have."""
    return follower.argument(node, position, name) if module is None else getattr(module, name)


def _window(follower, node, module):
    """Kernel, stride, padding of a pooling layer, and whether sizes are rounded up."""
    if module is not None:
        found = module.kernel_size, module.stride, module.padding, module.ceil_mode
    else:
        found = (
            follower.argument(node, 1, "kernel_size"),
            follower.argument(node, 2, "stride"),
            follower.argument(node, 3, "padding", 0),
            follower.argument(node, 5, "ceil_mode", False),
        )
    kernel, stride, padding, ceil_mode = found
    return _pair(kernel), _pair(stride or kernel), _pair(padding), ceil_mode


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)
