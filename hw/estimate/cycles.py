"""The cycle model: how long the core takes for an image, cycle for cycle.

It moves the same tokens as the hardware (words, events, sums, neurons) through the same stages,
without their values. Given the spikes, it predicts exactly what a simulation of the Verilog counts,
as long as pixels and logits never wait for the outside.
"""

from dataclasses import dataclass

import numpy as np

from golden import PIXELS
from golden.model.shapes import shapes

from ..compiler.expected import plane_words
from ..isa.core_config import words_of
from ..isa.descriptors import Destination
from ..isa.passes import PIXEL_PLANES
from ..rtl.sequencer import LINE_CYCLES
from .group_cycles import GroupCycles, Output
from .job_events import JobEvents


__all__ = ["Cycles", "predict", "synthetic_tensors"]


@dataclass(frozen=True)
class Cycles:
    """Clock cycles of an image.

    Parameters
    ----------
    total : int
        From the first pixel beat to the last logit beat, both included: the latency.
    turnaround : int
        From the last logit beat to the beginning of the next image's computation, if that image
        waited.
    computing : int
        From the beginning of the computation to the last logit beat.
    layers : tuple of int
        Of each layer: from its first cycle to the next one's, of the last one to the last logit.
    """

    total: int
    turnaround: int
    computing: int
    layers: tuple

    @property
    def period(self):
        """Cycles from the last logit beat of one such image to that of the next: the throughput."""
        return self.behind(self)

    def behind(self, previous):
        """Cycles from the last logit beat of ``previous`` to that of this image, which waited."""
        return previous.turnaround + self.computing


def predict(plan, tensors, image=0):
    """Cycles that the core takes for one image.

    Parameters
    ----------
    plan : Plan
    tensors : dict of str to int64 array
        Trace of a golden run, or ``synthetic_tensors``.
    image : int
        Index in the trace.

    Returns
    -------
    Cycles
    """
    words = {
        id(placed): plane_words(plan, placed, tensors[placed.tensor][image])
        for placed in plan.maps.values()
    }
    return _Core(plan, words).run()


def synthetic_tensors(model, seed=0):
    """Random spikes as dense as the model's mean counts say, for estimates without images.

    Counts of a map are independent and binomial, bits of pixels are independent; what is no count
    is 0.
    """
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes(model).items():
        if name == PIXELS:
            bits = rng.random((PIXEL_PLANES, 1, *shape)) < model.mean_count(name) / PIXEL_PLANES
            tensors[name] = sum(plane.astype(np.int64) << p for p, plane in enumerate(bits))
        elif name.endswith(".counts"):
            rate = model.mean_count(name) / model.max_count
            tensors[name] = rng.binomial(model.max_count, rate, (1, *shape))
        else:
            tensors[name] = np.zeros((1, *shape), np.int64)
    return tensors


