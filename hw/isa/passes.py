"""Passes: which planes of a word are taken at once, and the additions that they ask for."""

from math import comb

from golden.spike import SpikeCode, merge_msb, passes


__all__ = [
    "MSB_FIRST",
    "PIXEL_PLANES",
    "additions_of",
    "count_probabilities",
    "doubling_words",
    "layer_passes",
    "pass_additions",
    "pixel_passes",
    "split_msb_pays",
]


#: The passes of D = 4, where the MSB plane, whose spikes weigh 4, has its own.
MSB_FIRST = ((0,), (1, 2))

#: Pixels are 8-bit integers, sent to the lanes as bit planes.
PIXEL_PLANES = 8


def pixel_passes(code):
    """Bit planes of a pixel that a core of this spike code takes at once, pass after pass."""
    two_bits = code is SpikeCode.TWO_BIT_SERIAL
    return passes(code if two_bits else SpikeCode.BIT_SERIAL, 2**PIXEL_PLANES - 1)


def layer_passes(config, descriptor):
    """Planes that a layer takes at once, pass after pass.

    Parameters
    ----------
    config : CoreConfig
    descriptor : dict
        Of the layer. One with ``fours`` takes the three planes of D = 4 in two passes, MSB first.
    """
    if descriptor["pixels"]:
        return config.pixel_passes
    # Jobs without spikes take one.
    return (MSB_FIRST if descriptor["fours"] else config.passes)[: descriptor["passes"] + 1]


def doubling_words(config, descriptor):
    """Doubling-only words in front of each of a layer's passes but the first.

    Parameters are those of ``layer_passes``. Where the MSB plane comes first, no such word is
    needed, since the doubling of the next word is enough.
    """
    return 0 if descriptor["fours"] else config.doubling_words_per_pass


def count_probabilities(mean_count, max_count):
    """Probabilities of the counts 0 to D, taken as binomial."""
    rate = mean_count / max_count
    return [
        comb(max_count, count) * rate**count * (1 - rate) ** (max_count - count)
        for count in range(max_count + 1)
    ]


def split_msb_pays(code, max_count, mean_count, channels_per_word):
    """Whether it pays that a dense layer takes the MSB plane in a pass of its own.

    A 4 is then one addition instead of two, but every word is read twice. That hides behind the
    additions where a word has enough of them: three, as ``cifar10-nano`` shows.

    Parameters
    ----------
    code : SpikeCode
        With no other than 2-bit-serial it ever does.
    max_count : int
    mean_count : float
        Of the layer's inputs, taken as binomial.
    channels_per_word : float
        Of the inputs' map.
    """
    if not merge_msb(code, max_count):
        return False
    bits = sum(
        probability * count.bit_count()
        for count, probability in enumerate(count_probabilities(mean_count, max_count))
    )
    return bits * channels_per_word >= 3


def additions_of(planes):
    """What the planes of one pass of the 2-bit-serial code ask a lane to add.

    Parameters
    ----------
    planes : list of int, array or Value
        Words of one to three planes, in the order of ``golden.planes``.

    Returns
    -------
    first, add_1x, add_second : int, array or Value
        Channels that add something; of these, those whose first addition is of the element itself,
        not of its double; and those that add the double after it.
    """
    match planes:
        case (ones,):
            return ones, ones, ones & 0
        case twos, ones:
            return twos | ones, ones, twos & ones
        case msb, twos, ones:
            return msb | twos | ones, ones, twos & ones | msb


def pass_additions(planes, two_bit_serial):
    """Channels that add in a pass, and those that add a second time, as `additions_of` says."""
    if not two_bit_serial:
        (plane,) = planes
        return plane, plane & 0
    first, _, add_second = additions_of(planes)
    return first, add_second
