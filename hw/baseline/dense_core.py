"""A complete dense core: the dense engine in the shell that a network needs."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..rtl.memory import Memory
from ..rtl.signals import signals
from .addresses import DenseAddresses
from .dense_engine import DenseEngine
from .dense_shape import PROGRAM_WIDTH
from .operands import DenseOperands
from .results import DenseResults


__all__ = ["DenseCore"]


class DenseCore(wiring.Component):
    """A dense engine with weights, counts, residuals, thresholds and the program on chip.

    It stands beside a core that is complete, so its shell is as lean as could be written: no part
    ever waits, whatever needs arithmetic on addresses is in the program, and each memory has one
    word per cycle. What a compiler would still have to solve is taken for solved: weights are
    loaded in the order in which they are taken, keys lie transposed, tokens are summed for nothing.

    Parameters
    ----------
    shape : DenseShape

    Members
    -------
    load_write : In(3)
        Writes to the memories of ``shape.memories``, in their order.
    load_address, load_data : In
    start : In(1)
        The pixels of an image are stored.
    pixel_write, pixel_data : In
        A pixel, row-major.
    logits_valid, logits : Out
    idle : Out(1)
    """

    def __init__(self, shape):
        self.shape = shape
        memories = shape.memories.values()
        super().__init__({
            "load_write": In(len(shape.memories)),
            "load_address": In(range(max(depth for _, depth in memories))),
            "load_data": In(max(width for width, _ in memories)),
            "start": In(1),
            "pixel_write": In(1),
            "pixel_data": In(8 * shape.pixel_channels),
            "logits_valid": Out(1),
            "logits": Out(shape.units * shape.residual_width),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        shape, engine_size = self.shape, self.shape.engine
        m.submodules.engine = engine = DenseEngine(engine_size)
        m.submodules.addresses = addresses = DenseAddresses(shape)
        m.submodules.operands = operands = DenseOperands(shape)
        m.submodules.results = results = DenseResults(shape)
        layer = Signal(shape.layer)

        pixel = Signal.like(operands.pixel_address)
        with m.If(self.pixel_write):
            m.d.sync += pixel.eq(pixel + 1)
        with m.If(self.start):
            m.d.sync += pixel.eq(0)

        # What the addresses say reaches the engine two cycles later, with the counts.
        valid, last = signals("valid last", 2)
        flying = Signal(2 + engine_size.latency)
        m.d.sync += [
            valid.eq(Cat(addresses.running & ~addresses.fills, valid)),
            last.eq(Cat(addresses.last, last)),
            flying.eq(Cat(addresses.running, flying)),
        ]
        m.d.comb += [
            addresses.layer.eq(layer),
            operands.layer.eq(layer),
            operands.address.eq(addresses.count_address),
            operands.row.eq(addresses.row),
            operands.inside.eq(addresses.inside),
            operands.valid.eq(addresses.running),
            operands.pixel_write.eq(self.pixel_write),
            operands.pixel_address.eq(pixel),
            operands.pixel_data.eq(self.pixel_data),
            operands.write.eq(results.count_write),
            operands.write_address.eq(results.address),
            operands.write_data.eq(results.word),
            engine.valid.eq(valid[-1]),
            engine.last.eq(last[-1]),
            engine.counts.eq(operands.counts),
            results.layer.eq(layer),
            results.done.eq(engine.done),
            results.sums.eq(engine.sums),
            results.load.eq(self.load_write[1]),
            results.load_address.eq(self.load_address),
            results.load_data.eq(self.load_data),
            self.logits_valid.eq(results.logits_valid),
            self.logits.eq(results.logits),
        ]
        self._weights(m, engine, addresses, results)
        started = self._run(m, layer, addresses.running | flying.any() | ~results.idle)
        m.d.comb += [addresses.start.eq(started), results.start.eq(started)]
        return m

    def _weights(self, m, engine, addresses, results):
        """The memory of weights, a slice for each input: loaded, and written by attention."""
        shape = self.shape
        inputs, outputs, width = (
            shape.engine.inputs,
            shape.engine.outputs,
            shape.engine.weight_width,
        )
        loads = self.load_write[0]
        low = (inputs - 1).bit_length()
        for index in range(inputs):
            m.submodules[f"weights_{index}"] = memory = Memory(
                width=shape.slice_width, depth=shape.weight_depth
            )
            m.d.comb += [
                memory.write.valid.eq(
                    (loads & (self.load_address[:low] == index)) | results.weight_write[index]
                ),
                memory.write.address.eq(Mux(loads, self.load_address[low:], results.address)),
                memory.write.data.eq(Mux(loads, self.load_data, results.weights)),
                memory.reader.read.eq(1),
                memory.reader.address.eq(addresses.weight_address),
            ]
            # Counts take a cycle longer.
            word = Signal(shape.slice_width, name=f"word_{index}")
            m.d.sync += word.eq(memory.reader.data)
            for output in range(outputs):
                m.d.comb += engine.weights.word_select(output * inputs + index, width).eq(
                    word.word_select(output, width)
                )

    def _run(self, m, layer, busy):
        """Reads layer after layer from the program; returns when one starts."""
        shape = self.shape
        m.submodules.program = program = Memory(width=PROGRAM_WIDTH, depth=shape.program_depth)
        address = Signal.like(program.reader.address)
        words = Signal(shape.layer_words * PROGRAM_WIDTH)
        left = Signal(range(shape.layer_words + 1))
        fetched, started = signals("fetched started")
        m.d.comb += [
            program.write.valid.eq(self.load_write[2]),
            program.write.address.eq(self.load_address),
            program.write.data.eq(self.load_data),
            program.reader.read.eq(1),
            program.reader.address.eq(address),
            layer.eq(words),
        ]
        m.d.sync += fetched.eq(0)
        with m.If(fetched):
            m.d.sync += words.eq(Cat(words, program.reader.data)[PROGRAM_WIDTH:])
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(1)
                m.d.sync += address.eq(0)
                with m.If(self.start):
                    m.next = "FETCH"
                    m.d.sync += left.eq(shape.layer_words)
            with m.State("FETCH"):
                m.d.sync += [address.eq(address + 1), left.eq(left - 1), fetched.eq(1)]
                with m.If(left == 1):
                    m.next = "SETTLE"
            with m.State("SETTLE"), m.If(~fetched):
                m.d.comb += started.eq(1)
                m.next = "BEGIN"
            with m.State("BEGIN"):
                m.next = "RUN"
            with m.State("RUN"), m.If(~busy):
                m.d.sync += left.eq(shape.layer_words)
                m.next = "FETCH"
                with m.If(layer.final):
                    m.next = "IDLE"
        return started
