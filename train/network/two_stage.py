"""Layers that are computed in two steps and exported as one: two-stage projections, layer scales.

Both look like a convolution or a batch norm to whoever folds them.
"""

__all__ = ["ScaledNorm", "TwoStage"]


class TwoStage:
    """Two pointwise convolutions with batch norm in between, as one convolution.

    Called, it computes both stages, whose batch norms may gather statistics. ``weight`` and
    ``bias`` are those of the one matrix that both are in evaluation.

    Parameters
    ----------
    first : nn.Sequential
        Convolution without bias and its batch norm.
    second : nn.Sequential
        The same, or a convolution alone.
    """

    stride = (1, 1)
    padding = (0, 0)
    groups = 1

    def __init__(self, first, second):
        self._first = first
        self._second = second

    def __call__(self, inputs):
        """Output of the second stage, shape (images, channels, height, width)."""
        return self._second(self._first(inputs))

    @property
    def weight(self):
        """Folded matrix, shape (out_channels, in_channels, 1, 1)."""
        slope, _ = _affine(self._first[1])
        first = self._first[0].weight.flatten(1) * slope[:, None]
        weight = self._second[0].weight.flatten(1) @ first
        if len(self._second) > 1:
            slope, _ = _affine(self._second[1])
            weight = weight * slope[:, None]
        return weight[:, :, None, None]

    @property
    def bias(self):
        """Folded bias, shape (out_channels,)."""
        _, offset = _affine(self._first[1])
        bias = self._second[0].weight.flatten(1) @ offset
        if len(self._second) > 1:
            slope, offset = _affine(self._second[1])
            bias = slope * bias + offset
        return bias


class ScaledNorm:
    """Batch norm whose result is multiplied by a layer scale, as one batch norm.

    Parameters
    ----------
    norm : nn.BatchNorm1d or nn.BatchNorm2d
    scale : tensor, shape (channels,)
    """

    def __init__(self, norm, scale):
        self.norm = norm
        self.scale = scale

    @property
    def weight(self):
        """Slope, layer scale included."""
        return self.norm.weight * self.scale

    @property
    def bias(self):
        """Offset, layer scale included."""
        return self.norm.bias * self.scale

    def __getattr__(self, name):
        return getattr(self.norm, name)


def _affine(norm):
    """Slope and offset of a batch norm in evaluation."""
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    return slope, norm.bias - slope * norm.running_mean
