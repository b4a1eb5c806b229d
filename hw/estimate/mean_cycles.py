"""An estimate of cycles and additions from mean spike counts alone, in no time for any network.

``hw.estimate.cycles`` moves every event and is exact; it takes minutes for the 224 x 224 networks.
This module asks per layer which of its parts is the slowest: reading words, adding, readout,
storing, or loading tiles.
"""

from dataclasses import dataclass
from math import erf, exp, inf, pi, sqrt

import numpy as np

from golden import PIXELS, planes

from ..isa.descriptors import Destination
from ..isa.formed_maps import mean_count
from ..isa.pairs import PAIR, pairs_of
from ..isa.passes import PIXEL_PLANES, count_probabilities
from ..isa.program_word import words_of
from ..rtl.neuron import STAGES


__all__ = ["Estimate", "estimate"]


#: Cycles of a layer in which its pipeline fills and empties.
SETTLING = 30

#: Cycles of a tile that comes in which none of its rows does.
LOADING = 4


@dataclass(frozen=True)
class Estimate:
    """Cycles and additions of one image.

    Parameters
    ----------
    total : float
        Clock cycles from the first pixel beat to the last logit beat.
    period : float
        From one image's logits to the next one's, if that waited.
    layers : dict of str to (float, float)
        Cycles and additions of each layer.
    """

    total: float
    period: float
    layers: dict


def estimate(plan, additions=None):
    """Cycles and additions that follow from a model's mean counts.

    Counts are taken as independent and binomial; where they are not, and most are 0 or D, there are
    fewer additions. An external memory is taken to deliver a beat in every cycle.

    Parameters
    ----------
    plan : Plan
    additions : dict of str to float, optional
        Of each layer, if they are known.

    Returns
    -------
    Estimate
    """
    height, width, _ = plan.model.image_shape
    known, layers = additions or {}, {}
    # Cycles since the latest tile was taken, in which the next one comes. The first one is there.
    begun = inf
    for planned in plan.layers:
        cycles, work, added = _layer(plan, planned, known.get(planned.name))
        begun += cycles
        for fill in planned.fills:
            load = _load(plan.required, fill)
            cycles += max(0, load if fill.again else load - begun) + work
            begun = work
        layers[planned.name] = cycles, added
    computing = sum(cycles for cycles, _ in layers.values())
    # Pixels of the next image come while layers are computed that read none.
    last = max(
        number for number, planned in enumerate(plan.layers) if planned.descriptor.get("releases")
    )
    hidden = sum(cycles for cycles, _ in list(layers.values())[last + 1 :])
    period = computing + max(0, height * width - hidden)
    return Estimate(height * width + computing, period, layers)


def _load(required, fill):
    """Cycles in which a tile comes, once it may."""
    words = fill.in_words(required.rows_at_once).rows
    if not required.external:
        return max(words, required.pairs) + LOADING
    beats = [
        -(-required.memories[memory][0] // required.bus_width) for memory in ("weights", "neurons")
    ]
    return words * beats[0] + required.pairs * beats[1] + LOADING


def _layer(plan, planned, additions):
    """Cycles of one layer beside its tiles, those of each of these, and additions."""
    required, lanes, columns = plan.required, plan.required.lanes, plan.required.columns
    begin = words_of(required.layer) + 2
    if planned.source is None:
        group = required.pairs * (required.max_count + 3) + 1
        return begin + required.max_count + 3 + len(planned.channels) * group, 0.0, 0.0

    spiking = _probabilities(plan, planned)
    descriptor = planned.descriptor
    lines, per_line = planned.size
    positions = lines * per_line
    # Jobs that all columns do at once, and words of each in one pass.
    batches = -(-lines // columns) * per_line
    windows = plan.tap_positions(planned)
    words = (planned.tiles[0]["tap_rows"] + 1) * (
        sum(position.steps + 1 for position in windows) / per_line + planned.tiles[0]["words"]
    )
    # One job: words read, and events with their spread, in all passes of all digits.
    inputs, taps = planned.inputs, planned.taps
    filled = (planned.channels >= 0).sum(axis=1)
    fan_out = int(filled.sum())
    digits = descriptor["digits"] + 1
    waits = required.pixel_doublings if descriptor["pixels"] else required.doublings
    doublings = (len(spiking) * digits - 1) * (waits - 1) + descriptor["shift"].bit_length()
    reads = len(spiking) * digits * words + doublings
    expected = positions * taps * inputs * sum(map(sum, spiking)) * fan_out
    events, variance = float(doublings), 0.0
    for banks in spiking:
        if descriptor["depthwise"]:
            busy = [1 - (1 - p) ** lanes for p in banks]
            means, variances = [taps * p for p in busy], [taps * p * (1 - p) for p in busy]
        else:
            means = [taps * inputs * p for p in banks]
            variances = [taps * inputs * p * (1 - p) for p in banks]
            if additions is not None and expected:
                means = [mean * additions / expected for mean in means]
        # Banks wait for the one that has most, which has one event at least.
        mean, variance_of_pass = _largest(means, variances)
        events += digits * max(1.0, mean)
        variance += digits**2 * variance_of_pass
    per_pair = PAIR if descriptor["destination"] is Destination.LOGITS else 1
    length = per_pair * float(pairs_of(filled).mean())
    readout = length + 1
    if descriptor["destination"] is Destination.KEY_VALUES:
        # Potentials are collected, then packed digit by digit.
        readout = length + STAGES + 3 + (descriptor["out_digits"] + 1) * (length + 1)
    job = max(reads, _mean_of_larger(events, sqrt(variance), readout))

    match descriptor["destination"]:
        case Destination.LOGITS:
            work = positions * job
        case Destination.SUMS:
            # One column at a time.
            work = max(batches * job, positions * (required.pairs + 3))
        case _:
            work = max(batches * job, positions * (descriptor["out_digits"] + 1))
    return begin + SETTLING + lanes, work, expected if additions is None else additions


def _probabilities(plan, planned):
    """Probability that a channel adds, in each pass and bank."""
    model, required = plan.model, plan.required
    # Of windows, only the largest counts add.
    name = planned.stores if planned.descriptor.get("maximum") else planned.source.tensor
    mean = mean_count(model, name, plan.formed)
    if name == PIXELS:
        one = mean / PIXEL_PLANES
        return [
            [one / bank.alike * (bank.bit < PIXEL_PLANES) for bank in banks]
            for banks in required.pixel_passes
        ]
    top = model.max_count
    counts = np.array(count_probabilities(mean, top))
    # Of planes of equal weight, two at most, it is the lane that says which.
    expanded = planes(
        np.arange(top + 1)[:, np.newaxis], required.spike_code, top, np.arange(2)
    ).mean(axis=2)
    return [[float(counts @ expanded[plane]) for plane in group] for group in required.passes]


def _largest(means, variances):
    """Mean of the largest of independent normal numbers, and about its variance."""
    mean, variance = means[0], variances[0]
    for other, spread in zip(means[1:], variances[1:], strict=True):
        mean = other + _mean_of_larger(mean - other, sqrt(variance + spread), 0.0)
        variance = max(variance, spread)
    return mean, variance


def _mean_of_larger(mean, deviation, floor):
    """Mean of max(X, floor) for a normal X."""
    if deviation == 0:
        return max(mean, floor)
    z = (mean - floor) / deviation
    above = (1 + erf(z / sqrt(2))) / 2
    return floor + (mean - floor) * above + deviation * exp(-z * z / 2) / sqrt(2 * pi)
