"""What every memory must receive: the tensors of a golden run, as the words the core stores."""

from dataclasses import dataclass

import numpy as np

from golden import PIXELS, SpikeCode, planes

from ..isa.descriptors import Destination
from ..isa.formed_maps import complete
from ..isa.pairs import PAIR


__all__ = ["PIXEL_LAYER", "ExpectedContents", "plane_words", "expected_contents"]


#: Layer number under which pixels are stored.
PIXEL_LAYER = 2**12 - 1


@dataclass(frozen=True, eq=False)
class ExpectedContents:
    """Words that one layer writes to one memory, as golden says.

    Parameters
    ----------
    tensor : str
        Trace key of what is stored.
    layer : int
        Number of the layer in the table.
    memory : str
        ``pixels``, ``spikes``, ``values``, ``key_values``, ``sums``, or ``stream.N`` of column N.
    addresses : int64 array, shape (words,)
        Every one is written; in ``sums`` repeatedly, elsewhere once.
    words : object array of int, shape (words,)
        The word after the layer, unsigned.
    element_width : int
        Bits of one element of a word.
    channels, positions : int arrays, broadcastable to (words, elements)
        Channel and row-major position of each element.
    """

    tensor: str
    layer: int
    memory: str
    addresses: np.ndarray
    words: np.ndarray
    element_width: int
    channels: np.ndarray
    positions: np.ndarray

    def locate(self, index, word):
        """Channel and position of the first element where ``word`` differs from word ``index``."""
        difference = int(word) ^ int(self.words[index])
        element = ((difference & -difference).bit_length() - 1) // self.element_width
        element = min(element, self.channels.shape[-1] - 1)
        shape = (len(self.words), self.channels.shape[-1])
        return tuple(
            int(np.broadcast_to(array, shape)[index, element])
            for array in (self.channels, self.positions)
        )


def plane_words(plan, placed, counts):
    """What a job that walks a map finds in each of its words, plane by plane.

    Parameters
    ----------
    plan : Plan
    placed : SpikeMap
    counts : int64 array, shape (channels, ...)
        Counts or pixels of one image.

    Returns
    -------
    uint64 array, or object array of int for more than 64 lanes, shape (planes, words of the map)
        Bit ``n`` is lane ``n``'s.
    """
    flat = counts.reshape(len(counts), -1)
    # One more element, which is 0, serves lanes without a channel and channels that are padding.
    padded = np.zeros((flat.shape[0] + 1, placed.positions), np.int64)
    padded[:-1, : flat.shape[1]] = flat
    elements = padded[placed.channels].transpose(2, 0, 1)
    if placed.tensor == PIXELS:
        bits = planes(elements, SpikeCode.BIT_SERIAL, 2**placed.planes - 1)
    else:
        # Of planes of equal weight, it is the lane that says which.
        lanes = np.arange(elements.shape[2])
        bits = planes(elements, plan.required.spike_code, plan.model.max_count, lanes)
    return _words(bits).reshape(placed.planes, -1)


def expected_contents(plan, tensors, image):
    """Everything that the core stores for one image, the logits aside.

    Parameters
    ----------
    plan : Plan
    tensors : dict of str to int64 array
        Trace of a golden run.
    image : int
        Index of the image in the trace.

    Returns
    -------
    list of ExpectedContents
    """
    tensors = complete(tensors, plan.formed)
    result = [_pixels(plan, tensors[PIXELS][image])]
    for number, planned in enumerate(plan.layers):
        if planned.stream is not None:
            result += _stream(plan, number, tensors[planned.stream][image])
        match planned.descriptor["destination"]:
            case Destination.SPIKES:
                result.append(_spikes(plan, number, tensors[planned.stores][image]))
            case Destination.SUMS:
                result.append(_sums(plan, number, tensors[planned.stores][image]))
            case Destination.VALUES | Destination.KEY_VALUES:
                result.append(_rows(plan, number, tensors[planned.stores][image]))
    return result


def _pixels(plan, pixels):
    """An image, a word per pixel; the constant channel is not stored."""
    n_channels = plan.required.pixel_channels
    flat = pixels[:n_channels].reshape(n_channels, -1)
    positions = np.arange(flat.shape[1])
    return ExpectedContents(
        PIXELS,
        PIXEL_LAYER,
        "pixels",
        positions,
        _joined(flat, 8),
        8,
        np.arange(n_channels)[np.newaxis],
        positions[:, np.newaxis],
    )


def _spikes(plan, number, counts):
    """A count map, all planes of its channels in a word."""
    placed, lanes = plan.layers[number].target, plan.required.lanes
    position, word = np.divmod(np.arange(placed.size), placed.words)
    return ExpectedContents(
        placed.tensor,
        number,
        "spikes",
        placed.address(word, position),
        _joined(plane_words(plan, placed, counts), lanes),
        1,
        np.tile(placed.channels[word], placed.planes),
        position[:, np.newaxis],
    )


