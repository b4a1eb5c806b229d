"""The events of a job: what the columns of the cycle model read, word by word."""

import numpy as np

from ..isa.passes import doubling_words, layer_passes, pass_additions
from ..rtl.finder import NIBBLE


__all__ = ["JobEvents"]


class JobEvents:
    """Events per nibble of each word of each job, in the order in which words are read.

    Parameters
    ----------
    layer : LayerPlan
    words : integer array, shape (planes, words)
        Of the map that the layer reads, see ``plane_words``.
    config : CoreConfig
    """

    def __init__(self, layer, words, config):
        self.layer = layer
        self.config = config
        #: Of each pass: words of the lanes that add, and of those that add a second time.
        self.words = _pass_words(layer, words, config)
        self.known = {}

    def of(self, tile, line, position):
        """Words of the job at these numbers, as ``ColumnCycles`` takes them."""
        layer, descriptor = self.layer, self.layer.descriptor
        fields = layer.tiles[tile]
        key = (
            fields["spike"],
            fields["words"],
            fields["first_mask"],
            fields["last_mask"],
            line,
            position,
        )
        if key not in self.known:
            self.known[key] = self._count(fields, layer.lines[line], position, descriptor)
        return self.known[key]

    def _count(self, fields, line, number, descriptor):
        position, mask = self.layer.positions[number], fields["first_mask"]
        start = fields["spike"] - self.layer.source.base + line.offset + position.offset
        if descriptor["gather"]:
            word, bit = divmod(mask.bit_length() - 1 + number, self.layer.source.channels.shape[1])
            start, mask = start + word, 1 << bit
        lines = np.arange(line.steps + 1)[:, None] * descriptor["line_stride"]
        offsets = np.arange(position.steps + fields["words"] + 1) * descriptor["word_stride"]
        words = self.words[:, :, start + lines + offsets]
        word_type = words.dtype.type
        words[..., slice(None) if descriptor["gather"] else 0] &= word_type(mask)
        words[..., -1] &= word_type(fields["last_mask"])
        words = words.reshape(*words.shape[:2], -1)
        if descriptor["depthwise"]:
            events = (words != 0)[..., np.newaxis]
        else:
            lanes = self.layer.source.channels.shape[1]
            nibbles = np.arange(0, lanes, NIBBLE).astype(words.dtype)
            events = np.bitwise_count(
                (words[..., np.newaxis] >> nibbles & word_type((1 << NIBBLE) - 1)).astype(np.uint8)
            )
        passes = [
            [tuple(filter(None, word)) for word in one]
            for one in events.astype(int).sum(axis=1).tolist()
        ]
        entries = []
        for digit in range(descriptor["digits"] + 1):
            for index, one in enumerate(passes):
                doubled = digit > 0 if index == 0 else descriptor["double"]
                if doubled:
                    doublings = (
                        doubling_words(self.config, descriptor)
                        if index
                        else self.config.doubling_words_per_digit
                    )
                    entries += [(1,)] * doublings
                # Something must double.
                empty = doubled and not any(one)
                entries += [*one[:-1], (1,)] if empty else one
        return entries


def _pass_words(layer, words, config):
    """Lanes of a map's words that add, and that add again: shape (passes, 2, words)."""
    return np.array([
        pass_additions([words[plane] for plane in planes], config.two_bit_serial)
        for planes in layer_passes(config, layer.descriptor)
    ])
