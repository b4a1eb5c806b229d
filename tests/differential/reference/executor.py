"""The executor: potentials of every layer, and what its epilogue makes of them."""

from pathlib import Path

import numpy as np

from .attention import key_value, query
from .axis import convolve, largest
from .costs import operations, skipped, spikes
from .file import read
from .neuron import Neuron
from .ranges import Ranges


__all__ = ["Reference"]


#: Largest value of a pixel.
BYTE = 255


class Reference:
    """A model file: its graph, what it computes, and the widths and additions that follow."""

    def __init__(self, path):
        self.graph, self.file = read(Path(path).read_bytes())
        self.layers = self.graph["layers"]
        self.neurons, self.levels = {}, {"pixels": BYTE}
        for layer in self.layers:
            entry = (layer.get("epilogue") or {}).get("neuron")
            if entry:
                self.neurons[layer["name"]] = Neuron(entry, self.file)
                self.levels[layer["name"] + ".counts"] = entry["levels"]
            if layer["kind"] == "max":
                self.levels[layer["name"] + ".counts"] = self.levels[layer["source"]]
        self.max_count = max([1, *(neuron.levels for neuron in self.neurons.values())])

    def run(self, images):
        """Every tensor, of uint8 images (images, height, width, channels) or of frames of them."""
        steps = self.graph["input"]["steps"]
        if images.ndim == 4:
            images = np.stack([images] * steps, axis=1)
        pixels = images.astype(np.int64).transpose(0, 1, 4, 2, 3)
        constant = self.graph["input"]["constant"]
        if constant:
            pixels = np.concatenate([pixels, np.full_like(pixels[:, :, :1], constant)], axis=2)
        tensors, states = {"pixels": pixels}, {}
        for layer in self.layers:
            self._store(layer, self._potential(layer, tensors), tensors, states)
        return tensors

    def public(self, tensors):
        """The same without axes of one step, and outputs of one position as their channels."""
        outputs = {output["name"] for output in self.graph["outputs"]}

        def shown(name, values):
            if values.shape[1] > 1:
                return values
            if name in outputs and values.shape[3:] == (1, 1):
                return values[:, 0, :, 0, 0]
            return values[:, 0]

        return {name: shown(name, values) for name, values in tensors.items()}

    def _potential(self, layer, tensors):
        match layer["kind"]:
            case "conv":
                sums = convolve(
                    layer, self.joined(layer, tensors.__getitem__), self.file[layer["weight"]]
                )
                return sums.sum(axis=1, keepdims=True) if layer["time"] == "sum" else sums
            case "key_value":
                return key_value(
                    tensors[layer["keys"]], tensors[layer["values"]], layer["heads"], layer["over"]
                )
            case "query":
                return query(
                    tensors[layer["queries"]],
                    tensors[layer["memory"]],
                    layer["heads"],
                    layer["over"],
                )
            case "mask":
                values, gate = tensors[layer["values"]], tensors[layer["gate"]]
                width = values.shape[2] // layer["heads"]
                return np.stack(
                    [
                        gate[:, :, channel // width] * values[:, :, channel]
                        for channel in range(values.shape[2])
                    ],
                    axis=2,
                )
            case "max":
                return largest(layer, tensors[layer["source"]])
            case "sum":
                axes = {"space": (3, 4), "time": 1, "both": (1, 3, 4)}[layer["over"]]
                return tensors[layer["source"]].sum(axis=axes, keepdims=True)
            case "constant":
                weight = self.file[layer["weight"]]
                steps = 1
                if layer["epilogue"].get("previous") is not None:
                    steps = tensors[layer["epilogue"]["previous"]].shape[1]
                return np.stack([np.stack([weight] * steps)] * len(tensors["pixels"]))
            case "analog_head":
                sums = tensors[layer["source"]].sum(axis=(1, 3, 4))
                return (sums @ self.file[layer["weight"]].T)[:, None, :, None, None]

    def joined(self, layer, values):
        """Sources of a convolution, one behind the other, of what a function says of each."""
        return np.concatenate([values(name) for name in layer["sources"]], axis=2)

    def _store(self, layer, potential, tensors, states):
        name, epilogue = layer["name"], layer.get("epilogue")
        if layer["kind"] == "max":
            tensors[name + ".counts"] = potential
            return
        if epilogue is None:
            tensors[name] = potential
            return
        value = potential * 2 ** epilogue["shift"]
        if epilogue["bias"] is not None:
            value = value + self.file[epilogue["bias"]][:, None, None]
        if epilogue["kind"] == "output":
            tensors[epilogue["output"]] = value
            return
        if epilogue["kind"] == "write":
            if epilogue["previous"] is not None:
                before = tensors[epilogue["previous"]]
                value = (
                    before + value if epilogue["combine"] == "add" else np.maximum(before, value)
                )
            tensors[name + ".stream"] = value
        if epilogue["neuron"] is not None:
            self._fire(name, value, tensors, states)

    def _fire(self, name, value, tensors, states):
        neuron = self.neurons[name]
        state = neuron.membrane and (neuron.membrane["state"] or name)
        counts, found, carried = neuron.run(value, states.get(state))
        tensors[name + ".counts"] = counts
        if found is not None:
            tensors[name + ".state"], states[state] = found, carried

    def additions(self, tensors, code):
        """Additions of each image by layer, where ``code`` is the name of a spike code."""
        return operations(self, tensors, spikes(tensors, code, self.max_count))

    def skipping_macs(self, tensors):
        """Multiplications of each image by layer, of a machine that skips inputs of zero."""
        return operations(self, tensors, skipped(tensors))

    def widths(self, tensors):
        """Bits by layer and noun, from exact ranges in Python's integers; a trace gives shapes."""
        return Ranges(self, tensors).widths()
