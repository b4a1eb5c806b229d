"""The firing unit: what becomes of a column's sums, a pair of output channels per cycle."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.pairs import PAIR
from .lane_address import lane_address
from .memory import placed_layout, read_port
from .neuron import STAGES, Neuron, encoded


__all__ = ["FiringUnit", "fired_signature"]


def fired_signature(config):
    """A pair of neurons that fired, where they are ``valid``.

    ``result`` is that of their job; the odd lane belongs to it where the pair is ``whole``. Bit
    ``b`` of a ``code`` is the spike of plane ``b``.
    """
    return wiring.Signature({
        "valid": Out(1),
        "pair": Out(config.pair),
        "whole": Out(1),
        "result": Out(config.result),
        "values": Out(signed(config.result_width)).array(PAIR),
        "counts": Out(config.count_width).array(PAIR),
        "codes": Out(config.planes).array(PAIR),
    })


class FiringUnit(wiring.Component):
    """Takes the sums of a pair of lanes through their neurons.

    It knows where their words of neurons and of the residual stream lie, writes the stream back,
    and says what has ``fired``, ``STAGES`` cycles after the release. Nothing ever waits.

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
    neurons : Out(read_port(neuron_address, neurons))
    before : Out(read_port(residual_address, PAIR * residual_width))
        The residual stream.
    after : Out(placed_layout(PAIR * residual_width, residual_depth))
        What it becomes.
    fired : Out(fired_signature(config))
    idle : Out(1)
    """

    def __init__(self, config):
        self.config = config
        stream = PAIR * config.residual_width
        super().__init__({
            "layer": In(config.layer),
            "release": In(1),
            "pair": In(config.pair),
            "whole": In(1),
            "result": In(config.result),
            "taken": In(signed(config.accumulator_width)).array(PAIR),
            "neurons": Out(read_port(config.neuron_address, config.neurons)),
            "before": Out(read_port(config.residual_address, stream)),
            "after": Out(placed_layout(stream, config.residual_depth)),
            "fired": Out(fired_signature(config)),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        pair, result, n_pairs = self.pair, self.result, self.config.pairs
        m.d.comb += [
            self.neurons.read.eq(1),
            self.neurons.address.eq(lane_address(result.neuron, pair, lanes=n_pairs)),
            self.before.read.eq(1),
            self.before.address.eq(lane_address(result.stream, pair, lanes=n_pairs)),
        ]
        self._travel(m)
        fired, width = self.fired, self.config.residual_width
        for half in range(PAIR):
            m.submodules[f"neuron_{half}"] = neuron = Neuron(self.config)
            m.d.comb += [
                neuron.layer.eq(self.layer),
                neuron.taken.eq(self.taken[half]),
                neuron.neuron.eq(self.neurons.data[half]),
                neuron.before.eq(self.before.data.word_select(half, width)),
                self.after.data.word_select(half, width).eq(neuron.after),
                fired.values[half].eq(neuron.value),
                fired.counts[half].eq(neuron.count),
                fired.codes[half].eq(encoded(self.config, neuron.count, half)),
            ]
        return m

    def _travel(self, m):
        """Takes release, pair, job and address along; stage 0 is the release itself."""
        config = self.config
        release, pair, whole, result = [self.release], [self.pair], [self.whole], [self.result]
        address = [self.before.address]
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
            self.after.valid.eq(release[STAGES - 1] & self.layer.stream),
            self.after.address.eq(address[STAGES - 1]),
            self.fired.valid.eq(release[STAGES]),
            self.fired.pair.eq(pair[STAGES]),
            self.fired.whole.eq(whole[STAGES]),
            self.fired.result.eq(result[STAGES]),
            self.idle.eq(~Cat(release[1:]).any()),
        ]
