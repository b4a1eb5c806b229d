"""Memory images for Xilinx: the coefficient file of the Block Memory Generator."""

from .licence import SPDX
from .memory_images import digest, hex_words


__all__ = ["write_coe"]


def write_coe(words, width):
    """Text of a coefficient file (``.coe``): hexadecimal words, address 0 first.

    Parameters
    ----------
    words : list of int
        Unsigned words.
    width : int
        Bits of a word.

    Returns
    -------
    str
        It begins with comments: the licence, and the digest of the words.

    References
    ----------
    AMD, Vivado Design Suite User Guide: Designing with IP, UG896, "COE File Syntax".
    """
    vector = ",\n".join(hex_words(words, width))
    return (
        f"; {SPDX}\n"
        f"; {len(words)} words of {width} bits, sha256 {digest(words, width)}\n"
        "memory_initialization_radix=16;\n"
        f"memory_initialization_vector=\n{vector};\n"
    )
