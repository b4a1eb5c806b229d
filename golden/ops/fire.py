"""Epilogue of a branch: spike counts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from golden.errors import ModelError
from golden.neuron import Neuron, Rule

from .firing import fire, fired_info, record_fired
from .operator import Epilogue
from .shifted import check_shifted, shifted, shifted_interval


__all__ = ["Fire"]


@dataclass(frozen=True, eq=False)
class Fire(Epilogue):
    """Counts ``NAME.counts`` of ``(potential << shift) + bias``.

    Parameters
    ----------
    neuron : Neuron
    shift : int
        0 to 32.
    bias : int64 array, shape (channels,), or None
    """

    KIND, TENSORS = "fire", ("bias",)
    FIELDS: ClassVar = {"shift": int}

    neuron: Neuron
    shift: int = 0
    bias: np.ndarray | None = None

    def outputs(self, layer, info, known):
        check_shifted(layer, self, info.channels)
        self.neuron.check(layer, info.channels)
        return fired_info(layer, self.neuron, info)

    def check(self, layer, facts):
        """Thresholds fit what is compared with them."""
        if self.neuron.rule is Rule.UNIFORM:
            return
        thresholds = self.neuron.thresholds
        low, high = facts.ranges.fired[layer.name]
        if len(thresholds) == 1:
            low, high = low.min(keepdims=True), high.max(keepdims=True)
        # One bit more than the potential: a threshold just above it is never reached.
        sticky = self.neuron.membrane is not None and self.neuron.membrane.sticky
        above = high + 1 + sticky
        wrong = (thresholds < low[:, np.newaxis]) | (thresholds > above[:, np.newaxis])
        if wrong.any():
            channel, step = np.argwhere(wrong)[0]
            what = "potential" if self.neuron.membrane is None else "membrane"
            raise ModelError(
                f"Layer {layer.name}: thresholds of channel {channel} must be {low[channel]} to "
                f"{above[channel]}, the range of its {what}, not {thresholds[channel, step]}")

    def store(self, layer, potentials, tensors):
        values = shifted(potentials, self.shift, self.bias)
        return fire(layer, self.neuron, values, tensors)

    def record(self, layer, low, high, facts):
        if self.shift or self.bias is not None:
            low, high = shifted_interval(layer, self, low, high)
        record_fired(layer, self.neuron, low, high, facts)
