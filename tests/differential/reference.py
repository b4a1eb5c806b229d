"""A second executor of model files, as ``docs/format.md`` describes them and nothing else.

It reads the bytes of the file by itself, takes every formula of that page as it stands, one output
position at a time, and shares nothing with ``golden``: where the two differ, one of them is wrong.
"""

import hashlib
import json
from math import prod
from pathlib import Path

import numpy as np


__all__ = ["Reference"]


#: Largest value of a pixel.
BYTE = 255


class Reference:
    """A model file: its graph, what it computes, and the widths and additions that follow."""

    def __init__(self, path):
        self.graph, self.file = _read(Path(path).read_bytes())
        self.layers = self.graph["layers"]
        self.levels = {"pixels": BYTE}
        for layer in self.layers:
            neuron = (layer["epilogue"] or {}).get("neuron")
            if neuron:
                self.levels[layer["name"] + ".counts"] = neuron["levels"]
        self.max_count = max([1, *[levels for name, levels in self.levels.items()
                                   if name != "pixels"]])

    def run(self, images):
        """Every tensor, of uint8 images of shape (images, height, width, channels)."""
        pixels = images.astype(np.int64).transpose(0, 3, 1, 2)
        constant = self.graph["input"]["constant"]
        if constant:
            pixels = np.concatenate([pixels, np.full_like(pixels[:, :1], constant)], axis=1)
        tensors = {"pixels": pixels}
        for layer in self.layers:
            self._store(layer, self._potential(layer, tensors), tensors)
        return tensors

    def _potential(self, layer, tensors):
        match layer["kind"]:
            case "conv":
                return _convolve(layer, self._joined(layer, tensors.__getitem__),
                                 self.file[layer["weight"]].astype(np.int64))
            case "key_value":
                keys, values = (_tokens(tensors[layer[noun]], layer["heads"])
                                for noun in ("keys", "values"))
                return np.einsum("bhin,bhjn->bhij", keys, values)
            case "query":
                queries = tensors[layer["queries"]]
                memory = tensors[layer["memory"]]
                potential = np.einsum("bhin,bhij->bhjn", _tokens(queries, layer["heads"]), memory)
                return potential.reshape(len(queries), -1, *queries.shape[2:])
            case "sum":
                return tensors[layer["source"]].sum(axis=(2, 3), keepdims=True)
            case "analog_head":
                weight = self.file[layer["weight"]].astype(np.int64)
                sums = tensors[layer["source"]].sum(axis=(2, 3))
                return (sums @ weight.T)[:, :, None, None]

    def _joined(self, layer, values):
        return np.concatenate([values(name) for name in layer["sources"]], axis=1)

    def _store(self, layer, potential, tensors):
        name, epilogue = layer["name"], layer["epilogue"]
        if epilogue is None:
            tensors[name] = potential
            return
        if epilogue["kind"] == "fire":
            tensors[name + ".counts"] = self._count(epilogue["neuron"], potential)
            return
        bias = self.file[epilogue["bias"]][:, None, None]
        value = potential * 2**epilogue["shift"] + bias
        if epilogue["kind"] == "output":
            tensors[epilogue["output"]] = value[:, :, 0, 0]
            return
        if epilogue["previous"] is not None:
            value = value + tensors[epilogue["previous"]]
        tensors[name + ".stream"] = value
        tensors[name + ".counts"] = self._count(epilogue["neuron"], value)

    def _count(self, neuron, values):
        ladder = self.file[neuron["thresholds"]]
        counts = np.zeros_like(values)
        for channel in range(values.shape[1]):
            for threshold in ladder[channel if len(ladder) > 1 else 0].tolist():
                counts[:, channel] += values[:, channel] >= threshold
        return counts

    def additions(self, tensors, code):
        """Additions of each image by layer, where ``code`` is the name of a spike code."""
        def cost(name):
            bits = sum(tensors[name] >> bit & 1 for bit in range(8))
            if name == "pixels" or code == "bit-serial":
                return bits
            if code == "thermometer":
                return tensors[name]
            # 2-bit-serial adds the double twice for a 4 if it takes all planes of D = 4 at once.
            return bits + (tensors[name] == 4) if self.max_count == 4 else bits

        return self._operations(tensors, cost)

    def skipping_macs(self, tensors):
        """Multiplications of each image by layer, of a machine that skips inputs of zero."""
        return self._operations(tensors, lambda name: (tensors[name] != 0).astype(np.int64))

    def _operations(self, tensors, cost):
        """Sums of what each input costs, over all the products that it is part of."""
        result = {}
        for layer in self.layers:
            match layer["kind"]:
                case "conv":
                    shape = self.file[layer["weight"]].shape
                    reads = _convolve(layer, self._joined(layer, cost), np.ones(shape, np.int64))
                    result[layer["name"]] = reads.sum(axis=(1, 2, 3))
                case "key_value":
                    width = tensors[layer["values"]].shape[1] // layer["heads"]
                    result[layer["name"]] = cost(layer["keys"]).sum(axis=(1, 2, 3)) * width
                case "query":
                    width = tensors[layer["memory"]].shape[3]
                    result[layer["name"]] = cost(layer["queries"]).sum(axis=(1, 2, 3)) * width
                case _:
                    result[layer["name"]] = np.zeros(len(tensors["pixels"]), np.int64)
        return result

    def widths(self, tensors):
        """Bits by layer and noun, from exact ranges in Python's integers; a trace gives shapes."""
        streams, memories, result = {}, {}, {}
        for layer in self.layers:
            name, epilogue = layer["name"], layer["epilogue"]
            if epilogue is None:
                memories[name] = prod(tensors[layer["keys"]].shape[2:]) * self.max_count**2
                result[name] = {"memory": max(1, memories[name].bit_length())}
                continue
            ranges = self._potential_ranges(layer, tensors, streams, memories)
            result[name] = {"potential": _bits(ranges)}
            if epilogue["kind"] == "fire":
                continue
            bias = self.file[epilogue["bias"]].tolist()
            moved = [tuple(end * 2**epilogue["shift"] + offset for end in ends)
                     for ends, offset in zip(ranges, bias, strict=True)]
            if epilogue["kind"] == "write" and epilogue["previous"] is not None:
                moved = [(low + before[0], high + before[1]) for (low, high), before
                         in zip(moved, streams[epilogue["previous"]], strict=True)]
            streams[name + ".stream"] = moved
            result[name]["output" if epilogue["kind"] == "output" else "stream"] = _bits(moved)
        return result

    def _potential_ranges(self, layer, tensors, streams, memories):
        """Least and largest potential of every channel."""
        if layer["kind"] == "query":
            _, _, dk, dv = tensors[layer["memory"]].shape
            high = dk * self.max_count * memories[layer["memory"]]
            return [(0, high)] * (layer["heads"] * dv)
        if layer["kind"] == "conv":
            source, = layer["sources"]
            largest = self.levels[source]
            rows = self.file[layer["weight"]]
            rows = rows.reshape(len(rows), -1).tolist()
            return [(largest * sum(min(entry, 0) for entry in row),
                     largest * sum(max(entry, 0) for entry in row)) for row in rows]
        tokens = prod(tensors[layer["source"]].shape[2:])
        sums = [(tokens * low, tokens * high) for low, high in streams[layer["source"]]]
        if layer["kind"] == "sum":
            return sums
        rows = self.file[layer["weight"]].tolist()
        products = [[sorted((entry * low, entry * high))
                     for entry, (low, high) in zip(row, sums, strict=True)] for row in rows]
        return [tuple(sum(ends) for ends in zip(*row, strict=True)) for row in products]


