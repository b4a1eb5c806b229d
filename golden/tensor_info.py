"""What is known of a tensor before anything runs."""

from dataclasses import dataclass
from math import prod


__all__ = ["TensorInfo"]


@dataclass(frozen=True)
class TensorInfo:
    """Kind, size and meaning of a tensor; arrays are (samples, steps, channels, *size).

    Parameters
    ----------
    kind : str
        ``pixels``, ``counts``, ``stream``, ``memory`` or ``output``.
    channels : int
        Heads of a memory.
    size : tuple of int
        (height, width) of a map; (dk, dv), the channels of a head's keys and values, of a memory.
    steps : int
        Time steps; of a memory, the sets of tokens that have one each.
    levels : int or None
        D, the largest count; 255 for pixels, ``None`` where values are no counts.
    fraction_bits : int or None
        F of a stream.
    over : str or None
        What a memory, or the counts that were fired from it, is a sum over.
    """

    kind: str
    channels: int
    size: tuple[int, ...]
    steps: int = 1
    levels: int | None = None
    fraction_bits: int | None = None
    over: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one step: (channels, *size)."""
        return (self.channels, *self.size)

    @property
    def positions(self) -> int:
        """Number of positions of a map."""
        return prod(self.size)

    @property
    def values(self) -> int:
        """Number of values per sample."""
        return self.steps * prod(self.shape)
