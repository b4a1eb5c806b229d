"""The word reader: what one column finds in the words that all of them read."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.passes import additions_of
from ..isa.spike_word import word_layout
from .address_generator import step_layout
from .signals import signals


__all__ = ["READ_CYCLES", "WordReader"]


#: Cycles from a step to its word.
READ_CYCLES = 4


class WordReader(wiring.Component):
    """Reads the words of one column, and drops those without spikes.

    Of a word, the planes of one pass are used. Where a pass doubles, the first of its words with
    spikes is marked; if there is none, a word without spikes is sent in its place.

    Parameters
    ----------
    config : CoreConfig
    number : int
        Of the column.

    Members
    -------
    layer : In(config.layer)
    step : In(step_layout(config))
    base : In(config.source_address)
        What the column adds to the addresses of all steps.
    address : Out(config.source_address)
    spikes, pixel : In(spike_width), In(pixel_width)
        The words at ``address``, one cycle later.
    word : Out(word_layout(config))
    valid : Out(1)
        ``word`` is to be taken now.
    """

    def __init__(self, config, *, number):
        self.config = config
        self.number = number
        super().__init__({
            "layer": In(config.layer),
            "step": In(step_layout(config)),
            "base": In(config.source_address),
            "address": Out(config.source_address),
            "spikes": In(config.spike_width),
            "pixel": In(config.pixel_width),
            "word": Out(word_layout(config)),
            "valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        lanes, number = self.config.lanes, self.number
        # A step waits for its address and for the memories, then stands beside what they answered,
        # in registers since block RAMs are late.
        layout = step_layout(self.config)
        addressed, asked, read = signals("addressed asked read", layout)
        usable = Signal(lanes)
        spikes = Signal.like(self.spikes)
        pixel = Signal.like(self.pixel)
        m.d.sync += [
            self.address.eq(self.base + self.step.offset),
            addressed.eq(self.step),
            addressed.valid.eq(self.step.valid & self.step.jobs[number]),
            asked.eq(addressed),
            read.eq(asked),
            spikes.eq(self.spikes),
            pixel.eq(self.pixel),
            usable.eq(
                Mux(
                    self.layer.gather,
                    asked.mask.rotate_left(number % lanes),
                    asked.mask,
                )
            ),
        ]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(self.layer.pixels | ~asked.columns[number]):
            m.d.sync += usable.eq(0)
        # Where the MSB plane comes first, it adds the double once, which doubles once more.
        if self.config.splits:
            with m.If(asked.msb):
                m.d.sync += spikes[lanes:].eq(0)
            with m.If(asked.others):
                m.d.sync += spikes[:lanes].eq(0)

        word = Signal.like(self.word, name="found_word")
        found, ends, pending = signals("found ends pending")
        # Whether there are spikes is known from a few registers, each of some of them.
        chosen = Signal(lanes)
        spiking = Signal(-(-lanes // 4))
        first, *further = self._pass(spikes, read)
        pixel_first, *pixel_further = self._pixel_pass(pixel, read)
        m.d.comb += chosen.eq(first & usable | pixel_first)
        m.d.sync += [
            found.eq(read.valid),
            ends.eq(read.ends),
            word.double.eq(read.double),
            word.spikes.eq(chosen),
            word.row.eq(read.row),
            word.lanes.eq(read.lanes),
            word.last.eq(read.last),
            word.closes.line.eq(read.line_ends),
            word.closes.tile.eq(read.line_ends & read.closing[number]),
            spiking.eq(Cat(chosen[at : at + 4].any() for at in range(0, lanes, 4))),
        ]
        if self.config.two_bit_serial:
            (once, again), (pixel_once, pixel_again) = further, pixel_further
            m.d.sync += [
                word.once.eq(Mux(read.pixels, pixel_once, once)),
                # Where nothing is added at first, this bit does not matter.
                word.once[len(pixel_once) :].eq(once[len(pixel_once) :]),
                word.again.eq(again & usable | pixel_again),
            ]
            with m.If(read.msb):
                m.d.sync += word.again.eq(0)
        # A doubling waits for a word with spikes.
        with m.If(found):
            m.d.sync += pending.eq(self.word.double & ~self.valid)
        m.d.comb += [
            self.word.eq(word),
            self.word.double.eq(word.double | pending),
            self.valid.eq(found & (spiking.any() | word.last | (ends & self.word.double))),
        ]
        return m

    def _pass(self, spikes, step):
        """Spikes of a step's pass, followed by what ``additions_of`` says of two bits at once."""
        lanes = self.config.lanes
        found = [
            self._additions([spikes.word_select(plane, lanes) for plane in planes])
            for planes in self.config.passes
        ]
        if len(found) == 1:
            return found[0]
        return [
            reduce(
                or_,
                (
                    value & bit.replicate(lanes)
                    for value, bit in zip(values, step.chosen, strict=True)
                ),
            )
            for values in zip(*found, strict=True)
        ]

    def _pixel_pass(self, pixel, step):
        """The same of a pixel; nothing where the step reads none."""
        channels = [pixel.word_select(channel, 8) for channel in range(self.config.pixel_channels)]
        if self.config.pixel_constant:
            channels.append(C(self.config.pixel_constant, 8))
        inside = step.pixels & step.columns[self.number]
        # The most significant plane comes first.
        return self._additions([
            Cat(
                Cat(channel[::-1][plane] for plane in planes).bit_select(step.pixel_pass, 1)
                & inside
                for channel in channels
            )
            for planes in zip(*self.config.pixel_passes, strict=True)
        ])

    def _additions(self, planes):
        return additions_of(planes) if self.config.two_bit_serial else planes
