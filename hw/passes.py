"""Passes: which planes of a word are taken at once, and the additions that they ask for."""

from golden.spike import SpikeCode, passes


__all__ = ["PIXEL_PLANES", "additions_of", "pass_additions", "pixel_passes"]


#: Pixels are 8-bit integers, sent to the lanes as bit planes.
PIXEL_PLANES = 8


def pixel_passes(code):
    """Bit planes of a pixel that a core of this spike code takes at once, pass after pass."""
    graded = code is SpikeCode.GRADED
    return passes(SpikeCode.GRADED if graded else SpikeCode.BITPLANE, 2**PIXEL_PLANES - 1)


def additions_of(planes):
    """What the planes of one pass of the graded code ask a lane to add.

    Parameters
    ----------
    planes : list of int, array or Value
        Words of one to three planes, in the order of ``golden.planes``.

    Returns
    -------
    first, once, again : int, array or Value
        Channels that add something; of these, those whose first addition is of the entry itself,
        not of its double; and those that add the double after it.
    """
    match planes:
        case once,:
            return once, once, once & 0
        case twice, once:
            return twice | once, once, twice & once
        case four, twice, once:
            # Who adds the double a second time is among those who add it at all.
            return twice | once, once, twice & once | four


def pass_additions(planes, graded):
    """Channels that add in a pass, and those that add again; parameters as ``additions_of``'s."""
    if not graded:
        plane, = planes
        return plane, plane & 0
    first, _, again = additions_of(planes)
    return first, again
