"""Results of a dense core: from the engine's sums to counts, weights of attention and logits."""

from amaranth import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from ..rtl.memory import Memory
from ..rtl.signals import signals
from .dense_firing import STAGES, DenseFiring


__all__ = ["DenseResults", "Destination"]


class Destination(enum.Enum, shape=2):
    """What becomes of the sums of a layer."""

    #: Counts, a word for each tile.
    COUNTS = 0
    #: Counts, as weights of the next layer: a slice of a word for each tile and position.
    VALUES = 1
    #: Sums, as weights of the next layer, a slice for each digit.
    SUMS = 2
    #: Totals, to the output.
    LOGITS = 3


class DenseResults(wiring.Component):
    """Takes the sums of a tile, some at a time, fires them and stores what becomes of them.

    The engine holds its sums until the next are there, which may be as many cycles later as there
    are outputs for each firing unit, or more; nothing ever waits.

    Parameters
    ----------
    shape : DenseShape

    Members
    -------
    layer : In(shape.layer)
    start : In(1)
        A layer begins.
    done, sums : In
        As ``DenseEngine`` gives them.
    load : In(1)
    load_address, load_data : In
        Write port of the memory of neurons.
    count_write, weight_write : Out(1), Out(inputs)
        A word of counts is to be stored, or slices of a word of weights.
    address : Out(shape.out_address)
    word : Out(word_width)
    weights : Out(slice_width)
    logits_valid, logits : Out(1), Out(units * residual_width)
    idle : Out(1)
    """

    def __init__(self, shape):
        self.shape = shape
        engine = shape.engine
        super().__init__({
            "layer": In(shape.layer),
            "start": In(1),
            "done": In(1),
            "sums": In(engine.outputs * engine.accumulator_width),
            "load": In(1),
            "load_address": In(range(shape.neuron_depth)),
            "load_data": In(shape.units * shape.neuron.size),
            "count_write": Out(1),
            "weight_write": Out(engine.inputs),
            "address": Out(shape.out_address),
            "word": Out(shape.word_width),
            "weights": Out(shape.slice_width),
            "logits_valid": Out(1),
            "logits": Out(shape.units * shape.residual_width),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        shape, layer, units = self.shape, self.layer, self.shape.units
        hands = shape.engine.outputs // units
        to_sums = layer.destination == Destination.SUMS.value

        # Sums are handed out, or stored digit by digit.
        handing = Signal()
        hand = Signal(range(max(2, hands, shape.digits)))
        ends = hand == Mux(to_sums, layer.digits, hands - 1)
        with m.If(handing):
            m.d.sync += hand.eq(hand + 1)
            with m.If(ends):
                m.d.sync += [handing.eq(0), hand.eq(0)]
        with m.If(self.done):
            m.d.sync += handing.eq(1)

        # Flags travel along with the sums.
        valid, closes = signals("valid closes", STAGES[1])
        m.d.sync += [
            valid.eq(Cat(handing & ~to_sums, valid)),
            closes.eq(Cat(handing & ends & ~to_sums, closes)),
        ]
        m.d.comb += self.idle.eq(~handing & ~valid.any() & ~self.done)

        totals, counts = self._fire(m, handing, hand, valid)
        m.d.comb += [
            self.logits.eq(totals),
            self.logits_valid.eq(
                valid[STAGES[0] - 1] & (layer.destination == Destination.LOGITS.value)
            ),
        ]
        with m.If(valid[-1]):
            m.d.sync += self.word.eq(Cat(self.word, counts)[len(counts) :])
        self._store(m, to_sums, handing, hand, closes[-1])
        return m

    def _fire(self, m, handing, hand, valid):
        """Firing units with their memories; returns their totals and their counts."""
        shape, layer, engine = self.shape, self.layer, self.shape.engine
        width, chosen = engine.accumulator_width, engine.accumulator_width * shape.units
        m.submodules.neurons = neurons = Memory(
            width=shape.units * shape.neuron.size, depth=shape.neuron_depth
        )
        m.submodules.residuals = residuals = Memory(
            width=shape.units * shape.residual_width, depth=shape.residual_depth
        )
        tile = Signal.like(layer.limits.tiles)
        residual, *later = signals(
            "residual later_1 later_2 later_3", residuals.reader.address.shape()
        )
        last_hand = hand == engine.outputs // shape.units - 1
        m.d.comb += [
            neurons.write.valid.eq(self.load),
            neurons.write.address.eq(self.load_address),
            neurons.write.data.eq(self.load_data),
            neurons.reader.read.eq(1),
            residuals.reader.read.eq(1),
            residuals.reader.address.eq(residual),
            residuals.write.valid.eq(valid[STAGES[0] - 1]),
            residuals.write.address.eq(later[-1]),
        ]
        neuron = Signal.like(neurons.reader.address)
        m.d.comb += neurons.reader.address.eq(neuron)
        m.d.sync += Cat(later).eq(Cat(residual, later))
        with m.If(handing):
            m.d.sync += [neuron.eq(neuron + 1), residual.eq(residual + 1)]
            with m.If(last_hand):
                m.d.sync += tile.eq(tile + 1)
                with m.If(tile == layer.limits.tiles):
                    m.d.sync += [tile.eq(0), neuron.eq(layer.neuron)]
        with m.If(self.start):
            m.d.sync += [neuron.eq(layer.neuron), residual.eq(layer.residual)]

        groups = Array(self.sums[low : low + chosen] for low in range(0, len(self.sums), chosen))
        potentials = groups[hand]
        totals, counts = [], []
        for unit in range(shape.units):
            m.submodules[f"unit_{unit}"] = firing = DenseFiring(shape)
            m.d.comb += [
                firing.layer.eq(layer),
                firing.potential.eq(potentials[unit * width : (unit + 1) * width]),
                firing.neuron.eq(neurons.reader.data.word_select(unit, shape.neuron.size)),
                firing.residual.eq(residuals.reader.data.word_select(unit, shape.residual_width)),
            ]
            totals.append(firing.total)
            counts.append(firing.count | C(0, engine.count_width))
        m.d.comb += residuals.write.data.eq(Cat(totals))
        return Cat(totals), Cat(counts)

    def _store(self, m, to_sums, handing, hand, closed):
        """Where a word or a slice goes."""
        shape, layer, engine = self.shape, self.layer, self.shape.engine
        width, part = engine.weight_width, engine.weight_width - 1
        stores, to_weights = signals("stores to_weights")
        m.d.sync += [
            stores.eq(Mux(to_sums, handing, closed)),
            to_weights.eq(to_sums | (layer.destination == Destination.VALUES.value)),
        ]
        slice_ = Signal(engine.inputs, init=1, name="slice")
        tile = Signal(range(2 ** len(layer.limits.tiles)), name="stored_tile")
        ends = tile == Mux(to_sums, layer.digits, layer.limits.tiles)
        with m.If(stores):
            m.d.sync += [
                tile.eq(tile + 1),
                self.address.eq(
                    self.address
                    + Mux(
                        ends,
                        Mux(slice_[-1] | ~to_weights, layer.out_steps[2], layer.out_steps[1]),
                        layer.out_steps[0],
                    )
                ),
            ]
            with m.If(ends):
                m.d.sync += [tile.eq(0), slice_.eq(slice_.rotate_left(1))]
        with m.If(self.start):
            m.d.sync += [tile.eq(0), slice_.eq(1), self.address.eq(layer.out)]

        digits = Array(
            Cat(
                Cat(
                    self.sums.word_select(output, engine.accumulator_width)[low : low + part],
                    C(0, 1),
                )
                for output in range(engine.outputs)
            )
            for low in range(0, shape.digits * part, part)
        )
        digit = Signal(shape.slice_width)
        m.d.sync += digit.eq(digits[hand])
        values = Cat(
            self.word.word_select(output, engine.count_width) | C(0, width)
            for output in range(engine.outputs)
        )
        stored = stores & (layer.destination != Destination.LOGITS.value)
        m.d.comb += [
            self.weights.eq(Mux(to_sums, digit, values)),
            self.weight_write.eq(Mux(stored & to_weights, slice_, 0)),
            self.count_write.eq(stored & ~to_weights),
        ]
