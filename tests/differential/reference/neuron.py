"""What neurons make of values: counts, and states that go from step to step."""

import numpy as np


__all__ = ["Neuron"]


class Neuron:
    """A neuron of the graph.

    Parameters
    ----------
    entry : dict
    file : dict of str to int64 array
        Tensors of the model file.
    """

    def __init__(self, entry, file):
        self.levels, self.membrane = entry["levels"], entry["membrane"]
        self.fraction_bits = entry.get("fraction_bits")
        self.ladder = (
            file[entry["thresholds"]].tolist()
            if entry["rule"] == "ladder"
            else [[(2 * j - 1) * 2 ** (self.fraction_bits - 1) for j in range(1, self.levels + 1)]]
        )

    def count(self, values, lost=None):
        """Counts of values (samples, channels, ...); a lost bit lifts ties of odd thresholds."""
        if self.fraction_bits is not None:
            half = 2 ** (self.fraction_bits - 1)
            return ((values + half) >> self.fraction_bits).clip(0, self.levels)
        counts = np.zeros_like(values)
        for channel in range(values.shape[1]):
            for number, threshold in enumerate(self.thresholds(channel), 1):
                value = values[:, channel]
                if lost is not None and number % 2:
                    value = value + lost[:, channel]
                counts[:, channel] += value >= threshold
        return counts

    def thresholds(self, channel):
        """Ladder of a channel."""
        return self.ladder[channel if len(self.ladder) > 1 else 0]

    def leak(self, channel):
        """L(s) of a channel, and the bits that it shifts out; -1 where it clears."""
        leaks = self.membrane["leak"]
        leak = leaks[channel if len(leaks) > 1 else 0]
        shift = leak.get("shift", 0)
        match leak["kind"]:
            case "keep":
                return lambda state: state, 0
            case "shift":
                return lambda state: state >> shift, shift
            case "subtract":
                return lambda state: state - (state >> shift), 0
            case "clear":
                return lambda state: state * 0, -1

    def run(self, values, carried=None):
        """Counts, states and what is carried on, of values (samples, steps, channels, ...).

        What is carried are state, lost bits and counts, each (samples, channels, ...).
        """
        if self.membrane is None:
            steps = [self.count(values[:, step]) for step in range(values.shape[1])]
            return np.stack(steps, axis=1), None, None
        carried = carried or [np.zeros_like(values[:, 0]) for _ in range(3)]
        counts, states = [], []
        for step in range(values.shape[1]):
            carried = self._step(values[:, step], *carried)
            states.append(carried[0])
            counts.append(carried[2])
        return np.stack(counts, axis=1), np.stack(states, axis=1), carried

    def _step(self, value, state, lost, before):
        membrane, lost = np.zeros_like(value), lost.copy()
        for channel in range(value.shape[1]):
            leak, shift = self.leak(channel)
            membrane[:, channel] = leak(state[:, channel]) + value[:, channel]
            lost[:, channel] |= state[:, channel] % 2 ** max(shift, 0) != 0
            if shift < 0:
                lost[:, channel] = 0
        if self.membrane["order"] == "late":
            membrane -= before * 2 ** self.membrane["unit"]
        count = self.count(membrane, lost if self.membrane["sticky"] else None)
        state = membrane
        if self.membrane["order"] == "early" and self.membrane["reset"] == "subtract":
            state = membrane - count * 2 ** self.membrane["unit"]
        if self.membrane["reset"] == "zero":
            state, lost = (np.where(count > 0, 0, value) for value in (membrane, lost))
        return [state, lost, count]
