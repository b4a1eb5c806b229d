"""The address generator of the cycle model: when it issues the words of all columns."""

from collections import deque
from itertools import zip_longest

from ..isa.program_word import words_of
from ..isa.spike_word import QUEUE_DEPTH
from ..rtl.bank import UNDER_WAY
from .bank_cycles import WRITTEN


__all__ = ["GeneratorCycles"]


#: Words in the memory of a queue that is full; one word of the memory stays empty.
FULL = QUEUE_DEPTH - 1 - UNDER_WAY

#: Cycles from a word that is read from a queue's memory until the generator may go on.
SEEN = 3


class GeneratorCycles:
    """Issues the words of a layer, tile after tile, job after job.

    Parameters
    ----------
    layer : LayerPlan
    required : CoreConfig
    events : JobEvents
    columns : list of ColumnCycles
    copies : TileCopies
    """

    def __init__(self, layer, required, events, columns, copies):
        self.layer, self.required, self.events = layer, required, events
        self.columns, self.copies = columns, copies
        # Cycles in which the latest rows of taps went on, and that of the latest word.
        self._rows, self._last = deque(maxlen=5), 0

    def run(self, now):
        """Issues everything, as far as it is known; yields columns of which more must be known.

        Parameters
        ----------
        now : int
            Cycle in which the layer's descriptor is there.
        """
        descriptor, n_columns = self.layer.descriptor, self.required.columns
        n_batches, n_lines = descriptor["batches"] + 1, self.layer.size[0]
        most = min(n_lines, n_columns)
        # Of a tile, the descriptor and what the next one is filled with are read.
        words = words_of(self.required.filled(self.required.tile))
        # The first tile is on offer, and multiples of strides are there.
        offered = max(now + words + 2, now + 1 + n_columns)
        rows = self._rows
        rows.extend([now] * 4)
        for number, tile in enumerate(self.layer.tiles):
            taken = self._enter(max(offered, rows[-4] + 1, self.copies.there))
            offered = taken + words + 2
            for batch in range(n_batches):
                in_batch = min(n_columns, n_lines - batch * n_columns)
                in_next = n_lines - (batch + 1) * n_columns
                for position in range(self.layer.size[1]):
                    ends = position == self.layer.size[1] - 1
                    job = self.events.of(tile, batch, position)
                    yield from self._issue(job)
                    for at, column in enumerate(self.columns[:in_batch]):
                        column.end(tile["lanes"], ends and at >= in_next)
            # All columns take over this tile, since the one before is closed.
            over = taken + 3
            for column in self.columns[:most] if number else ():
                while len(column.closings) < number:
                    yield column
                over = max(over, column.closings[number - 1] + 2)
            for column in self.columns[:most] if self.copies.again else ():
                while len(column.closings) == number:
                    yield column
                over = max(over, column.closings[number] + 1)
            self.copies.follow(over)
            rows.pop()

    def _enter(self, start):
        """A tile's first row of taps goes through the pipeline; returns when the tile is taken."""
        rows = self._rows
        later = [row for row in list(rows)[-3:] if row > start]
        while len(later) < 3:
            later.append(max(start, rows[-1], *later) + 1)
        rows.clear()
        rows.extend(later)
        rows.append(max(later[-1] + 1, self._last))
        self._last = rows[-1]
        return later[1]

    def _issue(self, job):
        """Issues the words of a job in all columns, while no queue is full."""
        first = self._last + 1
        slow = [
            column
            for column, words in zip_longest(self.columns, job.words)
            if not _all_room(column, words, first)
        ]
        if not slow:
            for column, words in zip(self.columns, job.words, strict=False):
                for bank, (numbers, *others) in zip(column.banks, words, strict=True):
                    bank.push([first + number for number in numbers], *others)
            self._rows.extend([first + end for end in job.ends])
            self._last = first + job.length - 1
            return
        now, at = self._last, -1
        ends = iter(job.ends)
        end = next(ends)
        for number, words in job.merged:
            while at < number:
                for column in slow:
                    if not _all_room(column, None, now + 1):
                        at += 1
                        now = yield from _seen(slow, now + 1)
                        break
                else:
                    # Where there is room for all that was issued, nothing stops before this word.
                    steps = min(number, end) - at
                    at += steps
                    now += steps
                if at == end:
                    self._rows.append(now)
                    end = next(ends, job.length)
            for column, bank, *word in words:
                self.columns[column].banks[bank].push([now], *word)
            for column in {column for column, *_ in words}:
                self.columns[column].go_on()
        self._last = now


def _all_room(column, words, now):
    """Whether queues have room for all words that were issued, and for those of a job, if any."""
    return all(
        _room(bank, len(more[0]) if more else 0, now)
        for bank, more in zip_longest(column.banks, words or ())
    )


def _room(bank, more, now):
    """Whether a queue has room for all words that were issued, and for more, from a cycle on."""
    need, read = len(bank.issued) + more - FULL, bank.read
    return need < 0 or (need < len(read) and read[need] <= now - SEEN)


def _seen(columns, now):
    """First cycle from one on in which no queue says it is full."""
    while True:
        begin = now
        for column, bank in [(each, bank) for each in columns for bank in each.banks]:
            issued, seen = bank.issued, bank.seen
            while seen < len(issued) and issued[seen] + WRITTEN + SEEN <= now:
                seen += 1
            bank.seen = seen
            need = seen - FULL
            if need >= 0:
                while need >= len(bank.read):
                    yield column
                now = max(now, bank.read[need] + SEEN)
        if now == begin:
            return now
