"""The firing unit: what becomes of a column's sums, one output channel per cycle."""

import numpy as np
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.spike import planes

from .choose_add import choose_add, choose_compare
from .lane_address import lane_address
from .signals import signals


__all__ = ["FiringUnit", "STAGES", "encoded"]


#: Cycles from a lane's release to its neuron's counts.
STAGES = 5


def encoded(config, count, lane):
    """A count as planes: bit ``b`` is the spike of plane ``b``.

    Parameters
    ----------
    config : CoreConfig
    count : Value
        ``count_width`` bits.
    lane : Value
        Number of its lane, which says which of the planes of equal weight it takes.
    """
    # At most two planes weigh the same.
    counts = np.arange(config.max_count + 1)
    even, odd = (planes(counts, config.spike_code, config.max_count, turn) for turn in (0, 1))
    one_hot = Cat(count == number for number in counts.tolist())
    return Cat(
        (one_hot & Mux(lane[0], _word(in_odd), _word(in_even))).any()
        for in_even, in_odd in zip(even, odd, strict=True)
    )


def _word(bits):
    """Constant of some bits, the first one lowest."""
    return C(sum(int(bit) << index for index, bit in enumerate(bits)), len(bits))


class FiringUnit(wiring.Component):
    """Adds bias and residual stream to a sum, writes the stream back, and fires.

    ``result = stream + (sum << shift) + bias``; the stream counts as 0 where the layer does not
    write it or starts it. A spike is fired for every threshold that the result has reached. One
    neuron per cycle, 5 cycles from the lane's release to ``fired``. Nothing ever waits.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    release : In(1)
        A lane is released; its sum follows as ``taken`` in the next cycle.
    lane : In(range(lanes))
    last : In(1)
        It is its job's last lane.
    result : In(config.result)
        Of the job that the lane belongs to.
    taken : In(signed(accumulator_width))
    neuron_address : Out(config.neuron_address)
    neuron : In(config.neuron)
        One cycle after its address.
    stream_read_address, stream_write_address : Out(config.residual_address)
    stream : In(signed(stream_width))
        One cycle after its address.
    stream_write : Out(1)
    stream_data : Out(signed(stream_width))
    fired : Out(1)
        A neuron is there.
    fired_lane, fired_last : Out(range(lanes)), Out(1)
    fired_result : Out(config.result)
    value : Out(signed(result_width))
    count : Out(count_width)
    code : Out(planes)
        Bit ``b`` is the spike of plane ``b``.
    idle : Out(1)
    """

    def __init__(self, config):
        self.config = config
        lane = range(config.lanes)
        super().__init__({
            "layer": In(config.layer),
            "release": In(1),
            "lane": In(lane),
            "last": In(1),
            "result": In(config.result),
            "taken": In(signed(config.accumulator_width)),
            "neuron_address": Out(config.neuron_address),
            "neuron": In(config.neuron),
            "stream_read_address": Out(config.residual_address),
            "stream": In(signed(config.residual_width)),
            "stream_write": Out(1),
            "stream_write_address": Out(config.residual_address),
            "stream_data": Out(signed(config.residual_width)),
            "fired": Out(1),
            "fired_lane": Out(lane),
            "fired_last": Out(1),
            "fired_result": Out(config.result),
            "value": Out(signed(config.result_width)),
            "count": Out(config.count_width),
            "code": Out(config.planes),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        lane, result = self.lane, self.result
        m.d.comb += [
            self.neuron_address.eq(lane_address(result.neuron, lane, lanes=config.lanes)),
            self.stream_read_address.eq(lane_address(result.stream, lane, lanes=config.lanes)),
        ]
        self._travel(m)
        reached = self._compare(m, *self._add(m))
        # Thresholds do not decrease, so the count is the number of ones.
        m.d.comb += [
            self.count.eq(sum(reached[j] for j in range(config.max_count))),
            self.code.eq(encoded(config, self.count, self.fired_lane)),
        ]
        return m

    def _travel(self, m):
        """Takes valid, lane, job and address along; stage 0 is the release itself."""
        config = self.config
        valid = [self.release]
        lane, last = [self.lane], [self.last]
        result = [self.result]
        for stage in range(1, STAGES + 1):
            valid.append(Signal(name=f"valid_{stage}"))
            lane.append(Signal.like(self.lane, name=f"lane_{stage}"))
            last.append(Signal(name=f"last_{stage}"))
            result.append(Signal(config.result, name=f"result_{stage}"))
            m.d.sync += [
                valid[stage].eq(valid[stage - 1]),
                lane[stage].eq(lane[stage - 1]),
                last[stage].eq(last[stage - 1]),
                result[stage].eq(result[stage - 1]),
            ]

        stream_address = [self.stream_read_address]
        for stage in range(1, STAGES):
            stream_address.append(
                Signal.like(self.stream_read_address, name=f"stream_address_{stage}")
            )
            m.d.sync += stream_address[stage].eq(stream_address[stage - 1])
        if config.branches:
            # What is written may have another place than what was read.
            m.d.sync += stream_address[-1].eq(stream_address[-2] + self.layer.stream_move)

        m.d.comb += [
            self.stream_write.eq(valid[4] & self.layer.stream),
            self.stream_write_address.eq(stream_address[4]),
            self.fired.eq(valid[STAGES]),
            self.fired_lane.eq(lane[STAGES]),
            self.fired_last.eq(last[STAGES]),
            self.fired_result.eq(result[STAGES]),
            self.idle.eq(~Cat(valid[1:]).any()),
        ]

    def _add(self, m):
        """Shifts the sum, adds bias, then stream. Returns the result, and the neuron beside it."""
        config = self.config
        wide = signed(config.result_width)
        potential = Signal(signed(config.accumulator_width))
        neuron_2, neuron_3, neuron_4 = (
            Signal(config.neuron, name=f"neuron_{stage}") for stage in (2, 3, 4)
        )
        stream_2, stream_3 = signals("stream_2 stream_3", signed(config.residual_width))
        shifted, total_3, biased, total_4, total_5 = signals(
            "shifted total_3 biased total_4 total_5", wide
        )
        # The shift, bit by bit; the adder of the bias chooses for the highest one.
        *low, high = self.layer.shift
        partial = potential
        for index, bit in enumerate(low):
            partial = Mux(bit, partial << (1 << index), partial)
        m.d.comb += shifted.eq(partial)
        m.submodules.bias = choose_add(
            choose=high,
            base=shifted,
            other=shifted << (1 << len(low)),
            addend=neuron_2.bias,
            total=total_3,
        )
        m.d.sync += [
            potential.eq(self.taken),
            neuron_2.eq(self.neuron),
            stream_2.eq(Mux(self.layer.stream & ~self.layer.first, self.stream, 0)),
            biased.eq(total_3),
            stream_3.eq(stream_2),
            neuron_3.eq(neuron_2),
            total_4.eq(biased + stream_3),
            neuron_4.eq(neuron_3),
            total_5.eq(total_4),
        ]
        m.d.comb += [self.stream_data.eq(total_4), self.value.eq(total_5)]
        return total_4, neuron_4

    def _compare(self, m, total, neuron):
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
            m.d.sync += second[-1].eq(total >= neuron.thresholds[j].as_signed())
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
