"""Modules that a reader makes, in a tree of paths."""

import torch
from torch import nn


__all__ = ["Modules", "convolution", "linear", "norm"]


class Modules:
    """A tree of modules in float64, in evaluation.

    Parameters
    ----------
    root : nn.Module
    """

    def __init__(self):
        self.root = nn.Module()

    def add(self, path, module):
        """Put a module at a path, or near it if another is there; returns where."""
        parts = path.split(".")
        place = self.root
        for part in parts[:-1]:
            if not isinstance(getattr(place, part, None), nn.Module):
                place.add_module(part, nn.Module())
            place = place.get_submodule(part)
        name, number = parts[-1], 1
        while hasattr(place, name):
            number += 1
            name = f"{parts[-1]}_{number}"
        place.add_module(name, module.double().eval())
        return ".".join([*parts[:-1], name])

    def get(self, path):
        """The module of a path."""
        return self.root.get_submodule(path)


def convolution(weight, *, stride, padding, dilation, groups):
    """Convolution of weights as an array, without a bias; padding that is ``None`` is elsewhere."""
    outputs, inputs, *kernel = weight.shape
    module = nn.Conv2d(
        inputs * groups,
        outputs,
        tuple(kernel),
        stride,
        padding or 0,
        dilation,
        groups,
        bias=False,
        device="meta",
    )
    return _holding(module, weight=weight)


def linear(weight):
    """Linear layer of weights as an array, without a bias."""
    return _holding(nn.Linear(*weight.shape[::-1], bias=False, device="meta"), weight=weight)


def norm(scale, bias, mean=None, variance=None, *, epsilon=0.0):
    """Batch norm of arrays; without statistics, a multiplication and an addition."""
    module = nn.BatchNorm2d(len(scale), eps=epsilon, dtype=torch.float64)
    mean = scale * 0 if mean is None else mean
    variance = scale * 0 + 1 if variance is None else variance
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(scale.copy()))
        module.bias.copy_(torch.from_numpy(bias.copy()))
    module.running_mean = torch.from_numpy(mean.copy())
    module.running_var = torch.from_numpy(variance.copy())
    return module


def _holding(module, **arrays):
    for name, array in arrays.items():
        setattr(module, name, nn.Parameter(torch.tensor(array, dtype=torch.float64)))
    return module