def _read(data):
    """Graph and tensors of a file, after its digest was compared."""
    size = int.from_bytes(data[:8], "little")
    header, values = json.loads(data[8:8 + size]), data[8 + size:]
    text = header.pop("__metadata__")["addend"]
    graph = text[text.index('"graph":') + 8:-1]
    digest, tensors = hashlib.sha256(graph.encode()), {}
    for name in sorted(header):
        begin, end = header[name]["data_offsets"]
        dtype = {"I8": "int8", "I64": "int64"}[header[name]["dtype"]]
        shape = header[name]["shape"]
        sizes = "x".join(map(str, shape))
        digest.update(f"\n{name} {dtype} {sizes}\n".encode() + values[begin:end])
        tensors[name] = np.frombuffer(values[begin:end], f"<{dtype[0]}{int(dtype[3:]) // 8}")
        tensors[name] = tensors[name].reshape(shape)
    assert digest.hexdigest() == json.loads(text)["digest"]
    return json.loads(graph), tensors


def _convolve(layer, source, weight):
    """Sums over the taps inside the map, one output position and one tap at a time."""
    down, across = layer["axes"]
    height, width = source.shape[2:]
    rows, columns = ((size + axis.get("before", 0) + axis.get("after", 0) - axis["kernel"])
                     // axis.get("stride", 1) + 1
                     for size, axis in ((height, down), (width, across)))
    result = np.zeros((len(source), len(weight), rows, columns), np.int64)
    for y, x, i, j in np.ndindex(rows, columns, down["kernel"], across["kernel"]):
        row = y * down.get("stride", 1) + i - down.get("before", 0)
        column = x * across.get("stride", 1) + j - across.get("before", 0)
        if not (0 <= row < height and 0 <= column < width):
            continue
        inputs, entries = source[:, :, row, column], weight[:, :, i, j]
        result[:, :, y, x] += inputs * entries.T if layer["groups"] > 1 else inputs @ entries.T
    return result


def _tokens(counts, heads):
    """Counts as (images, heads, channels of a head, tokens)."""
    return counts.reshape(len(counts), heads, counts.shape[1] // heads, -1)


def _bits(ranges):
    """Least width of a two's complement number that holds all of some ranges."""
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return next(bits for bits in range(1, 99) if -2**(bits - 1) <= low and high < 2**(bits - 1))
