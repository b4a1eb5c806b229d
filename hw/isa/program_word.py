"""Words of the program memory."""

__all__ = ["PROGRAM_WIDTH", "words_of"]


#: Width of a word of the program memory, in bits.
PROGRAM_WIDTH = 32


def words_of(layout):
    """Number of program words that a descriptor of ``layout`` takes."""
    return -(-layout.size // PROGRAM_WIDTH)
