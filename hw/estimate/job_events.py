"""The events of jobs: what the columns of the cycle model read side by side, word by word."""

from functools import cached_property

import numpy as np

from ..isa.passes import layer_passes
from ..rtl.event_encoder import NIBBLE


__all__ = ["JobEvents", "Jobs"]


#: Jobs whose words are counted in one go, for what memory they take.
AT_ONCE = 256


class Jobs:
    """One job of each column, which all read words at the same time.

    Parameters
    ----------
    length : int
        Words that are read.
    ends : list of int
        Numbers of the last words of the last rows of taps, five at most.
    words : list of list of (list of int, list of int, list of int, list of int)
        Of each column and bank: number of each word that has events, as the last one of a pass has
        in any case; its events; those in front of its last nibble with some; and how many such
        words there are up to the end of each pass.
    """

    def __init__(self, length, ends, words):
        self.length, self.ends, self.words = length, ends, words

    @cached_property
    def merged(self):
        """Words by their numbers: which; then column, bank, and what `BankCycles.push` takes."""
        found = {}
        for column, banks in enumerate(self.words):
            for bank, (numbers, events, heads, ends) in enumerate(banks):
                last = {end - 1 for end in ends}
                for index, number in enumerate(numbers):
                    found.setdefault(number, []).append((
                        column,
                        bank,
                        [events[index]],
                        [heads[index]],
                        [1] * (index in last),
                    ))
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
        # Of each pass and bank. One more word, which is 0, is what columns read outside the map.
        found = layer_passes(self.config, layer.descriptor, words)
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
                found = _jobs(self._nibbles(tile, batches, part, steps), self._digits)
                for (batch, number, _), words in zip(part, found, strict=True):
                    if (batch, number) not in jobs:
                        jobs[batch, number] = Jobs(length, ends, [])
                    jobs[batch, number].words.append(words)
        return jobs

    def _shape(self, n_rows, n_words):
        """Words of a job, and the numbers of those that end its last rows of taps."""
        length = n_rows * n_words * len(self._words) * self._digits
        return length, list(range(length - 1, -1, -n_words))[:5][::-1]

    @property
    def _digits(self):
        """Digits of the rows' elements, which are gone through one after the other."""
        return self.layer.descriptor["digits"] + 1

    def _nibbles(self, tile, batches, places, steps):
        """Events per nibble of words: shape (passes, banks, places, words, nibbles)."""
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
        if descriptor.get("maximum"):
            words = _largest(words)
        if descriptor["depthwise"]:
            return (words != 0)[..., np.newaxis].astype(np.uint8)
        nibbles = np.arange(0, lanes, NIBBLE).astype(words.dtype)
        return np.bitwise_count(
            (words[..., np.newaxis] >> nibbles & word_type((1 << NIBBLE) - 1)).astype(np.uint8)
        )


def _largest(words):
    """The same words, of which the last of each pass has the largest counts, the others none.

    A count is larger where the first plane in which it differs is set.
    """
    planes = list(words.reshape(-1, *words.shape[2:]))
    largest = [plane[..., 0] for plane in planes]
    for index in range(1, words.shape[-1]):
        alike, larger = ~np.zeros_like(largest[0]), np.zeros_like(largest[0])
        new = [plane[..., index] for plane in planes]
        for one, other in zip(new, largest, strict=True):
            larger |= alike & one & ~other
            alike &= ~(one ^ other)
        largest = [
            (one & larger) | (other & ~larger) for one, other in zip(new, largest, strict=True)
        ]
    found = np.zeros_like(words)
    found[..., -1] = np.reshape(largest, words.shape[:-1])
    return found


def _jobs(nibbles, digits):
    """Of each place and bank, what `Jobs` has of its words."""
    totals = nibbles.sum(axis=4, dtype=int)
    last = nibbles.shape[4] - 1 - (nibbles[..., ::-1] != 0).argmax(axis=4)
    heads = totals - np.take_along_axis(nibbles, last[..., np.newaxis], axis=4)[..., 0]
    # The last word of a pass ends it.
    totals[..., -1] += totals[..., -1] == 0
    # Passes of all digits, one behind the other.
    totals, heads = (
        np.concatenate([each] * digits).transpose(1, 2, 0, 3) for each in (totals, heads)
    )
    n_banks, n_places, *_ = totals.shape
    ends = (totals != 0).sum(axis=3).cumsum(axis=2)
    banks = []
    for events, before in zip(
        totals.reshape(n_banks, n_places, -1), heads.reshape(n_banks, n_places, -1), strict=True
    ):
        rows, numbers = np.nonzero(events)
        found = [each.tolist() for each in (numbers, events[rows, numbers], before[rows, numbers])]
        cuts = np.cumsum(np.bincount(rows)).tolist()
        banks.append([
            [each[begin:end] for each in found]
            for begin, end in zip([0, *cuts[:-1]], cuts, strict=True)
        ])
    return [
        [(*banks[bank][place], ends[bank, place].tolist()) for bank in range(n_banks)]
        for place in range(n_places)
    ]
