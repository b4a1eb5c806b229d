"""The neuron: what becomes of one output channel's sum."""

import numpy as np
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.spike import planes

from .choose_add import choose_compare
from .signals import signals


__all__ = ["STAGES", "Neuron", "encoded"]


#: Cycles from a lane's release to its neuron's count.
STAGES = 5


def encoded(config, count, half):
    """A count as planes: bit ``b`` is the spike of plane ``b``.

    Parameters
    ----------
    config : CoreConfig
    count : Value
        ``count_width`` bits.
    half : int
        0 for even lanes, 1 for odd ones, which take the planes of equal weight in turn.
    """
    counts = np.arange(config.max_count + 1)
    one_hot = Cat(count == number for number in counts.tolist())
    return Cat(
        (one_hot & _word(fires)).any()
        for fires in planes(counts, config.spike_code, config.max_count, half)
    )


def _word(bits):
    """Constant of some bits, the first one lowest."""
    return C(sum(int(bit) << index for index, bit in enumerate(bits)), len(bits))


class Neuron(wiring.Component):
    """Adds bias and residual stream to a sum, and counts the thresholds that are reached.

    ``result = stream + sum + bias``; the stream counts as 0 where the layer does not
    write it or starts it. One sum per cycle, ``STAGES`` cycles from the lane's release to its
    count. Nothing ever waits.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    taken : In(signed(accumulator_width))
        The sum, one cycle after the release.
    neuron : In(config.neuron)
    before : In(signed(residual_width))
        Stream value. Both come like the sum.
    after : Out(signed(result_width))
        The result, four cycles after the release: the new stream value.
    value : Out(signed(result_width))
        The same, one cycle later.
    count : Out(count_width)
        Thresholds that it has reached.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "taken": In(signed(config.accumulator_width)),
            "neuron": In(config.neuron),
            "before": In(signed(config.residual_width)),
            "after": Out(signed(config.result_width)),
            "value": Out(signed(config.result_width)),
            "count": Out(config.count_width),
        })

    def elaborate(self, platform):
        m = Module()
        reached = self._compare(m, self._add(m))
        # Thresholds do not decrease, so the count is the number of ones.
        m.d.comb += self.count.eq(sum(reached[j] for j in range(self.config.max_count)))
        return m

    def _add(self, m):
        """Adds bias, then stream. Returns the neuron beside the result."""
        config = self.config
        wide = signed(config.result_width)
        potential = Signal(signed(config.accumulator_width))
        neuron_2, neuron_3, neuron_4 = (
            Signal(config.neuron, name=f"neuron_{stage}") for stage in (2, 3, 4)
        )
        stream_2, stream_3 = signals("stream_2 stream_3", signed(config.residual_width))
        biased = Signal(wide)
        m.d.sync += [
            potential.eq(self.taken),
            neuron_2.eq(self.neuron),
            stream_2.eq(Mux(self.layer.stream & ~self.layer.first, self.before, 0)),
            biased.eq(potential + neuron_2.bias),
            stream_3.eq(stream_2),
            neuron_3.eq(neuron_2),
            self.after.eq(biased + stream_3),
            neuron_4.eq(neuron_3),
            self.value.eq(self.after),
        ]
        return neuron_4

    def _compare(self, m, neuron):
        """Which thresholds the result has reached: every second one is compared in one cycle.

        In the next one, only the threshold between the highest of these that it has reached and the
        one behind it is left.
        """
        max_count = self.config.max_count
        late = Signal(self.config.neuron, name="neuron_5")
        m.d.sync += late.eq(neuron)
        second = []
        for j in range(1, max_count, 2):
            second.append(Signal(name=f"reached_{j}"))
            m.d.sync += second[-1].eq(self.after >= neuron.thresholds[j].as_signed())
        left, *further = (late.thresholds[j] for j in range(0, max_count, 2))
        *passed, choose = second[: len(further)] or [C(0)]
        for chosen, threshold in zip(passed, further, strict=False):
            left = Mux(chosen, threshold, left)
        fits = Signal()
        value = Signal(signed(self.config.threshold_width))
        m.d.comb += value.eq(self.value)
        m.submodules.compare = choose_compare(
            choose=choose, base=left, other=[left, *further][-1], value=value, fits=fits
        )
        below, above = [C(1), *second], [*second, C(0)]
        return Cat(
            second[j // 2] if j % 2 else above[j // 2] | (below[j // 2] & fits)
            for j in range(max_count)
        )
