"""What the dense engine has to do for a layer: dot products, in words."""

from dataclasses import dataclass

import numpy as np

from golden import PIXELS, Conv, KeyValue, Query
from golden.names import counts_name
from golden.ranges import widths
from golden.shapes import shapes


__all__ = ["DenseWork", "dense_work", "operands"]


@dataclass(frozen=True)
class DenseWork:
    """Dot products of a layer: ``rows`` vectors with ``outputs`` weight vectors of ``terms`` each.

    Numbers that are wider than the engine's operands are cut into digits, each pair of which takes
    a dot product of its own: pixels, counts of more bits, and the entries of the attention memory.

    Parameters
    ----------
    rows, outputs, terms : int
    count_digits, weight_digits : int
    """

    rows: int
    outputs: int
    terms: int
    count_digits: int = 1
    weight_digits: int = 1

    @property
    def macs(self):
        """Multiply-accumulates of the layer."""
        return self.rows * self.outputs * self.terms

    def cycles(self, engine):
        """Cycles that the engine takes: one for each of its words."""
        words = -(-self.terms // engine.inputs)
        return (self.rows * -(-self.outputs // engine.outputs) * words
                * self.count_digits * self.weight_digits)


def dense_work(model, engine):
    """What the engine has to do for each layer.

    Windows of a convolution are packed without gaps, rows of the attention memory are computed keys
    and values first, and sums over tokens cost nothing: each of these is in the engine's favour.

    Parameters
    ----------
    model : IntegerModel
    engine : DenseSize

    Returns
    -------
    dict of str to DenseWork
        Keyed by the layer's name; without token sums.

    Raises
    ------
    ValueError
        If the engine's weights are narrower than the model's.
    """
    known, needed = shapes(model), widths(model)
    for layer in model.layers:
        if isinstance(layer, Conv) and layer.weight_bits > engine.weight_width:
            raise ValueError(f"Layer {layer.name} has weights of {layer.weight_bits} bits: the "
                             f"dense engine's must have as many, not {engine.weight_width}")

    def digits(bits, width):
        return -(-bits // width)

    def counts(name):
        bits = 8 if name == PIXELS else model.max_count.bit_length()
        return digits(bits, engine.count_width)

    found = {}
    for layer in model.layers:
        match layer:
            case Conv():
                size = known.get(counts_name(layer), (1, 1, 1))[1:]
                outputs, *terms = layer.weight.shape
                found[layer.name] = DenseWork(int(np.prod(size)), outputs, int(np.prod(terms)),
                                              counts(layer.source))
            case KeyValue():
                heads, dk, dv = known[layer.name]
                tokens = int(np.prod(known[layer.keys][1:]))
                found[layer.name] = DenseWork(heads * dk, dv, tokens, counts(layer.keys),
                                              digits(model.max_count.bit_length(),
                                                     engine.weight_width - 1))
            case Query():
                heads, dk, dv = known[layer.key_values]
                tokens = int(np.prod(known[layer.queries][1:]))
                bits = needed[layer.key_values]["kv"]
                found[layer.name] = DenseWork(tokens * heads, dv, dk, counts(layer.queries),
                                              digits(bits, engine.weight_width - 1))
    return found


def operands(layer, tensors, row):
    """Counts and weights of one row's dot products.

    Rows are output positions, row-major; of attention, channels of the keys, and tokens times
    heads.

    Parameters
    ----------
    layer : Conv or KeyValue or Query
    tensors : dict of str to int64 array
        Trace of one image.
    row : int

    Returns
    -------
    counts : int64 array, shape (outputs, terms)
    weights : int64 array, shape (outputs, terms)
    """
    match layer:
        case Conv():
            source, kernel = tensors[layer.source][0], layer.weight.shape[2]
            padded = np.pad(source, ((0, 0), *[(layer.padding, layer.padding)] * 2))
            width = (padded.shape[2] - kernel) // layer.stride + 1
            top, left = (number * layer.stride for number in divmod(row, width))
            window = padded[:, top:top + kernel, left:left + kernel].reshape(len(source), -1)
            weights = layer.weight.reshape(len(layer.weight), -1).astype(np.int64)
            if layer.depthwise:
                return window, weights
            return np.broadcast_to(window.reshape(1, -1), weights.shape), weights
        case KeyValue():
            keys = tensors[layer.keys][0].reshape(tensors[layer.keys].shape[1], -1)
            head = row // (len(keys) // layer.heads)
            values = tensors[layer.values][0].reshape(layer.heads, -1, keys.shape[1])[head]
            return np.broadcast_to(keys[row], values.shape), values
        case Query():
            token, head = divmod(row, layer.heads)
            memory = tensors[layer.key_values][0, head].T
            queries = tensors[layer.queries][0].reshape(layer.heads, memory.shape[1], -1)
            return np.broadcast_to(queries[head, :, token], memory.shape), memory
