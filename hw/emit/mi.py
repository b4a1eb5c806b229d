"""Memory images for Gowin: the memory initialization file of its block memories."""

from .memory_images import hex_words


__all__ = ["write_mi"]


def write_mi(words, width):
    """Text of a Gowin memory initialization file (``.mi``): hexadecimal words, address 0 first.

    Parameters
    ----------
    words : list of int
        Unsigned words.
    width : int
        Bits of a word.

    Returns
    -------
    str
        Its header is what the format defines; it has no place for a comment.

    References
    ----------
    Gowin, BSRAM and SSRAM User Guide, UG285.
    """
    content = "".join(f"{word}\n" for word in hex_words(words, width))
    return f"#File_format=Hex\n#Address_depth={len(words)}\n#Data_width={width}\n{content}"
