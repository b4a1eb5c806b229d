"""Packing: numbers as the bit fields of a descriptor, none of which loses a bit."""

__all__ = ["DISTANCES", "largest", "pack"]


#: Fields that are added to an address or a row, modulo the memory: they may be negative, and one as
#: long as the whole memory is 0.
DISTANCES = frozenset({
    "column_stride",
    "digit_stride",
    "offset",
    "out_column",
    "out_jump",
    "out_step",
    "out_stride",
    "row",
    "stream_move",
    "stream_step",
    "word_stride",
})


def largest(layout, name):
    """Largest number that a field holds."""
    return (1 << layout[name].width) - 1


def pack(layout, values, *, wraps=()):
    """A descriptor as an integer.

    Parameters
    ----------
    layout : StructLayout
    values : dict of str to int or Enum
    wraps : collection of str
        Fields whose numbers count modulo the field; see `DISTANCES`.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If a field has no room for its number.
    """
    descriptor = 0
    for name, value in values.items():
        field, number = layout[name], int(getattr(value, "value", value))
        if name in wraps:
            number %= 1 << field.width
        if not 0 <= number <= largest(layout, name):
            raise ValueError(f"Field {name} must be 0 to {largest(layout, name)}, not {number}")
        descriptor |= number << field.offset
    return descriptor
