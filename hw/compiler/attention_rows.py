"""Where the rows of an attention lie, and what the jobs of its two passes read."""

from dataclasses import dataclass

from ..isa.plan import TapPosition, TapRow


__all__ = ["AttentionRows"]


@dataclass(frozen=True)
class AttentionRows:
    """Rows of values and of key-values in the attention memories.

    The row of token t in tile i of the values is ``values + i * tokens + t``. Rows of key-values
    are in the order of the channels of queries and keys, all heads one behind the other: first
    those of each head's first tile, then those of each one's second, and so on.

    Parameters
    ----------
    lanes : int
    tiles : int
        Tiles of value channels; every head has equally many.
    heads, dk, tokens : int
        Heads, channels of a head's queries and keys, and tokens.
    digits : int
        Of a key-value.
    values, base : int
        Address of the first row of the values and of the key-values, a multiple of the lanes.
    """

    lanes: int
    tiles: int
    heads: int
    dk: int
    tokens: int
    digits: int
    values: int
    base: int

    @property
    def rows(self):
        """Rows of one digit of the key-values, those of lanes without a channel included."""
        return self.tiles // self.heads * self._channels

    @property
    def _channels(self):
        """Lanes of the words of queries or keys."""
        return -(-self.heads * self.dk // self.lanes) * self.lanes

    def first_row(self, tile):
        """Address of the row of a tile's first channel, least significant digit."""
        number = tile % (self.tiles // self.heads)
        return self.base + number * self._channels + self._channel(tile)

    def gather(self, columns):
        """Tap windows of the first pass: one channel of every token per job, one job per column.

        A batch of channels may lie in several words, each of which is a row of taps.

        Returns
        -------
        rows : list of tuple of TapRow
            Of each tile.
        positions : tuple of TapPosition
        """
        rows = []
        for tile in range(self.tiles):
            bit = self._channel(tile) % self.lanes
            found = []
            for first in range(0, self.dk, columns):
                batch = {}
                for column in range(min(columns, self.dk - first)):
                    word = (bit + first + column) // self.lanes
                    batch[word] = batch.get(word, 0) | 1 << column
                found.append([TapRow(word, 0, mask) for word, mask in batch.items()])
            # Batches of fewer words read one of them for nobody.
            longest = max(map(len, found))
            filled = [
                batch + [TapRow(batch[0].offset, 0, 0)] * (longest - len(batch)) for batch in found
            ]
            rows.append(tuple(row for batch in filled for row in batch))
        return rows, (TapPosition(0, 0, self.tokens - 1),)

    def gather_tile(self, tile, spike):
        """Fields of a tile of the first pass; ``spike`` is the address of the keys."""
        word, bit = divmod(self._channel(tile), self.lanes)
        return {
            "spike": spike + word,
            "first_mask": 1 << bit,
            "words": 0,
            "row": self.values + tile * self.tokens,
            "out": self.first_row(tile),
        }

    def query_tile(self, tile, spike):
        """Fields of a tile of the second pass; ``spike`` is the address of the queries."""
        begin = self._channel(tile)
        first, last = begin // self.lanes, (begin + self.dk - 1) // self.lanes
        ones = (1 << self.lanes) - 1
        return {
            "spike": spike + first,
            "words": last - first,
            # That of the first word's first lane. The most significant digits come first; they lie
            # behind all others.
            "row": self.first_row(tile) - begin % self.lanes + (self.digits - 1) * self.rows,
            "first_mask": ones & ~((1 << begin % self.lanes) - 1),
            "last_mask": (2 << (begin + self.dk - 1) % self.lanes) - 1,
        }

    def _channel(self, tile):
        """First channel of a tile's head in queries and keys."""
        return tile // (self.tiles // self.heads) * self.dk
