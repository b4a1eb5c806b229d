"""The events of jobs: what the columns of the cycle model read side by side, word by word."""

from functools import cached_property

import numpy as np

from ..isa.passes import doubling_words, layer_passes, pass_additions
from ..rtl.finder import NIBBLE


__all__ = ["JobEvents", "Jobs"]


#: Jobs whose words are counted in one go, for what memory they take.
AT_ONCE = 256


class Jobs:
    """One job of each column, which all read words at the same time.

    Parameters
    ----------
    length : int
        Words that are read, doubling-only words included.
    ends : list of int
        Numbers of the last words of the last rows of taps, five at most.
    words : list of (list of int, list of int, list of int)
        Of each column: number of each word that has events, and of the last one, which has one in
        any case; its events; and those in front of its last nibble with some.
    """

    def __init__(self, length, ends, words):
        self.length, self.ends, self.words = length, ends, words

    @cached_property
    def merged(self):
        """Words of all columns by their numbers: which, and columns, events and those in front."""
        found = {}
        for column, words in enumerate(self.words):
            for number, events, head in zip(*words, strict=True):
                found.setdefault(number, []).append((column, [events], [head]))
        return sorted(found.items())


class JobEvents:
    """Words of each job that have events, in the order in which they are read.

    Parameters
    ----------
    plan : Plan
    layer : LayerPlan
    words : integer array, shape (planes, words)
        Of the map that the layer reads, see ``plane_words``.
    """

    def __init__(self, plan, layer, words):
        self.plan, self.layer, self.config = plan, layer, plan.required
        # Of each pass: words of the lanes that add, and of those that add a second time. One more
        # word, which is 0, is what columns read outside the map.
        found = _pass_words(layer, words, self.config)
        self._words = np.concatenate([found, np.zeros_like(found[..., :1])], axis=-1)
        self._known = {}

    def of(self, tile, batch, position):
        """The `Jobs` of a tile's descriptor at these numbers."""
        fields = "spike", "words", "first_mask", "last_mask", "tap_row_base"
        key = tuple(tile[field] for field in fields)
        if key not in self._known:
            self._known[key] = self._tile(tile)
        return self._known[key][batch, position]

    def _tile(self, tile):
        """Jobs of a tile, by batch and position."""
        n_columns, (n_lines, _) = self.config.columns, self.layer.size
        positions = self.plan.tap_positions(self.layer)
        batches = self.plan.tap_rows(self.layer, tile)
        # Those that read as many words are counted together.
        alike = {}
        for number, position in enumerate(positions):
            alike.setdefault(position.steps, []).append(number)
        jobs = {}
        for steps, numbers in alike.items():
            length, ends = self._shape(len(batches[0]), steps + tile["words"] + 1)
            places = [
                (batch, number, column)
                for batch in range(len(batches))
                for number in numbers
                for column in range(min(n_columns, n_lines - batch * n_columns))
            ]
            for begin in range(0, len(places), AT_ONCE):
                part = places[begin : begin + AT_ONCE]
                found = _jobs(*self._entries(self._nibbles(tile, batches, part, steps)))
                for (batch, number, _), words in zip(part, found, strict=True):
                    if (batch, number) not in jobs:
                        jobs[batch, number] = Jobs(length, ends, [])
                    jobs[batch, number].words.append(words)
        return jobs

    def _shape(self, n_rows, n_words):
        """Words of a job, and the numbers of those that end its last rows of taps."""
        lengths = []
        for digit in range(self.layer.descriptor["digits"] + 1):
            for index in range(len(self._words)):
                lengths += [n_words + self._doublings(digit, index), *[n_words] * (n_rows - 1)]
        ends = np.cumsum(lengths)
        return int(ends[-1]), (ends[-5:] - 1).tolist()

    def _doublings(self, digit, index):
        """Doubling-only words in front of a pass."""
        if index:
            descriptor = self.layer.descriptor
            return doubling_words(self.config, descriptor) if descriptor["double"] else 0
        return self.config.doubling_words_per_digit if digit else 0

    def _nibbles(self, tile, batches, places, steps):
        """Events per nibble of words: shape (passes, places, words, nibbles)."""
        descriptor, source = self.layer.descriptor, self.layer.source
        lanes = source.channels.shape[1]
        positions = self.plan.tap_positions(self.layer)
        batch, number, column = np.array(places).T
        offsets = np.array([[row.offset for row in rows] for rows in batches])
        inside = np.array([[row.columns for row in rows] for rows in batches], object)
        starts = (
            offsets[batch]
            + (
                np.array([position.offset for position in positions])[number]
                + column * descriptor["column_stride"]
                + tile["spike"]
                - source.base
            )[:, None]
        )
        read = np.arange(steps + tile["words"] + 1) * descriptor["word_stride"]
        there = (inside[batch] >> column[:, None] & 1).astype(bool)
        words = self._words[:, :, np.where(there[..., None], starts[..., None] + read, -1)]
        word_type = words.dtype.type
        if descriptor["gather"]:
            first = tile["first_mask"].bit_length() - 1
            bits = (first + batch * self.config.columns + column) % lanes
            words &= np.array([1 << bit for bit in bits.tolist()], words.dtype)[:, None, None]
        else:
            words[..., 0] &= word_type(tile["first_mask"])
        words[..., -1] &= word_type(tile["last_mask"])
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
                if descriptor["double"] if index else digit > 0:
                    events.append(np.ones((len(total), self._doublings(digit, index)), int))
                    before.append(np.zeros_like(events[-1]))
                    # Something must double.
                    added = total.copy()
                    added[~total.any(axis=1), -1] = 1
                events.append(added)
                before.append(head)
        return np.concatenate(events, axis=1), np.concatenate(before, axis=1)


def _jobs(events, before):
    """Words with events of each place: their numbers, events, and those in front of the last."""
    # The last word closes the job.
    events[events[:, -1] == 0, -1] = 1
    rows, numbers = np.nonzero(events)
    ends = np.cumsum(np.bincount(rows)).tolist()
    found = [each.tolist() for each in (numbers, events[rows, numbers], before[rows, numbers])]
    return [
        tuple(each[begin:end] for each in found)
        for begin, end in zip([0, *ends[:-1]], ends, strict=True)
    ]


def _pass_words(layer, words, config):
    """Lanes of a map's words that add, and that add again: shape (passes, 2, words)."""
    return np.array([
        pass_additions([words[plane] for plane in planes], config.two_bit_serial)
        for planes in layer_passes(config, layer.descriptor)
    ])
