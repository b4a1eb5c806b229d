"""A choice and a sum in one: an instance of ``addend_choose_add`` in ``primitives.v``."""

from amaranth import Instance


__all__ = ["choose_add"]


def choose_add(*, choose, base, other, addend, total):
    """Submodule for ``total = (other if choose else base) + addend``, which wraps.

    Parameters
    ----------
    choose : Value
        One bit.
    base, other, addend : Value
        As wide as ``total``, or extended to its width.
    total : Signal
    """
    width = len(total)
    return Instance(
        "addend_choose_add",
        p_WIDTH=width,
        i_choose=choose,
        i_base=base[:width],
        i_other=other[:width],
        i_addend=addend[:width],
        o_total=total,
    )
