"""Lowering: a quantised network becomes an integer model, layer after layer."""

from dataclasses import replace

import numpy as np

from golden.model.integer_model import Input, IntegerModel
from golden.ops import Conv
from golden.ops.conv import conv_interval
from train.projection import Chain, axes
from train.quant.exact import exact_affine, exact_weight
from train.quant.thresholds import fold_thresholds


__all__ = ["ExportError", "integer_model"]


class ExportError(ValueError):
    """The integer model would not be, or is not, what the quantised network computes."""


def integer_model(quantised, *, name, notes=None, takes=None):
    """Fold a quantised network into integers.

    Parameters
    ----------
    quantised : QuantisedNetwork
    name : str
    notes : dict, optional
        Where the model comes from, as JSON values.
    takes : ModelInput, optional
        How pictures come to it, and its classes.

    Returns
    -------
    IntegerModel
        Without mean counts.

    Raises
    ------
    ExportError
        If a parameter is not finite; the sentence names the layer.
    """
    lowering = _Lowering(quantised)
    for layer in quantised.network.layers:
        layer.lower(lowering)
    entry = quantised.network.entry
    channels, height, width = entry.size
    model = IntegerModel(
        name=name,
        input=Input((height, width, channels - (entry.constant > 0)), constant=entry.constant),
        layers=tuple(lowering.layers),
        notes=notes or {},
    )
    return model if takes is None else takes.onto(model)


class _Lowering:
    """Layers of the integer model so far, and what layers need to append theirs."""

    def __init__(self, quantised):
        self.layers = []
        self.grids = quantised.grids
        self.bound = quantised.network.bound
        self._network = quantised.network
        self._weight_bits = quantised.weight_bits
        self._levels = {"pixels": 255}

    def limit(self, layer):
        """Largest magnitude of a layer's weights."""
        return self.grids.limit(layer, self._weight_bits)

    def bits(self, layer):
        """Width of a layer's weights."""
        return self.grids.bits.get(layer.name, self._weight_bits)

    def folded(self, layer):
        """Integer weights of a `train.ops.Branch`, slopes and offsets behind them.

        Returns
        -------
        weight : int64 array, shape (out, in / groups, height, width)
        slopes, offsets : sequence of float or Fraction
        """
        conv, _ = self.bound[layer.name]
        if self._network.exact and layer.projection.steps_known and not isinstance(conv, Chain):
            return self._exactly(layer, conv)
        folded = layer.folded(self)
        return self.whole(folded.weight), _numbers(folded.slope), _numbers(folded.offset)

    def _exactly(self, layer, conv):
        weight, steps = exact_weight(layer.projection, conv)
        slopes, offsets = exact_affine(layer.projection, self._network.modules_of)
        slopes = [slope * step * layer.unit for slope, step in zip(slopes, steps, strict=True)]
        return weight, slopes, offsets

    def across(self, values, weight):
        """Numbers of channels in the shape of weights."""
        return np.reshape(values, (-1, *[1] * (weight.ndim - 1)))

    def whole(self, values):
        """Whole numbers as int64."""
        return _numbers(values).astype(np.int64)

    def narrow(self, layer, weight):
        """Weights in the type that their width asks for."""
        return weight.astype(np.int8 if self.bits(layer) <= 8 else np.int16)

    def conv(self, layer, weight):
        """Convolution whose epilogue is still to be found."""
        conv, _ = self.bound[layer.name]
        weight = weight[..., None] if weight.ndim == 3 else weight
        return Conv(
            name=layer.name,
            sources=(layer.source,),
            weight=self.narrow(layer, weight),
            weight_bits=self.bits(layer),
            axes=axes(conv),
            groups=conv.groups,
            epilogue=None,
        )

    def ladders(self, layer, firing, slopes, offsets):
        """Thresholds of every channel of a convolution, shape (channels, D)."""
        lows, highs = conv_interval(layer, self._levels[layer.source])
        try:
            return np.stack([
                fold_thresholds(
                    firing, slope, offset, low=int(low), high=int(high), channel=channel
                )
                for channel, (slope, offset, low, high) in enumerate(
                    zip(slopes, offsets, lows, highs, strict=True)
                )
            ])
        except ValueError as error:
            raise ExportError(f"{layer.name}: {error}") from error

    def append(self, layer, epilogue):
        """Append a convolution with its epilogue."""
        self.add(replace(layer, epilogue=epilogue))

    def add(self, layer):
        """Append a layer of the integer model."""
        self.layers.append(layer)
        if layer.KIND == "max":
            self._levels[f"{layer.name}.counts"] = self._levels[layer.source]
        elif layer.epilogue is not None and layer.epilogue.neuron is not None:
            self._levels[f"{layer.name}.counts"] = layer.epilogue.neuron.levels


def _numbers(values):
    return values.detach().numpy()
