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
from ..isa.formed_maps import complete
from ..isa.passes import PIXEL_PLANES
from ..isa.program_word import words_of
from .job_events import JobEvents
from .layer_cycles import LayerCycles
from .tile_copies import TileCopies


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
    tensors = complete(tensors, plan.formed)
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
        # image is there, and the first tile. Behind all, the first layer's descriptor is read.
        copies = TileCopies(self.plan)
        header = words_of(required.filled(required.header))
        begun = now = 1 + max(height * width, required.sum_depth - header, copies.first)
        begins = []
        layer_words = words_of(required.layer)
        for layer in layers:
            now += layer_words + 1
            begins.append(now)
            if layer.source is None:
                now = self._token_sum(layer, now)
            else:
                events = JobEvents(self.plan, layer, self.words[id(layer.source)])
                now, last_logit = LayerCycles(layer, required, events, copies).run(now)
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
        next_begun = idle + 3 + max(header + max(left, copies.first), required.sum_depth)
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
        group = required.pairs * (required.max_count + 3) + 1
        # The last word is on the bus one cycle after it was sent, and that is known one later.
        return fire + len(layer.channels) * group + 2 + 2
