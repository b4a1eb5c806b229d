"""Memory images for Intel and Altera: the memory initialization file."""

from .licence import SPDX
from .memory_images import digest, hex_words


__all__ = ["write_mif"]


def write_mif(words, width):
    """Text of a memory initialization file (``.mif``): one ``address : word;`` per line.

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
    Intel, Quartus Prime Help, "Memory Initialization File (.mif) Definition".
    """
    lines = enumerate(hex_words(words, width))
    content = "".join(f"{address:x} : {word};\n" for address, word in lines)
    return (
        f"-- {SPDX}\n"
        f"-- {len(words)} words of {width} bits, sha256 {digest(words, width)}\n"
        f"WIDTH={width};\n"
        f"DEPTH={len(words)};\n"
        "ADDRESS_RADIX=HEX;\n"
        "DATA_RADIX=HEX;\n"
        f"CONTENT BEGIN\n{content}END;\n"
    )
