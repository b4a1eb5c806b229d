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
        self.max_count = self.graph["max_count"]

    def run(self, images):
        """Every tensor, of uint8 images of shape (images, height, width, channels)."""
        pixels = images.astype(np.int64).transpose(0, 3, 1, 2)
        constant = self.graph.get("pixel_constant", 0)
        if constant:
            pixels = np.concatenate([pixels, np.full_like(pixels[:, :1], constant)], axis=1)
        tensors = {"pixels": pixels}
        for layer in self.layers:
            self._drain(layer, self._potential(layer, tensors), tensors)
        return tensors

    def _potential(self, layer, tensors):
        match layer["kind"]:
            case "conv":
                return _convolve(layer, tensors[layer["source"]],
                                 self.file[layer["name"] + ".weight"].astype(np.int64))
            case "key_value":
                keys, values = (_tokens(tensors[layer[noun]], layer["heads"])
                                for noun in ("keys", "values"))
                return np.einsum("bhin,bhjn->bhij", keys, values)
            case "query":
                queries = tensors[layer["queries"]]
                memory = tensors[layer["key_values"]]
                potential = np.einsum("bhin,bhij->bhjn", _tokens(queries, layer["heads"]), memory)
                return potential.reshape(len(queries), -1, *queries.shape[2:])
            case "token_sum":
                return tensors[layer["source"]].sum(axis=(2, 3), keepdims=True)
            case "analog_head":
                weight = self.file[layer["name"] + ".weight"].astype(np.int64)
                sums = tensors[layer["source"]].sum(axis=(2, 3))
                return (sums @ weight.T)[:, :, None, None]

    def _drain(self, layer, potential, tensors):
        name, drain = layer["name"], layer.get("drain")
        if drain is None:
            tensors[name] = potential
            return
        if drain["kind"] == "fire":
            tensors[name + ".counts"] = self._count(name, potential)
            return
        bias = self.file[name + ".bias"][:, None, None]
        value = potential * 2**drain.get("shift", 0) + bias
        if drain["kind"] == "logits":
            tensors["logits"] = value[:, :, 0, 0]
            return
        if drain["previous"] is not None:
            value = value + tensors[drain["previous"]]
        tensors[name + ".stream"] = value
        tensors[name + ".counts"] = self._count(name, value)

    def _count(self, name, values):
        ladder = self.file[name + ".thresholds"]
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
                    shape = self.file[layer["name"] + ".weight"].shape
                    reads = _convolve(layer, cost(layer["source"]), np.ones(shape, np.int64))
                    result[layer["name"]] = reads.sum(axis=(1, 2, 3))
                case "key_value":
                    width = tensors[layer["values"]].shape[1] // layer["heads"]
                    result[layer["name"]] = cost(layer["keys"]).sum(axis=(1, 2, 3)) * width
                case "query":
                    width = tensors[layer["key_values"]].shape[3]
                    result[layer["name"]] = cost(layer["queries"]).sum(axis=(1, 2, 3)) * width
                case _:
                    result[layer["name"]] = np.zeros(len(tensors["pixels"]), np.int64)
        return result

    def widths(self, tensors):
        """Bits by layer and noun, from exact ranges in Python's integers; a trace gives shapes."""
        streams, memories, result = {}, {}, {}
        for layer in self.layers:
            name, drain = layer["name"], layer.get("drain")
            if drain is None:
                memories[name] = prod(tensors[layer["keys"]].shape[2:]) * self.max_count**2
                result[name] = {"kv": max(1, memories[name].bit_length())}
                continue
            ranges = self._potential_ranges(layer, tensors, streams, memories)
            result[name] = {"potential": _bits(ranges)}
            if drain["kind"] == "fire":
                continue
            bias = self.file[name + ".bias"].tolist()
            moved = [tuple(end * 2**drain.get("shift", 0) + offset for end in ends)
                     for ends, offset in zip(ranges, bias, strict=True)]
            if drain["kind"] == "write" and drain["previous"] is not None:
                moved = [(low + before[0], high + before[1]) for (low, high), before
                         in zip(moved, streams[drain["previous"]], strict=True)]
            streams[name + ".stream"] = moved
            result[name]["logits" if drain["kind"] == "logits" else "stream"] = _bits(moved)
        return result

    def _potential_ranges(self, layer, tensors, streams, memories):
        """Least and largest potential of every channel."""
        if layer["kind"] == "query":
            _, _, dk, dv = tensors[layer["key_values"]].shape
            high = dk * self.max_count * memories[layer["key_values"]]
            return [(0, high)] * (layer["heads"] * dv)
        if layer["kind"] == "conv":
            largest = BYTE if layer["source"] == "pixels" else self.max_count
            rows = self.file[layer["name"] + ".weight"]
            rows = rows.reshape(len(rows), -1).tolist()
            return [(largest * sum(min(entry, 0) for entry in row),
                     largest * sum(max(entry, 0) for entry in row)) for row in rows]
        tokens = prod(tensors[layer["source"]].shape[2:])
        sums = [(tokens * low, tokens * high) for low, high in streams[layer["source"]]]
        if layer["kind"] == "token_sum":
            return sums
        rows = self.file[layer["name"] + ".weight"].tolist()
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
    stride, padding, kernel = layer["stride"], layer["padding"], weight.shape[2]
    height, width = source.shape[2:]
    rows, columns = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    result = np.zeros((len(source), len(weight), rows, columns), np.int64)
    for y, x, i, j in np.ndindex(rows, columns, kernel, kernel):
        row, column = y * stride + i - padding, x * stride + j - padding
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
