"""Sums with a choice, or of ORs, in the same LUTs: instances of modules of ``primitives.v``."""

from amaranth import C, Cat, Instance, Shape


__all__ = ["choose_add", "choose_compare", "load_add", "mix", "or_add"]


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


def choose_compare(*, choose, base, other, value, fits):
    """Submodule for ``fits = value >= (other if choose else base)``, in two's complement.

    Parameters
    ----------
    choose : Value
        One bit.
    base, other, value : Value
        Equally wide.
    fits : Signal
    """
    return Instance(
        "addend_choose_compare",
        p_WIDTH=len(value),
        i_choose=choose,
        i_base=base,
        i_other=other,
        i_value=value,
        o_fits=fits,
    )


def load_add(*, load, value, base, addend, total):
    """Submodule for ``total = value if load else base + addend``, which wraps.

    Parameters
    ----------
    load : Value
        One bit.
    value, base, addend : Value
        As wide as ``total``.
    total : Signal
    """
    return Instance(
        "addend_load_add",
        p_WIDTH=len(total),
        i_load=load,
        i_value=value,
        i_base=base,
        i_addend=addend,
        o_total=total,
    )


def mix(words, mixed):
    """Submodules for ``mixed``, the XOR of all words, in as few LUTs as there can be.

    Parameters
    ----------
    words : list of Value
        Each as wide as ``mixed``.
    mixed : Signal
    """
    return [
        Instance(
            "addend_xor",
            p_INPUTS=len(words),
            i_bits=Cat(word[index] for word in words),
            o_mixed=mixed[index],
        )
        for index in range(len(mixed))
    ]


def or_add(*, augend, addend, total):
    """Submodule for ``total = (augend[0] | augend[1]) + (addend[0] | addend[1])``, which wraps.

    Parameters
    ----------
    augend, addend : list of Value
        Two each, extended to the width of ``total``.
    total : Signal
    """
    width = len(total)

    def extended(word):
        return (word | C(0, Shape(width, word.shape().signed)))[:width]

    return Instance(
        "addend_or_add",
        p_WIDTH=width,
        i_augend=extended(augend[0]),
        i_augend_too=extended(augend[1]),
        i_addend=extended(addend[0]),
        i_addend_too=extended(addend[1]),
        o_total=total,
    )
