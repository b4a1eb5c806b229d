"""Where the rows of an attention lie, and what the jobs of its two passes read."""

from dataclasses import dataclass

from ..isa.plan import TapWindow


__all__ = ["AttentionRows", "LINE"]


#: The one line of a layer whose output positions see one input position each, or all of them.
LINE = (TapWindow(0, 0, 0, 0, 0),)


@dataclass(frozen=True)
class AttentionRows:
    """Rows of values and of key-values in the attention memory.

    The row of token t in tile i of the values is ``values + i * tokens + t``. Digit d of the row of
    a head's channel c in tile i is ``base + d * rows + i * dk + c``.

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
        Address of the first row of the values and of the key-values.
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
        """Rows of one digit of the key-values."""
        return self.tiles * self.dk

    def gather(self, words):
        """Tap windows of the first pass: one channel of every token per job, channel after channel.

        ``words`` is the number of words of a token.
        """
        span = (self.tokens - 1) * words
        return tuple(TapWindow(0, -channel, 0, self.tokens - 1, span) for channel in range(self.dk))

    def gather_tile(self, tile, spike):
        """Fields of a tile of the first pass; ``spike`` is the address of the keys."""
        word, bit = divmod(self._channel(tile), self.lanes)
        # The row of the first token, less the bits in front of the head's first channel.
        return {
            "spike": spike + word,
            "first_mask": 1 << bit,
            "words": 0,
            "row": self.values + tile * self.tokens - bit,
            "out": self.base + tile * self.dk,
        }

    def query(self, words, tokens):
        """Tap windows of the second pass: the channels of a query token per job."""
        return tuple(TapWindow(token * words, 0, self.lanes, 0, 0) for token in range(tokens))

    def query_tile(self, tile, spike):
        """Fields of a tile of the second pass; ``spike`` is the address of the queries."""
        begin = self._channel(tile)
        first, last = begin // self.lanes, (begin + self.dk - 1) // self.lanes
        ones = (1 << self.lanes) - 1
        # The most significant digits come first; they lie behind all others.
        base = self.base + (self.digits - 1) * self.rows
        return {
            "spike": spike + first,
            "words": last - first,
            # The row of the head's first channel, less the bits in front of it.
            "row": base + tile * self.dk - begin % self.lanes,
            "first_mask": ones & ~((1 << begin % self.lanes) - 1),
            "last_mask": (2 << (begin + self.dk - 1) % self.lanes) - 1,
        }

    def _channel(self, tile):
        """First channel of a tile's head in queries and keys."""
        return tile // (self.tiles // self.heads) * self.dk
