"""Passes: which planes of a word are taken at once, and the additions that they ask for."""

from math import comb

from golden.spike import SpikeCode, fours_join, passes


__all__ = [
    "FOURS_FIRST", "PIXEL_PLANES", "additions_of", "count_probabilities", "fours_pay",
    "layer_marks", "layer_passes", "pass_additions", "pixel_passes",
]


#: The passes of D = 4, where the plane of fours has its own.
FOURS_FIRST = ((0,), (1, 2))

#: Pixels are 8-bit integers, sent to the lanes as bit planes.
PIXEL_PLANES = 8


def pixel_passes(code):
    """Bit planes of a pixel that a core of this spike code takes at once, pass after pass."""
    graded = code is SpikeCode.GRADED
    return passes(SpikeCode.GRADED if graded else SpikeCode.BITPLANE, 2**PIXEL_PLANES - 1)


def layer_passes(capacities, record):
    """Planes that a layer takes at once, pass after pass.

    Parameters
    ----------
    capacities : Capacities
    record : dict
        Of the layer. One with ``fours`` takes the three planes of D = 4 in two passes.
    """
    if record["pixels"]:
        return capacities.pixel_passes
    # Jobs without spikes take one.
    return (FOURS_FIRST if record["fours"] else capacities.passes)[:record["passes"] + 1]


def layer_marks(capacities, record):
    """Doublings in front of a layer's passes that are words of their own.

    Parameters are those of ``layer_passes``. Where fours come first, one doubling is enough.
    """
    return 0 if record["fours"] else capacities.pass_marks


def count_probabilities(mean_count, max_count):
    """Probabilities of the counts 0 to D, taken as binomial."""
    rate = mean_count / max_count
    return [comb(max_count, count) * rate**count * (1 - rate) ** (max_count - count)
            for count in range(max_count + 1)]


def fours_pay(code, max_count, mean_count, channels_per_word):
    """Whether a dense layer takes the plane of fours in a pass of its own.

    A 4 is then one addition instead of two, but every word is read twice. That hides behind the
    additions where a word has enough of them: three, as ``cifar10-nano`` shows.

    Parameters
    ----------
    code : SpikeCode
        No other than the graded one ever does.
    max_count : int
    mean_count : float
        Of the layer's inputs, taken as binomial.
    channels_per_word : float
        Of the inputs' map.
    """
    if not fours_join(code, max_count):
        return False
    bits = sum(probability * count.bit_count() for count, probability
               in enumerate(count_probabilities(mean_count, max_count)))
    return bits * channels_per_word >= 3


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
            return four | twice | once, once, twice & once | four


def pass_additions(planes, graded):
    """Channels that add in a pass, and those that add again; parameters as ``additions_of``'s."""
    if not graded:
        plane, = planes
        return plane, plane & 0
    first, _, again = additions_of(planes)
    return first, again
