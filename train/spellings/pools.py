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
    value, after = follower.argument(node, 0, "input"), follower.shape(node)
    before = value.layout.shape
    if not value.layout.is_maps() or any(a % b for a, b in zip(before, after, strict=True)):
        return follower.refuse(
            node,
            "adaptive pool",
            "has windows of different sizes",
            "use AvgPool2d or a mean over all",
        )
    kernel = tuple(a // b for a, b in zip(before[1:], after[1:], strict=True))
    name = follower.resolved(node, value)
    return follower.add(node, Pool, name, size=after, kernel=kernel, stride=kernel)


def average(follower, node, module=None):
    """A mean over windows."""
    window = _window(follower, node, module)
    value = follower.argument(node, 0, "input")
    if window is None or any(window[2]) or not value.layout.is_maps():
        return follower.refuse(
            node, "average pool", "has windows that are no whole parts of a map", _WHOLE
        )
    kernel, stride, _ = window
    name = follower.resolved(node, value)
    size = follower.shape(node)
    return follower.add(node, Pool, name, size=size, kernel=kernel, stride=stride)


def largest(follower, node, module=None):
    """The largest value in windows."""
    window = _window(follower, node, module)
    value = follower.argument(node, 0, "input")
    if window is None or not value.layout.is_maps():
        return follower.refuse(node, "max pool", "has windows with holes or of other sizes", _WHOLE)
    kernel, stride, padding = window
    name = follower.resolved(node, value)
    return follower.add(
        node,
        Largest,
        name,
        size=follower.shape(node),
        kernel=kernel,
        stride=stride,
        padding=tuple(length for length in padding for _ in range(2)),
    )


#: What pooling may do.
_WHOLE = "use windows without dilation, ceil_mode=False and no divisor_override"


def _window(follower, node, module):
    """Kernel, stride and padding of a pooling layer; ``None`` for windows of other kinds."""
    if module is not None:
        kernel, stride, padding = module.kernel_size, module.stride, module.padding
        odd = [
            module.ceil_mode,
            getattr(module, "dilation", 1) not in (1, (1, 1)),
            getattr(module, "divisor_override", None),
            getattr(module, "return_indices", False),
        ]
    else:
        kernel = follower.argument(node, 1, "kernel_size")
        stride = follower.argument(node, 2, "stride")
        padding = follower.argument(node, 3, "padding", 0)
        odd = [
            len(node.args) > 4,
            node.kwargs.get("dilation", 1) not in (1, (1, 1), [1, 1]),
            *(node.kwargs.get(key) for key in ("ceil_mode", "divisor_override", "return_indices")),
        ]
    if any(odd):
        return None
    return _pair(kernel), _pair(stride or kernel), _pair(padding)


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)
