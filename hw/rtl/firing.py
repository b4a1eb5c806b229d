"""The firing unit: what becomes of a column's sums, a pair of output channels per cycle."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.pairs import PAIR
from .lane_address import lane_address
from .neuron import STAGES, Neuron, encoded


__all__ = ["FiringUnit"]


class FiringUnit(wiring.Component):
    """Takes the sums of a pair of lanes through their neurons.

    It knows where their words of neurons and of the residual stream lie, writes the stream back,
    and says what has fired, ``STAGES`` cycles after the release. Nothing ever waits.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    release : In(1)
        A pair is released; its sums follow as ``taken`` in the next cycle.
    pair : In(config.pair)
        Stays for a cycle more where its sums leave one by one.
    whole : In(1)
        The odd lane belongs to the job.
    result : In(config.result)
        Of the job that the pair belongs to.
    taken : In(signed(accumulator_width)).array(PAIR)
    neuron_address : Out(config.neuron_address)
    neurons : In(config.neurons)
        One cycle after their address.
    stream_read_address, stream_write_address : Out(config.residual_address)
    stream : In(signed(residual_width)).array(PAIR)
        One cycle after their address.
    stream_write : Out(1)
    stream_data : Out(signed(residual_width)).array(PAIR)
    fired : Out(1)
        The neurons are there.
    fired_pair, fired_whole : Out(config.pair), Out(1)
    fired_result : Out(config.result)
    value : Out(signed(result_width)).array(PAIR)
    count : Out(count_width).array(PAIR)
    code : Out(planes).array(PAIR)
        Bit ``b`` is the spike of plane ``b``.
    idle : Out(1)
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "release": In(1),
            "pair": In(config.pair),
            "whole": In(1),
            "result": In(config.result),
            "taken": In(signed(config.accumulator_width)).array(PAIR),
            "neuron_address": Out(config.neuron_address),
            "neurons": In(config.neurons),
            "stream_read_address": Out(config.residual_address),
            "stream": In(signed(config.residual_width)).array(PAIR),
            "stream_write": Out(1),
            "stream_write_address": Out(config.residual_address),
            "stream_data": Out(signed(config.residual_width)).array(PAIR),
            "fired": Out(1),
            "fired_pair": Out(config.pair),
            "fired_whole": Out(1),
            "fired_result": Out(config.result),
            "value": Out(signed(config.result_width)).array(PAIR),
            "count": Out(config.count_width).array(PAIR),
            "code": Out(config.planes).array(PAIR),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        pair, result, n_pairs = self.pair, self.result, self.config.pairs
        m.d.comb += [
            self.neuron_address.eq(lane_address(result.neuron, pair, lanes=n_pairs)),
            self.stream_read_address.eq(lane_address(result.stream, pair, lanes=n_pairs)),
        ]
        self._travel(m)
        for half in range(PAIR):
            m.submodules[f"neuron_{half}"] = neuron = Neuron(self.config)
            m.d.comb += [
                neuron.layer.eq(self.layer),
                neuron.taken.eq(self.taken[half]),
                neuron.neuron.eq(self.neurons[half]),
                neuron.before.eq(self.stream[half]),
                self.stream_data[half].eq(neuron.after),
                self.value[half].eq(neuron.value),
                self.count[half].eq(neuron.count),
                self.code[half].eq(encoded(self.config, neuron.count, half)),
            ]
        return m

    def _travel(self, m):
        """Takes release, pair, job and address along; stage 0 is the release itself."""
        config = self.config
        release, pair, whole, result = [self.release], [self.pair], [self.whole], [self.result]
        address = [self.stream_read_address]
        for along, name, last in (
            (release, "release", STAGES),
            (pair, "pair", STAGES),
            (whole, "whole", STAGES),
            (result, "result", STAGES),
            (address, "address", STAGES - 1),
        ):
            for stage in range(1, last + 1):
                along.append(Signal.like(along[0], name=f"{name}_{stage}"))
                m.d.sync += along[stage].eq(along[stage - 1])
        if config.branches:
            # What is written may have another place than what was read.
            m.d.sync += address[STAGES - 1].eq(address[STAGES - 2] + self.layer.stream_move)

        m.d.comb += [
            self.stream_write.eq(release[STAGES - 1] & self.layer.stream),
            self.stream_write_address.eq(address[STAGES - 1]),
            self.fired.eq(release[STAGES]),
            self.fired_pair.eq(pair[STAGES]),
            self.fired_whole.eq(whole[STAGES]),
            self.fired_result.eq(result[STAGES]),
            self.idle.eq(~Cat(release[1:]).any()),
        ]
