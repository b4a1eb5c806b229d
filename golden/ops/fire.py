"""Epilogue of a branch: spike counts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import ModelError
from golden.hints import Infos, Tensors
from golden.neuron import Neuron, Rule
from golden.tensor_info import TensorInfo

from .facts import Facts
from .firing import fire, fired_info, record_fired
from .operator import Epilogue, Operator
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
    bias: NDArray[np.int64] | None = None

    def outputs(self, layer: Operator, info: TensorInfo, known: Infos) -> dict[str, TensorInfo]:
        check_shifted(layer, self, info.channels)
        self.neuron.check(layer, info.channels)
        return fired_info(layer, self.neuron, info)

    def check(self, layer: Operator, facts: Facts) -> None:
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
                f"{above[channel]}, the range of its {what}, not {thresholds[channel, step]}"
            )

    def store(
        self,
        layer: Operator,
        potentials: NDArray[np.int64],
        tensors: Tensors,
    ) -> dict[str, NDArray[np.int64]]:
        values = shifted(potentials, self.shift, self.bias)
        return fire(layer, self.neuron, values, tensors)

    def record(self, layer: Operator, low: np.ndarray, high: np.ndarray, facts: Facts) -> None:
        if self.shift or self.bias is not None:
            low, high = shifted_interval(layer, self, low, high)
        record_fired(layer, self.neuron, low, high, facts)
