"""Block RAMs (DP16KD) that a memory takes on an ECP5, and how they lie side by side."""

from dataclasses import dataclass
from functools import cache


__all__ = ["DEVICE_BLOCKS", "Blocks", "blocks", "least"]


#: Shapes of a block: depth per width. Two ports that read, or, with one that writes and one that
#: reads, one more.
TWO_PORT = {1: 16384, 2: 8192, 4: 4096, 9: 2048, 18: 1024}
ONE_READER = TWO_PORT | {36: 512}

#: LUTs that are spared rather than a block, where block RAMs are scarce. Elsewhere LUTs decide.
LUTS_PER_BLOCK = 40

#: Block RAMs of the devices that Addend builds for. They are scarce where the layout of the fewest
#: LUTs would ask for a larger device than the one of the fewest blocks.
DEVICE_BLOCKS = (56, 108, 208)


@dataclass(frozen=True)
class Blocks:
    """A memory as one bank or two, each of them one block deep.

    A bank of blocks that are as deep as the memory needs no multiplexer behind it, which is why
    memories are not left to synthesis: it took a tenth of the core's LUTs for them.

    Parameters
    ----------
    bank : int
        Words of the first bank, a power of two; 0 where neither one bank nor two are enough.
    slice, rest_slice : int
        Bits of a block's words in the first bank and in the one with the remaining words.
    number : int
        Blocks of all banks.
    banks : int
        How many words of the same bit there are to choose from.
    """

    bank: int
    slice: int
    rest_slice: int
    number: int
    banks: int


@cache
def blocks(width, depth, *, ports, scarce=True):
    """The cheapest banks for a memory: of fewest LUTs, each block counting as some if it is scarce.

    Parameters
    ----------
    width, depth : int
    ports : {1, 2}
        Ports that read.
    scarce : bool
        Whether a block RAM counts as ``LUTS_PER_BLOCK``. Otherwise their number decides only
        between layouts of as many LUTs.

    Returns
    -------
    Blocks
    """
    price = LUTS_PER_BLOCK if scarce else 0
    shapes = ONE_READER if ports == 1 else TWO_PORT
    found = []
    for bits, words in shapes.items():
        first = -(-width // bits)
        if depth <= words:
            found.append((first * price, Blocks(words, bits, bits, first, 1)))
        elif depth <= 2 * words:
            rest = max(other for other, limit in shapes.items() if limit >= depth - words)
            number = first + -(-width // rest)
            # Each port that reads chooses between the banks.
            found.append((
                number * price + ports * width,
                Blocks(words, bits, rest, number, 2),
            ))
    if found:
        return min(found, key=lambda option: (option[0], option[1].number))[1]
    return least(width, depth, ports=ports)


def least(width, depth, *, ports):
    """Fewest blocks of one shape that hold a memory, as synthesis lays out one with a memory image.

    Parameters and result are those of ``blocks``; there is no first bank.
    """
    shapes = ONE_READER if ports == 1 else TWO_PORT
    return min(
        (
            Blocks(0, 0, 0, -(-width // bits) * banks, banks)
            for bits, banks in ((bits, -(-depth // words)) for bits, words in shapes.items())
        ),
        key=lambda option: (option.number, option.banks),
    )
