"""Exact ranges and widths, in Python's integers: a list of (least, largest) by channel."""

from .attention import tokens_per_set


__all__ = ["Ranges"]


class Ranges:
    """Ranges of a model, layer after layer.

    Parameters
    ----------
    reference : Reference
    tensors : dict of str to int64 array
        A trace, of which only shapes are looked at.
    """

    def __init__(self, reference, tensors):
        self.reference = reference
        self.shapes = {name: values.shape for name, values in tensors.items()}
        self.levels = reference.levels
        self.streams, self.memories, self.states = {}, {}, {}

    def widths(self):
        """Bits by layer and noun."""
        return {layer["name"]: self._widths(layer) for layer in self.reference.layers}

    def _widths(self, layer):
        epilogue = layer.get("epilogue")
        if layer["kind"] == "max":
            return {}
        ranges = self._potential(layer)
        if layer["kind"] == "key_value":
            self.memories[layer["name"]] = ranges[0][1]
            result = {"memory": max(1, ranges[0][1].bit_length())}
        else:
            result = {"potential": _bits(ranges)}
        if epilogue is None:
            return result
        ranges = self._moved(epilogue, ranges)
        if epilogue["kind"] == "output":
            return result | {"output": _bits(ranges)}
        if epilogue["kind"] == "write":
            if epilogue["previous"] is not None:
                ranges = [
                    (low + before[0], high + before[1])
                    if epilogue["combine"] == "add"
                    else (max(low, before[0]), max(high, before[1]))
                    for (low, high), before in zip(
                        ranges, self.streams[epilogue["previous"]], strict=True
                    )
                ]
            self.streams[layer["name"] + ".stream"] = ranges
            result["stream"] = _bits(ranges)
        if epilogue["neuron"] is not None and epilogue["neuron"]["membrane"] is not None:
            result["state"] = _bits(self._membranes(layer["name"], ranges))
        return result

    def _moved(self, epilogue, ranges):
        """Ranges behind shift and bias."""
        bias = [0] * len(ranges)
        if epilogue["bias"] is not None:
            bias = self.reference.file[epilogue["bias"]].tolist()
        return [
            tuple(end * 2 ** epilogue["shift"] + offset for end in ends)
            for ends, offset in zip(ranges, bias, strict=True)
        ]

    def _potential(self, layer):
        match layer["kind"]:
            case "conv":
                return self._convolution(layer)
            case "key_value":
                tokens = tokens_per_set(self.shapes[layer["keys"]], layer["over"])
                high = tokens * self.levels[layer["keys"]] * self.levels[layer["values"]]
                return [(0, high)] * layer["heads"]
            case "query":
                _, _, heads, dk, dv = self.shapes[layer["memory"]]
                entry = self.memories.get(layer["memory"])
                if entry is None:
                    entry = self.levels[layer["memory"]]
                return [(0, dk * self.levels[layer["queries"]] * entry)] * (heads * dv)
            case "mask":
                high = self.levels[layer["gate"]] * self.levels[layer["values"]]
                return [(0, high)] * self.shapes[layer["values"]][2]
            case "constant":
                rows = self.reference.file[layer["weight"]]
                rows = rows.reshape(len(rows), -1).tolist()
                return [(min(row), max(row)) for row in rows]
            case "sum":
                return self._sums(layer["source"], layer["over"])
            case "analog_head":
                sums = self._sums(layer["source"], "both")
                products = [
                    [
                        sorted((entry * low, entry * high))
                        for entry, (low, high) in zip(row, sums, strict=True)
                    ]
                    for row in self.reference.file[layer["weight"]].tolist()
                ]
                return [tuple(map(sum, zip(*row, strict=True))) for row in products]

    def _convolution(self, layer):
        largest = [
            self.levels[name] for name in layer["sources"] for _ in range(self.shapes[name][2])
        ]
        weight, groups = self.reference.file[layer["weight"]], layer["groups"]
        steps = self.shapes[layer["sources"][0]][1] if layer["time"] == "sum" else 1
        inputs, outputs, found = len(largest) // groups, len(weight) // groups, []
        for output, kernels in enumerate(weight.tolist()):
            first = output // outputs * inputs
            terms = [
                largest[first + channel] * entry
                for channel, kernel in enumerate(kernels)
                for row in kernel
                for entry in row
            ]
            found.append((
                steps * sum(term for term in terms if term < 0),
                steps * sum(term for term in terms if term > 0),
            ))
        return found

    def _sums(self, stream, over):
        tokens = tokens_per_set(self.shapes[stream], over)
        return [(tokens * low, tokens * high) for low, high in self.streams[stream]]

    def _membranes(self, name, ranges):
        """All ranges that membranes and states of a layer have."""
        neuron = self.reference.neurons[name]
        state = neuron.membrane["state"] or name
        start = self.states.get(state, [(0, 0, [])] * len(ranges))
        found, ends = [], []
        for channel, (ends_of_value, begin) in enumerate(zip(ranges, start, strict=True)):
            low, high, fired = begin
            for _ in range(self.shapes[name + ".counts"][1]):
                steps, (low, high) = _step(neuron, channel, ends_of_value, (low, high), fired)
                found += steps
                fired = neuron.thresholds(channel)
            ends.append((low, high, fired))
        self.states[state] = ends
        return found


def _step(neuron, channel, value, state, fired):
    """Ranges of the membrane and of the state behind it; and the latter again.

    ``fired`` are the thresholds of the step before, which a late order subtracts for.
    """
    membrane, (leak, _), (low, high) = neuron.membrane, neuron.leak(channel), state
    sticky, late = int(membrane["sticky"]), membrane["order"] == "late"

    def subtracted(thresholds, low, high, leak):
        return [
            leak(max(low, threshold - sticky)) - number * 2 ** membrane["unit"]
            for number, threshold in enumerate(thresholds, 1)
            if threshold - sticky <= high
        ]

    least = min([leak(low), *(subtracted(fired, low, high, leak) if late else [])])
    low, high = seen = least + value[0], leak(high) + value[1]
    if membrane["reset"] == "zero":
        low, high = min(low, 0), max(high, 0)
    if membrane["reset"] == "subtract" and not late:
        low = min([low, *subtracted(neuron.thresholds(channel), low, high, lambda held: held)])
    return [seen, (low, high)], (low, high)


def _bits(ranges):
    """Least width of a two's complement number that holds all of some ranges."""
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return next(
        bits for bits in range(1, 99) if -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1)
    )