class _Core:
    """The sequencer and the columns."""

    def __init__(self, plan, words):
        self.plan = plan
        self.words = words

    def run(self):
        required, layers = self.plan.required, self.plan.layers
        height, width, _ = self.plan.model.image_shape
        # The header is read, and the token sums are set to 0; then comes a beat per pixel, or an
        # image is there. Behind both, the first layer's descriptor is read.
        header = words_of(required.header)
        begun = now = 1 + max(height * width, required.sum_depth - header)
        begins = []
        for layer in layers:
            now += words_of(required.layer) + 1
            begins.append(now)
            if layer.source is None:
                now = self._token_sum(layer, now)
            else:
                now, last_logit = self._layer(layer, now)
            if layer.descriptor.get("releases"):
                released = now
        # Logits pass through a FIFO on their way out.
        total = last_logit + 2
        idle = max(now, total + 2)
        if layers[-1].descriptor["releases"]:
            released = idle
        # Pixels of the next image come behind the release until all is idle, and those that are
        # left when the core has been idle for a cycle and has read the header.
        left = max(0, height * width - (idle - released))
        next_begun = idle + 3 + max(header + left, required.sum_depth)
        ends = [*begins[1:], total]
        return Cycles(
            total,
            next_begun - total,
            total - begun,
            tuple(end - begin for begin, end in zip(begins, ends, strict=True)),
        )

    def _token_sum(self, layer, now):
        """Cycle in which the next layer's descriptor is asked for."""
        required = self.plan.required
        fire = now + 1 + required.max_count + 1
        group = required.lanes * (required.max_count + 3) + 1
        # The last word is on the bus one cycle after it was sent, and that is known one later.
        return fire + len(layer.channels) * group + 2 + 2

    def _layer(self, layer, now):
        """Cycle in which the next layer's descriptor is asked for, and that of the last logit."""
        required = self.plan.required
        tile_cycles = words_of(required.tile) + 1
        groups = [
            GroupCycles(
                required.columns_per_group,
                layer.descriptor["drain"],
                digits=layer.descriptor["out_digits"] + 1,
            )
            for _ in range(required.groups)
        ]
        dispatched = _dispatch(layer, required)
        events = JobEvents(layer, self.words[id(layer.source)], required)
        upcoming = next(dispatched)
        # Tile descriptor, line and tap windows come before the first position of a line.
        ready = now + 1 + tile_cycles + LINE_CYCLES
        offer = staged = None
        # What is on the bus: behind the groups, behind the array, and in the token sum.
        storing = stored = summing = summed = asked = adding = False
        last_logit = 0
        latest = -1
        cycle = now + 1
        while True:
            idle = not (storing or stored or summing or summed or asked or adding) and all(
                group.idle() for group in groups
            )
            all_dispatched = upcoming is None and staged is None and offer is None
            if all_dispatched and cycle >= ready and idle:
                return cycle + 2, last_logit

            taker, job = None, None
            if offer is not None:
                taker = next(
                    (
                        column
                        for column in offer[0]
                        if groups[column % required.groups]
                        .columns[column // required.groups]
                        .reserve
                        is None
                    ),
                    None,
                )
                job = offer[1]
            requests = [index for index, group in enumerate(groups) if group.request()]
            grant = next(
                (index for index in requests if index > latest), requests[0] if requests else None
            )
            if any(group.locked for group in groups):
                grant = None
            latest = latest if grant is None else grant
            adding, asked, summed, stored = asked, summed, summing, storing
            storing = summing = False
            for index, group in enumerate(groups):
                takes = taker is not None and taker % required.groups == index
                offered = (taker // required.groups, job) if takes else None
                output = group.step(grant == index, offered)
                storing |= output is Output.WORD
                summing |= output is Output.SUM
                if output is Output.LOGIT:
                    last_logit = cycle
            if taker is not None or offer is None:
                offer, staged = staged, None
            if staged is None and upcoming is not None and cycle >= ready:
                tile, line, position, allowed, lanes = upcoming
                staged = allowed, (events.of(tile, line, position), lanes)
                upcoming = next(dispatched, None)
                ready = cycle + 1
                if upcoming is not None and upcoming[0] != tile:
                    ready = cycle + 1 + tile_cycles + LINE_CYCLES
                elif upcoming is not None and upcoming[1] != line:
                    ready = cycle + 1 + LINE_CYCLES
            cycle += 1


def _dispatch(layer, required):
    """Jobs in order: tile, line, position, columns that may take it, and lanes."""
    restart, n_groups = layer.descriptor["restart"], required.groups
    group = 0
    for tile, fields in enumerate(layer.tiles):
        if restart:
            group = 0
        for line in range(len(layer.lines)):
            for position in range(len(layer.positions)):
                allowed = range(required.columns)
                if layer.descriptor["drain"] is Destination.LOGITS:
                    allowed = (0,)
                elif restart:
                    allowed = range(group, required.columns, n_groups)
                yield tile, line, position, allowed, fields["lanes"]
                group = (group + 1) % n_groups