def _words(bits):
    """Words of the bits of their lanes, along the last axis."""
    n_lanes = bits.shape[-1]
    dtype = np.uint64 if n_lanes <= 64 else object
    return (bits.astype(dtype) << np.arange(n_lanes).astype(dtype)).sum(axis=-1, dtype=dtype)


def _joined(parts, width):
    """Words whose parts of ``width`` bits are given, the lowest first."""
    words = np.zeros(parts.shape[1], object)
    for index, part in enumerate(parts):
        words += part.astype(object) << index * width
    return words


def _stream(plan, number, values):
    """A version of the residual: position by position, in the memory of the column that has it.

    A word holds the channels of a pair of lanes.
    """
    planned, n_columns = plan.layers[number], plan.required.columns
    pairs, first = _pairs(planned, "stream")
    first = first + planned.descriptor.get("stream_move", 0)
    # One more channel, which is 0, serves lanes that have none.
    flat = np.zeros((len(values) + 1, values[0].size), np.int64)
    flat[:-1] = values.reshape(len(values), -1)
    result, width = [], plan.required.residual_width
    lines = np.arange(flat.shape[1]) // planned.size[1]
    for column in range(min(n_columns, planned.size[0])):
        (position,) = np.nonzero(lines % n_columns == column)
        addresses = (
            first[:, np.newaxis] + np.arange(len(position)) * planned.descriptor["stream_step"]
        )
        channels = np.repeat(pairs, len(position), axis=0)
        positions = np.tile(position, len(first))[:, np.newaxis]
        result.append(
            ExpectedContents(
                planned.stream,
                number,
                f"stream.{column}",
                addresses.ravel(),
                _joined(_unsigned(flat[channels, positions].T, width), width),
                width,
                channels,
                positions,
            )
        )
    return result


def _sums(plan, number, values):
    """Token sums: what is left after the last token of each pair of channels."""
    width = plan.required.sum_width
    # One more channel, which is 0, serves lanes that have none.
    sums = np.append(values.reshape(len(values), -1).sum(axis=1), 0)
    channels, addresses = _pairs(plan.layers[number], "out")
    return ExpectedContents(
        f"{plan.layers[number].stores} (token sum)",
        number,
        "sums",
        addresses,
        _joined(_unsigned(sums[channels].T, width), width),
        width,
        channels,
        np.zeros((1, 1), int),
    )


def _pairs(planned, base):
    """Channels of a layer by pairs of lanes, and the addresses of these.

    All pairs up to the last one with a channel are written, from each tile's field ``base`` on.
    """
    pairs = planned.channels
    if pairs.shape[1] % PAIR:
        pairs = np.pad(pairs, ((0, 0), (0, 1)), constant_values=-1)
    pairs = pairs.reshape(len(pairs), -1, PAIR)
    used = (pairs >= 0).any(axis=2)
    tile, pair = np.nonzero(np.logical_or.accumulate(used[:, ::-1], axis=1)[:, ::-1])
    begins = np.array([fields[base] for fields in planned.tiles])
    return pairs[tile, pair], begins[tile] + pair


def _unsigned(values, width):
    """Two's complement words of integers."""
    return (values & ((1 << width) - 1)).astype(object)


def _rows(plan, number, values):
    """Rows of the attention memory: values by token, or key-values by channel of the head.

    A word holds a digit of all lanes, bit 0 of all lanes lowest.
    """
    planned, width = plan.layers[number], plan.required.digit_width
    if planned.descriptor["destination"] is Destination.VALUES:
        by_row = values.reshape(len(values), -1).T
    else:
        # (heads, dk, dv): row i of head h, with its channels at h * dv.
        heads, dk, dv = values.shape
        by_row = np.zeros((dk, heads * dv), np.int64)
        for head in range(heads):
            by_row[:, head * dv : (head + 1) * dv] = values[head]
    padded = np.zeros((len(by_row), by_row.shape[1] + 1), np.int64)
    padded[:, :-1] = by_row
    # Digits, tiles, rows, lanes.
    digits = np.arange(planned.descriptor["out_digits"] + 1)[:, None, None, None]
    elements = padded[:, planned.channels].transpose(1, 0, 2) >> digits * width
    out = np.array([fields["out"] for fields in planned.tiles])[:, np.newaxis]
    addresses = out + np.arange(len(by_row)) + digits[..., 0] * planned.descriptor["out_stride"]
    n_lanes = elements.shape[-1]
    bits = [_words(elements >> bit & 1).ravel() for bit in range(width)]
    channels = np.broadcast_to(planned.channels[:, np.newaxis], elements.shape)
    positions = np.broadcast_to(np.arange(len(by_row))[:, np.newaxis], elements.shape)
    return ExpectedContents(
        planned.stores,
        number,
        "values" if planned.descriptor["destination"] is Destination.VALUES else "key_values",
        addresses.ravel(),
        _joined(np.array(bits), n_lanes),
        1,
        *(np.tile(array.reshape(-1, n_lanes), width) for array in (channels, positions)),
    )
