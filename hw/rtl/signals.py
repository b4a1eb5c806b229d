"""Several signals of one shape, each with its name."""

from amaranth import *


__all__ = ["signals"]


def signals(names, shape=1):
    """Signals of one shape, for an assignment to as many variables of the same names.

    Amaranth reads the name of a signal from the byte code around the call that makes it. Of
    ``a, b = Signal(), Signal()`` versions of Python disagree on it, so that the same core would
    be other Verilog.

    Parameters
    ----------
    names : str
        Separated by blanks.
    shape : ShapeLike

    Returns
    -------
    list of Signal

    Examples
    --------
    >>> moves, leaves = signals("moves leaves")
    >>> leaves.name
    'leaves'
    """
    return [Signal(shape, name=name) for name in names.split()]
