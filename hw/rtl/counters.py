"""The counters of the core: cycles and additions of an image, and cycles that it waited."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .memory import IMAGE_WIDTH


__all__ = ["Counters"]


class Counters(wiring.Component):
    """Counts what happened in the cycle before: it lies far from where that happens.

    Parameters
    ----------
    most : int
        Most additions of a cycle.

    Members
    -------
    started : In(1)
        The first pixel beat of an image is taken.
    waiting : In(1)
        Pixels of an image are there that no image is computed of.
    dropped : In(1)
        Pixels were dropped.
    computes : In(1)
        An image begins to be computed.
    complete : In(1)
        Its last logit leaves.
    given_up : In(1)
        Or it ends without logits.
    added : In(range(most + 1))
        Additions.
    stalled : In(1)
        No job is dealt out since its tile is not there.
    image : Out(IMAGE_WIDTH)
        Number of the image, for captures.
    computing : Out(1)
        It is being computed: pixels that come are those of the next one.
    cycles : Out(32)
    additions : Out(40)
    stalls : Out(32)
        As ``Core`` has them.
    """

    def __init__(self, most):
        super().__init__({
            "started": In(1),
            "waiting": In(1),
            "dropped": In(1),
            "computes": In(1),
            "complete": In(1),
            "given_up": In(1),
            "added": In(range(most + 1)),
            "stalled": In(1),
            "image": Out(IMAGE_WIDTH),
            "computing": Out(1),
            "cycles": Out(32),
            "additions": Out(40),
            "stalls": Out(32),
        })

    def elaborate(self, platform):
        m = Module()

        def seen(signal):
            late = Signal.like(signal, name_suffix="_late")
            m.d.sync += late.eq(signal)
            return late

        started, waiting, complete = seen(self.started), seen(self.waiting), seen(self.complete)
        dropped, computes = seen(self.dropped), seen(self.computes)
        ends = complete | seen(self.given_up)
        # Whether the cycles of an image are counted: it is computed, or its pixels come.
        counting = Signal()
        begins = started & (~counting | ends)

        elapsed = Signal.like(self.cycles)
        m.d.sync += elapsed.eq(elapsed + 1)
        with m.If(complete):
            m.d.sync += self.cycles.eq(elapsed)
        with m.If(computes):
            m.d.sync += self.computing.eq(1)
        with m.If(ends):
            m.d.sync += [self.computing.eq(0), self.image.eq(self.image + 1), counting.eq(waiting)]
        with m.If(started):
            m.d.sync += counting.eq(1)
        with m.If(dropped & ~self.computing):
            m.d.sync += counting.eq(0)
        # The last logit was a cycle ago, or the first pixel, whose own cycle counts. Constants come
        # last, so that they are the registers' reset or set and take no logic.
        with m.If(ends | begins):
            m.d.sync += [elapsed.eq(0), elapsed[0].eq(~begins), elapsed[1].eq(begins)]

        m.d.sync += self.additions.eq(self.additions + self.added)
        with m.If(seen(self.stalled)):
            m.d.sync += self.stalls.eq(self.stalls + 1)
        with m.If(computes):
            m.d.sync += [self.additions.eq(0), self.stalls.eq(0)]
        return m
