"""The events of a job: what the columns of the cycle model read, word by word."""

import numpy as np

from ..isa.passes import doubling_words, layer_passes, pass_additions
from ..rtl.finder import NIBBLE


__all__ = ["JobEvents"]


#: Jobs whose words are counted in one go, for what memory they take.
AT_ONCE = 256


class JobEvents:
    """Words of each job that have events, in the order in which they are read.

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
        """Words of the job at these numbers.

        Returns
        -------
        list of (int, int, int)
            Of each word that has events, and of the last one, which has one in any case: how many
            words it is behind the one before; events; and those in front of its last nibble with
            some.
        """
        fields = self.layer.tiles[tile]
        key = fields["spike"], fields["words"], fields["first_mask"], fields["last_mask"]
        if key not in self.known:
            self.known[key] = self._tile(fields)
        return self.known[key][line, position]

    def _tile(self, fields):
        """Words of the jobs of a tile, by line and position."""
        lines, positions = self.layer.lines, self.layer.positions
        # Those that read as many words are counted together.
        alike = {}
        for line, position in np.ndindex(len(lines), len(positions)):
            steps = lines[line].steps, positions[position].steps
            alike.setdefault(steps, []).append((line, position))
        jobs = {}
        for steps, places in alike.items():
            for begin in range(0, len(places), AT_ONCE):
                part = places[begin : begin + AT_ONCE]
                entries = self._entries(self._nibbles(fields, part, *steps))
                jobs.update(zip(part, _jobs(*entries), strict=True))
        return jobs

    def _nibbles(self, fields, places, line_steps, steps):
        """Events per nibble of words: shape (passes, places, words, nibbles)."""
        descriptor, source = self.layer.descriptor, self.layer.source
        lanes = source.channels.shape[1]
        starts = np.array([
            self.layer.lines[line].offset + self.layer.positions[position].offset
            for line, position in places
        ])
        starts += fields["spike"] - source.base
        if descriptor["gather"]:
            first = fields["first_mask"].bit_length() - 1
            skipped, bits = np.divmod(first + np.array(places)[:, 1], lanes)
            starts += skipped
        lines = np.arange(line_steps + 1)[:, None] * descriptor["line_stride"]
        offsets = np.arange(steps + fields["words"] + 1) * descriptor["word_stride"]
        words = self.words[:, :, starts[:, None, None] + lines + offsets]
        word_type = words.dtype.type
        if descriptor["gather"]:
            words &= np.array([1 << bit for bit in bits.tolist()], words.dtype)[:, None, None]
        else:
            words[..., 0] &= word_type(fields["first_mask"])
        words[..., -1] &= word_type(fields["last_mask"])
        words = words.reshape(*words.shape[:3], -1)
        if descriptor["depthwise"]:
            events = (words != 0)[..., np.newaxis]
        else:
            nibbles = np.arange(0, lanes, NIBBLE).astype(words.dtype)
            events = np.bitwise_count(
                (words[..., np.newaxis] >> nibbles & word_type((1 << NIBBLE) - 1)).astype(np.uint8)
            )
        return events.sum(axis=1, dtype=int)

    def _entries(self, nibbles):
        """Events of all words that jobs read, and those in front of their last nibble with some.

        Both have the shape (places, words).
        """
        descriptor = self.layer.descriptor
        totals = nibbles.sum(axis=3)
        last = nibbles.shape[3] - 1 - (nibbles[..., ::-1] != 0).argmax(axis=3)
        heads = totals - np.take_along_axis(nibbles, last[..., np.newaxis], axis=3)[..., 0]
        events, before = [], []
        for digit in range(descriptor["digits"] + 1):
            for index, (total, head) in enumerate(zip(totals, heads, strict=True)):
                added = total
                if digit > 0 if index == 0 else descriptor["double"]:
                    doublings = (
                        doubling_words(self.config, descriptor)
                        if index
                        else self.config.doubling_words_per_digit
                    )
                    events.append(np.ones((len(total), doublings), int))
                    before.append(np.zeros_like(events[-1]))
                    # Something must double.
                    added = total.copy()
                    added[~total.any(axis=1), -1] = 1
                events.append(added)
                before.append(head)
        return np.concatenate(events, axis=1), np.concatenate(before, axis=1)


def _jobs(events, before):
    """Jobs of places, as ``JobEvents.of`` returns them."""
    # The last word closes the job.
    events[events[:, -1] == 0, -1] = 1
    rows, columns = np.nonzero(events)
    ends = np.cumsum(np.bincount(rows)).tolist()
    begins = [0, *ends[:-1]]
    distances = np.diff(columns, prepend=0)
    distances[begins] = columns[begins] + 1
    words = [distances, events[rows, columns], before[rows, columns]]
    found = list(zip(*(each.tolist() for each in words), strict=True))
    return [found[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _pass_words(layer, words, config):
    """Lanes of a map's words that add, and that add again: shape (passes, 2, words)."""
    return np.array([
        pass_additions([words[plane] for plane in planes], config.two_bit_serial)
        for planes in layer_passes(config, layer.descriptor)
    ])
