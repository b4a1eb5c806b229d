"""Load packets that are short enough for a board to check before its core sees them."""

from ..isa.frames import BUFFER_WORDS


__all__ = ["chunks", "payload"]


#: Data bits of a beat.
_DATA = (1 << 32) - 1


def chunks(packet, width):
    """A load packet as several, each of which fits the buffer of a board.

    Parameters
    ----------
    packet : list of int
        Header and beats of one memory, as ``hw.load.packets`` has them.
    width : int
        Bits of a word of the memory.

    Returns
    -------
    list of list of int
        The same words at the same places.

    Examples
    --------
    >>> [len(chunk) for chunk in chunks([1 << 28, *range(1500)], 33)]
    [511, 511, 481]
    >>> [hex(chunk[0]) for chunk in chunks([1 << 28, *range(1500)], 33)]
    ['0x10000000', '0x100000ff', '0x100001fe']
    """
    header, *beats = packet
    per_word = -(-width // 32)
    n_words = (BUFFER_WORDS - 1) // per_word
    size = n_words * per_word
    parts = [beats[start : start + size] for start in range(0, len(beats), size)]
    closed = [[*part[:-1], part[-1] | _DATA + 1] for part in parts]
    return [[header + index * n_words, *part] for index, part in enumerate(closed)]


def payload(packet):
    """Bytes of a load packet, as a request carries them: its end is that of the payload."""
    return b"".join((beat & _DATA).to_bytes(4, "little") for beat in packet)
