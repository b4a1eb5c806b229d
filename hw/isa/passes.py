"""Passes: which planes of counts and of pixels the banks of a column take at once."""

from dataclasses import dataclass
from math import comb

import numpy as np

from golden.spike import SpikeCode, plane_weights


__all__ = [
    "PIXEL_PLANES",
    "PixelBit",
    "bank_weights",
    "count_passes",
    "count_probabilities",
    "layer_passes",
    "pixel_passes",
]


#: Pixels are 8-bit integers, sent to the lanes as bit planes.
PIXEL_PLANES = 8


@dataclass(frozen=True)
class PixelBit:
    """What a bank takes of every pixel in one pass.

    Parameters
    ----------
    bit : int
        Number of the bit, 0 for the least significant one; there may be none of it.
    turn, alike : int
        Lanes take turns with ``alike`` banks of equal weight, of which this one is number ``turn``.
    """

    bit: int
    turn: int
    alike: int

    def takes(self, lane):
        """Whether it is a lane's turn, as it is of a spike in ``golden.planes``."""
        return (self.turn - lane) % self.alike == 0


def bank_weights(code, max_count):
    """What an event of each bank of a column weighs.

    Parameters
    ----------
    code : SpikeCode
        Of split counts each plane has a bank; of bit-serial ones there is one bank for all.
    max_count : int

    Returns
    -------
    tuple of int
        Powers of two, the largest first.

    Examples
    --------
    >>> bank_weights(SpikeCode.SPLIT, 4), bank_weights(SpikeCode.BIT_SERIAL, 4)
    ((2, 1, 1), (1,))
    """
    return plane_weights(code, max_count) if code == SpikeCode.SPLIT else (1,)


def count_passes(code, max_count):
    """Planes of counts that the banks take at once, pass after pass: one for each bank.

    >>> count_passes(SpikeCode.SPLIT, 4), count_passes(SpikeCode.BIT_SERIAL, 4)
    (((0, 1, 2),), ((0,), (1,), (2,)))
    """
    planes = range(len(plane_weights(code, max_count)))
    step = len(bank_weights(code, max_count))
    return tuple(tuple(planes[first : first + step]) for first in planes[::step])


def pixel_passes(code, max_count):
    """What the banks take of pixels at once, pass after pass, most significant bits first.

    A pass takes as many bits as there are different weights.

    Returns
    -------
    tuple of tuple of PixelBit

    Examples
    --------
    >>> [[bank.bit for bank in banks] for banks in pixel_passes(SpikeCode.SPLIT, 4)]
    [[7, 6, 6], [5, 4, 4], [3, 2, 2], [1, 0, 0]]
    """
    weights = bank_weights(code, max_count)
    bits = weights[0].bit_length()
    return tuple(
        tuple(
            PixelBit(
                low + weight.bit_length() - 1, weights[:bank].count(weight), weights.count(weight)
            )
            for bank, weight in enumerate(weights)
        )
        for low in reversed(range(0, PIXEL_PLANES, bits))
    )


def layer_passes(config, descriptor, words):
    """Lanes that add in each pass of a layer.

    Parameters
    ----------
    config : CoreConfig
    descriptor : dict
        Of the layer.
    words : integer array, shape (planes, ...)
        Words of a map, the most significant plane first.

    Returns
    -------
    integer array, shape (passes, banks, ...)
    """
    if not descriptor["pixels"]:
        # Jobs without spikes take one pass.
        return words[np.array(config.passes[: descriptor["passes"] + 1])]
    word_type = words.dtype.type
    nothing = np.zeros_like(words[0])
    return np.array([
        [
            words[PIXEL_PLANES - 1 - bank.bit]
            & word_type(sum(bank.takes(lane) << lane for lane in range(config.lanes)))
            if bank.bit < PIXEL_PLANES
            else nothing
            for bank in banks
        ]
        for banks in config.pixel_passes
    ])


def count_probabilities(mean_count, max_count):
    """Probabilities of the counts 0 to D, taken as binomial."""
    rate = mean_count / max_count
    return [
        comb(max_count, count) * rate**count * (1 - rate) ** (max_count - count)
        for count in range(max_count + 1)
    ]
