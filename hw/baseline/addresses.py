"""Addresses of a dense core: which counts and weights the engine takes in each cycle."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..rtl.signals import signals
from .dense_shape import LEVELS


__all__ = ["DenseAddresses"]


class DenseAddresses(wiring.Component):
    """Runs the six loops of a layer, a step per cycle.

    The address of counts changes by a number that the layer has for each loop. Weights lie in the
    order in which they are taken, and are taken again for each position. A tap outside
    of the map has an address all the same: ``inside`` is low.

    Parameters
    ----------
    shape : DenseShape

    Members
    -------
    layer : In(shape.layer)
        Stable from ``start`` on.
    start : In(1)
    running : Out(1)
        Counts and weights are taken in this cycle; the first in the cycle after ``start``.
    fills : Out(1)
        They only fill windows.
    last : Out(1)
        They are the last of their dot products.
    inside : Out(1)
    count_address, weight_address : Out
    row : Out(3)
        Row of the kernel.
    """

    def __init__(self, shape):
        self.shape = shape
        layout = shape.layer
        super().__init__({
            "layer": In(layout),
            "start": In(1),
            "running": Out(1),
            "fills": Out(1),
            "last": Out(1),
            "inside": Out(1),
            "count_address": Out(layout["count"].shape),
            "weight_address": Out(layout["weight"].shape),
            "row": Out(layout["limits"].shape["taps_down"].shape),
        })

    def elaborate(self, platform):
        m = Module()
        layer = self.layer
        counters = [Signal.like(layer.limits[name], name=name) for name in LEVELS]
        ends = [
            counter == layer.limits[name] for counter, name in zip(counters, LEVELS, strict=True)
        ]
        # Loop k steps where all inner ones end; where all end, the layer does.
        over = [C(1)]
        for end in ends:
            over.append(over[-1] & end)
        step = layer.steps[len(LEVELS) - 1]
        for level in reversed(range(len(LEVELS) - 1)):
            step = Mux(ends[level], step, layer.steps[level])

        across, left, down, top = signals("across left down top", layer.left.shape())
        m.d.comb += [
            self.last.eq(over[3]),
            self.inside.eq((across < layer.width) & (down < layer.height)),
            self.fills.eq(counters[4] < layer.primes),
            self.row.eq(counters[2]),
        ]
        with m.If(self.running):
            m.d.sync += [
                self.count_address.eq(self.count_address + step),
                self.weight_address.eq(self.weight_address + 1),
            ]
            for level, counter in enumerate(counters):
                with m.If(over[level]):
                    m.d.sync += counter.eq(counter + 1)
                with m.If(over[level + 1]):
                    m.d.sync += counter.eq(0)
            with m.If(over[1]):
                m.d.sync += across.eq(across + 1)
            with m.If(over[2]):
                m.d.sync += [across.eq(left), down.eq(down + 1)]
            with m.If(over[3]):
                m.d.sync += down.eq(top)
            with m.If(over[4]):
                m.d.sync += [
                    left.eq(left + layer.stride),
                    across.eq(left + layer.stride),
                    self.weight_address.eq(layer.weight),
                ]
            with m.If(over[5]):
                m.d.sync += [
                    left.eq(layer.left),
                    across.eq(layer.left),
                    top.eq(top + layer.stride),
                    down.eq(top + layer.stride),
                ]
            with m.If(over[6]):
                m.d.sync += self.running.eq(0)
        with m.If(self.start):
            m.d.sync += [
                self.running.eq(1),
                self.count_address.eq(layer.count),
                self.weight_address.eq(layer.weight),
                across.eq(layer.left),
                left.eq(layer.left),
                down.eq(layer.top),
                top.eq(layer.top),
            ]
        return m
