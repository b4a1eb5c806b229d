"""The firing unit of a dense core: residual, thresholds, count."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


__all__ = ["DenseFiring", "STAGES"]


#: Cycles from a sum to its total, and to its count.
STAGES = (3, 4)


class DenseFiring(wiring.Component):
    """``total = residual + (sum << shift) + bias``, and the number of thresholds that it reaches.

    Parameters
    ----------
    shape : DenseShape

    Members
    -------
    layer : In(shape.layer)
    potential : In(signed(accumulator_width))
    neuron, residual : In
        One cycle after the sum.
    total : Out(signed(residual_width))
        Three cycles after the sum.
    count : Out(count_width)
        Four cycles after it.
    """

    def __init__(self, shape):
        self.shape = shape
        super().__init__({
            "layer": In(shape.layer),
            "potential": In(signed(shape.engine.accumulator_width)),
            "neuron": In(shape.neuron),
            "residual": In(signed(shape.residual_width)),
            "total": Out(signed(shape.residual_width)),
            "count": Out(range(shape.max_count + 1)),
        })

    def elaborate(self, platform):
        m = Module()
        potential = Signal.like(self.potential)
        biased, residual = Signal.like(self.total), Signal.like(self.residual)
        neurons = [Signal.like(self.neuron, name=f"neuron_{stage}") for stage in (2, 3)]
        reached = Signal(self.shape.max_count)
        thresholds = [neurons[1].thresholds[index] for index in range(len(reached))]
        m.d.sync += [
            potential.eq(self.potential),
            biased.eq((potential << self.layer.shift) + self.neuron.bias.as_signed()),
            residual.eq(self.residual),
            neurons[0].eq(self.neuron),
            self.total.eq(biased + residual),
            neurons[1].eq(neurons[0]),
            reached.eq(Cat(self.total >= threshold.as_signed() for threshold in thresholds)),
        ]
        # Clearing comes last, so that it is the register's reset and takes no logic.
        with m.If(~self.layer.adds):
            m.d.sync += residual.eq(0)
        # Thresholds do not decrease, so the count is the number of ones.
        m.d.comb += self.count.eq(sum(reached[bit] for bit in range(len(reached))))
        return m
