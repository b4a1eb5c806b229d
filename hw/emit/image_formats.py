"""Formats of memory images beside ``.hex``, which vendors' memory generators read."""

from .coe import write_coe
from .mi import write_mi
from .mif import write_mif


__all__ = ["FORMATS", "converted"]


#: What makes a file of a format of an image's words and their width, by the file's suffix.
FORMATS = {"coe": write_coe, "mif": write_mif, "mi": write_mi}


def converted(images, formats):
    """Memory images in other formats.

    Parameters
    ----------
    images : dict of str to (list of int, int)
        Words and their width of each ``.hex`` file, by its path in the build directory.
    formats : sequence of str
        Of ``FORMATS``.

    Returns
    -------
    dict of str to str
        Text of each file, by its path: that of the ``.hex`` file with another suffix.
    """
    return {
        f"{path.removesuffix('hex')}{name}": FORMATS[name](words, width)
        for name in formats
        for path, (words, width) in images.items()
    }
