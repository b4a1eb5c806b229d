"""What stages of a projection are bound to: things that look like a convolution to their users."""

import torch
from torch import nn

from train.projection.compute import across, convolve, four, normalise


__all__ = ["BATCH_NORMS", "Centred", "Chain", "Factor", "OfMean", "Ones", "Padded", "Whole"]


BATCH_NORMS = nn.modules.batchnorm._BatchNorm


class _Plain:
    """A convolution with stride 1 and without padding."""

    stride = (1, 1)
    padding = (0, 0)
    dilation = (1, 1)
    groups = 1
    bias = None


class Whole(_Plain):
    """A linear layer over the channels of a position, or over a whole map."""

    def __init__(self, linear, size):
        self._linear = linear
        self._size = (1, 1) if linear.in_features == size[0] else size[1:]

    @property
    def weight(self):
        """Shape (out, channels, height, width)."""
        return self._linear.weight.unflatten(1, (-1, *self._size))

    @property
    def bias(self):
        """Shape (out,), or ``None``."""
        return self._linear.bias


class OfMean(_Plain):
    """A linear layer or 1x1 convolution of the mean over a whole map."""

    def __init__(self, module, kernel):
        self._module = module
        self._kernel = kernel
        self.groups = getattr(module, "groups", 1)

    @property
    def weight(self):
        """Shape (out, channels / groups, height, width)."""
        height, width = self._kernel
        weight = self._module.weight.flatten(1) / (height * width)
        return weight[..., None, None].expand(-1, -1, height, width)

    @property
    def bias(self):
        """Shape (out,), or ``None``."""
        return self._module.bias


class Padded:
    """A convolution with another padding, which may be uneven."""

    def __init__(self, conv, pads):
        self._conv = conv
        self.padding = pads

    def __getattr__(self, name):
        # A copy asks for these before it has anything.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._conv, name)


class Ones(_Plain):
    """Mean of every window of a channel."""

    def __init__(self, channels, kernel, stride):
        self.groups = channels
        self.stride = stride
        self._kernel = kernel

    @property
    def weight(self):
        """Shape (channels, 1, height, width)."""
        height, width = self._kernel
        return torch.full(
            (self.groups, 1, height, width), 1 / (height * width), dtype=torch.float64
        )


class Centred:
    """A convolution of bytes less a constant, which one more channel holds."""

    def __init__(self, conv):
        self._conv = conv

    @property
    def weight(self):
        """Shape (out, channels + 1, height, width)."""
        weight = self._conv.weight
        return torch.cat([weight, -weight.sum(1, keepdim=True)], 1)

    def __getattr__(self, name):
        # A copy asks for these before it has anything.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._conv, name)


class Factor:
    """Multiplication by a number, or by a parameter that is looked up when it is needed."""

    def __init__(self, module, name):
        self._module = module
        self._name = name

    @property
    def values(self):
        """A tensor of shape (channels,) or (1,), or a number."""
        if self._module is None:
            return self._name
        return getattr(self._module, self._name).flatten()


class Chain(_Plain):
    """Stages that are computed one after another and folded into one convolution.

    ``weight`` and ``bias`` are those of the one convolution that all are in evaluation.

    Parameters
    ----------
    stages : list
        Convolutions, batch norms and factors; convolutions behind the first are pointwise.
    """

    def __init__(self, stages):
        self._stages = stages
        first = stages[0]
        self.stride, self.padding, self.dilation = first.stride, first.padding, first.dilation

    def __call__(self, inputs):
        """Output of the last stage, shape (images, channels, height, width)."""
        for stage in self._stages:
            if isinstance(stage, BATCH_NORMS):
                inputs = normalise(inputs, stage)
            elif isinstance(stage, Factor):
                inputs = inputs * across(stage.values)
            else:
                inputs = convolve(inputs, stage, weight=stage.weight, bias=stage.bias)
        return inputs

    @property
    def groups(self):
        """Those of the first stage, if no convolution follows."""
        return self._stages[0].groups if self._convolutions == 1 else 1

    @property
    def _convolutions(self):
        return sum(not isinstance(stage, (Factor, BATCH_NORMS)) for stage in self._stages)

    @property
    def weight(self):
        """Folded weights, shape (out, in / groups, height, width)."""
        weight = four(self._stages[0].weight)
        if self._convolutions > 1:
            weight = _dense(weight, self._stages[0].groups)
        shape = weight.shape[1:]
        weight = weight.flatten(1)
        for stage in self._stages[1:]:
            if isinstance(stage, BATCH_NORMS):
                weight = weight * _affine(stage)[0][:, None]
            elif isinstance(stage, Factor):
                weight = weight * _column(stage.values)
            else:
                weight = _dense(four(stage.weight), stage.groups).flatten(1) @ weight
        return weight.unflatten(1, shape)

    @property
    def bias(self):
        """Folded bias, shape (out,), or ``None``."""
        bias = self._stages[0].bias
        for stage in self._stages[1:]:
            if isinstance(stage, BATCH_NORMS):
                slope, offset = _affine(stage)
                bias = offset if bias is None else slope * bias + offset
            elif isinstance(stage, Factor):
                bias = None if bias is None else bias * stage.values
            elif bias is None:
                bias = stage.bias
            else:
                bias = _dense(four(stage.weight), stage.groups).flatten(1) @ bias
                bias = bias if stage.bias is None else bias + stage.bias
        return bias


def _dense(weight, groups):
    """Weights of a grouped convolution as those of a dense one."""
    if groups == 1:
        return weight
    outputs, inputs = len(weight) // groups, weight.shape[1]
    dense = weight.new_zeros(groups, outputs, groups, inputs, *weight.shape[2:])
    index = torch.arange(groups)
    dense[index, :, index] = weight.unflatten(0, (groups, outputs))
    return dense.flatten(0, 1).flatten(1, 2)


def _column(values):
    return values[:, None] if torch.is_tensor(values) else values


def _affine(norm):
    """Slope and offset of a batch norm in evaluation."""
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    return slope, norm.bias - slope * norm.running_mean
