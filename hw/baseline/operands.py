"""Operands of a dense core: words of counts, masked, and windows of depthwise layers."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..rtl.memory import Memory
from ..rtl.signals import signals


__all__ = ["DenseOperands"]


class DenseOperands(wiring.Component):
    """Reads a word of counts per cycle, and gives each output of the engine its counts.

    A dense layer gives all outputs the same word: channels of one tap. A depthwise layer gives
    each output the taps of its own channel: they are collected in a window for each row of the
    kernel, which a block RAM holds, into which a word shifts. Counts are there two cycles after
    their address.

    Parameters
    ----------
    shape : DenseShape

    Members
    -------
    layer : In(shape.layer)
    address, row, inside, valid : In
        As ``DenseAddresses`` gives them.
    pixel_write, pixel_address, pixel_data : In
        Write port of the memory of pixels.
    write, write_address, write_data : In
        Write port of the memory of counts.
    counts : Out(outputs * inputs * count_width)
    """

    def __init__(self, shape):
        self.shape = shape
        engine = shape.engine
        super().__init__({
            "layer": In(shape.layer),
            "address": In(shape.count_address),
            "row": In(3),
            "inside": In(1),
            "valid": In(1),
            "pixel_write": In(1),
            "pixel_address": In(range(shape.pixel_depth)),
            "pixel_data": In(8 * shape.pixel_channels),
            "write": In(1),
            "write_address": In(shape.count_address),
            "write_data": In(shape.word_width),
            "counts": Out(engine.operations * engine.count_width),
        })

    def elaborate(self, platform):
        m = Module()
        shape, engine, layer = self.shape, self.shape.engine, self.layer
        width = engine.count_width
        m.submodules.stored = stored = Memory(width=shape.word_width, depth=shape.count_depth)
        m.submodules.pixels = pixels = Memory(
            width=8 * shape.pixel_channels, depth=shape.pixel_depth
        )
        m.submodules.windows = windows = Memory(width=engine.inputs * shape.word_width, depth=8)
        inside, valid, shifts = signals("inside valid shifts")
        row, shifted_row = signals("row shifted_row", self.row.shape())
        word = Signal(shape.word_width)
        m.d.comb += [
            stored.write.valid.eq(self.write),
            stored.write.address.eq(self.write_address),
            stored.write.data.eq(self.write_data),
            stored.reader.read.eq(1),
            stored.reader.address.eq(self.address),
            pixels.write.valid.eq(self.pixel_write),
            pixels.write.address.eq(self.pixel_address),
            pixels.write.data.eq(self.pixel_data),
            pixels.reader.read.eq(1),
            pixels.reader.address.eq(self.address),
        ]
        digits = [
            Cat(
                pixels.reader.data.word_select(channel, 8)[low : low + width] | C(0, width)
                for channel in range(shape.pixel_channels)
            )
            for low in range(0, 8, width)
        ]
        m.d.sync += [
            inside.eq(self.inside),
            valid.eq(self.valid),
            row.eq(self.row),
            word.eq(Mux(layer.pixels, Array(digits)[layer.digit], stored.reader.data)),
            shifts.eq(valid & layer.depthwise),
            shifted_row.eq(row),
        ]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(~inside):
            m.d.sync += word.eq(0)

        window = Cat(windows.reader.data[shape.word_width :], word)
        m.d.comb += [
            windows.reader.read.eq(1),
            windows.reader.address.eq(row),
            windows.write.valid.eq(shifts),
            windows.write.address.eq(shifted_row),
            windows.write.data.eq(window),
        ]
        for output in range(engine.outputs):
            for number in range(engine.inputs):
                tap = window.word_select(number, shape.word_width)
                m.d.comb += self.counts.word_select(output * engine.inputs + number, width).eq(
                    Mux(
                        layer.depthwise,
                        tap.word_select(output, width),
                        word.word_select(number, width),
                    )
                )
        return m
