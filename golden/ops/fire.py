"""Epilogue of a branch: spike counts."""

from dataclasses import dataclass

import numpy as np

from golden.errors import ModelError
from golden.names import counts_name
from golden.neuron import Neuron, spike_count

from .operator import Epilogue


__all__ = ["Fire"]


@dataclass(frozen=True, eq=False)
class Fire(Epilogue):
    """Drain of a branch: counts ``NAME.counts`` from per-channel thresholds."""

    KIND, TENSORS = "fire", ("thresholds",)

    neuron: Neuron

    def outputs(self, layer, shape, known, model):
        return {counts_name(layer): shape}

    def check_values(self, layer, max_count):
        self.neuron.check(layer, max_count)

    def check(self, layer, facts):
        """Thresholds serve every channel at once or each by itself, and fit the potential."""
        thresholds, channels = self.neuron.thresholds, facts.known[counts_name(layer)][0]
        if len(thresholds) not in (1, channels):
            raise ModelError(f"Layer {layer.name}: thresholds must have 1 or {channels} rows, not "
                             f"{len(thresholds)}")
        low, high = facts.ranges.potential[layer.name]
        if len(thresholds) == 1:
            low, high = low.min(keepdims=True), high.max(keepdims=True)
        # One bit more than the potential: a threshold just above it is never reached.
        wrong = (thresholds < low[:, np.newaxis]) | (thresholds > high[:, np.newaxis] + 1)
        if wrong.any():
            channel, step = np.argwhere(wrong)[0]
            raise ModelError(
                f"Layer {layer.name}: thresholds of channel {channel} must be {low[channel]} to "
                f"{high[channel] + 1}, the range of its potential, not "
                f"{thresholds[channel, step]}")

    def store(self, layer, potentials, tensors):
        return {counts_name(layer): spike_count(potentials, self.neuron.thresholds)}
