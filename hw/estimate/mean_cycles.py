"""An estimate of cycles and additions from mean spike counts alone, in no time for any network.

``hw.estimate.cycles`` moves every event and is exact; it takes minutes for the 224 x 224 networks.
This module asks per layer which of its parts is the slowest: reading words, adding, readout,
storing, or loading tiles.
"""

from dataclasses import dataclass
from math import erf, exp, pi, sqrt

import numpy as np

from golden import PIXELS, planes

from ..isa.core_config import words_of
from ..isa.descriptors import Destination
from ..isa.formed_maps import mean_count
from ..isa.passes import (
    PIXEL_PLANES,
    count_probabilities,
    doubling_words,
    layer_passes,
    pass_additions,
)
from ..rtl.firing import STAGES


__all__ = ["Estimate", "estimate"]


#: Cycles of a layer in which its pipeline fills and empties.
SETTLING = 30


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
    known = additions or {}
    layers = {
        planned.name: _layer(plan, planned, known.get(planned.name)) for planned in plan.layers
    }
    computing = sum(cycles for cycles, _ in layers.values())
    # Pixels of the next image come while layers are computed that read none.
    last = max(
        number for number, planned in enumerate(plan.layers) if planned.descriptor.get("releases")
    )
    hidden = sum(cycles for cycles, _ in list(layers.values())[last + 1 :])
    period = computing + max(0, height * width - hidden)
    return Estimate(height * width + computing, period, layers)


def _layer(plan, planned, additions):
    """Cycles and additions of one layer."""
    required, lanes, columns = plan.required, plan.required.lanes, plan.required.columns
    begin = words_of(required.layer) + 2
    if planned.source is None:
        group = lanes * (required.max_count + 3) + 1
        return begin + required.max_count + 3 + len(planned.channels) * group, 0.0

    spiking = _pass_probabilities(plan, planned)
    descriptor, tiles = planned.descriptor, len(planned.tiles)
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
    fan_out = int((planned.channels >= 0).sum())
    digits = descriptor["digits"] + 1
    doublings = (
        descriptor["double"] * digits * descriptor["passes"] * doubling_words(required, descriptor)
        + descriptor["digits"] * required.doubling_words_per_digit
    )
    reads = (descriptor["passes"] + 1) * digits * words + doublings
    spikes = sum(first + again for first, again in spiking)
    if descriptor["depthwise"]:
        busy = [1 - (1 - p) ** lanes for each in spiking for p in each]
        events, spread = taps * sum(busy), taps * sum(p * (1 - p) for p in busy)
    else:
        # A spike that adds a second time is one that adds.
        events, spread = (
            taps * inputs * spikes,
            taps
            * inputs
            * sum(first + 3 * again - (first + again) ** 2 for first, again in spiking),
        )
        if additions is not None:
            events = additions / positions / fan_out
        # Passes without spikes take an event to double.
        empty = sum((1 - first) ** (taps * inputs) for first, _ in spiking)
        events = digits * (events + empty * max(descriptor["double"], digits > 1)) + doublings
    readout = lanes + 1
    if descriptor["drain"] is Destination.KEY_VALUES:
        # Potentials are collected, then packed digit by digit.
        readout = lanes + STAGES + 3 + (descriptor["out_digits"] + 1) * (lanes + 1)
    job = max(reads, _mean_of_larger(events, digits * sqrt(spread), readout))

    match descriptor["drain"]:
        case Destination.LOGITS:
            work = positions * tiles * job
        case Destination.SUMS:
            # One column at a time.
            work = tiles * max(batches * job, positions * (lanes + 3))
        case _:
            stored = descriptor["out_digits"] + 1
            work = tiles * max(batches * job, positions * stored)
    load = 0
    if required.external:
        beats = [
            -(-required.memories[memory][0] // required.bus_width)
            for memory in ("weights", "neurons")
        ]
        load = tiles * (planned.rows_per_tile * beats[0] + lanes * beats[1] + 4)
        work += tiles * planned.rows_per_tile
    if additions is None:
        additions = positions * taps * inputs * spikes * fan_out
    return begin + SETTLING + lanes + max(work, load), additions


def _pass_probabilities(plan, planned):
    """Probability that a channel adds, and that it adds a second time, in each pass."""
    model, required = plan.model, plan.required
    name = planned.source.tensor
    mean = mean_count(model, name, plan.formed)
    if name == PIXELS:
        bit = mean / PIXEL_PLANES
        one = (1 - (1 - bit) ** 2, bit**2) if required.two_bit_serial else (bit, 0)
        return [one] * len(required.pixel_passes)
    top = model.max_count
    counts = np.array(count_probabilities(mean, top))
    expanded = planes(np.arange(top + 1), required.spike_code, top)
    return [
        tuple(
            float(counts @ additions)
            for additions in pass_additions(
                [expanded[plane] for plane in group], required.two_bit_serial
            )
        )
        for group in layer_passes(required, planned.descriptor)
    ]


def _mean_of_larger(mean, deviation, floor):
    """Mean of max(X, floor) for a normal X."""
    if deviation == 0:
        return max(mean, floor)
    z = (mean - floor) / deviation
    above = (1 + erf(z / sqrt(2))) / 2
    return floor + (mean - floor) * above + deviation * exp(-z * z / 2) / sqrt(2 * pi)
