"""The word reader: what one column finds in the words that all of them read."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.passes import PIXEL_PLANES
from ..isa.spike_word import End, word_layout
from .maximum import Maximum
from .signals import signals
from .steps import step_layout


__all__ = ["READ_CYCLES", "WordReader"]


#: Cycles from a step to its word.
READ_CYCLES = 4


class WordReader(wiring.Component):
    """Reads the words of one column, and sends the planes of each to its banks.

    Planes without spikes are dropped, except for those of the word that ends a pass. Where a layer
    takes the ``maximum``, that one has the largest counts of all words of the pass, and all others
    are dropped.

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
        What is the same for all banks; its spikes mean nothing.
    silent : Out(lanes).array(banks)
        Lanes that have no spike for each.
    valid : Out(banks)
        ``word`` is to be taken now, by these.
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
            "silent": Out(config.lanes).array(config.banks),
            "valid": Out(config.banks),
        })

    def elaborate(self, platform):
        m = Module()
        lanes, number = self.config.lanes, self.number
        # A step waits for its address and for the memories, then stands beside what they answered,
        # in registers since block RAMs are late.
        layout = step_layout(self.config)
        addressed, asked, read = signals("addressed asked read", layout)
        usable, rotated = signals("usable rotated", lanes)
        spikes = Signal.like(self.spikes)
        constant = C(self.config.pixel_constant, PIXEL_PLANES if self.config.pixel_constant else 0)
        pixel = Signal(len(self.pixel) + len(constant), reset_less=True)
        m.d.sync += [
            self.address.eq(self.base + self.step.offset),
            addressed.eq(self.step),
            addressed.valid.eq(self.step.valid & self.step.jobs[number]),
            asked.eq(addressed),
            read.eq(asked),
            spikes.eq(self.spikes),
            pixel.eq(Cat(self.pixel, constant)),
            usable.eq(asked.mask),
            rotated.eq(asked.mask.rotate_left(number % lanes)),
        ]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        for mask, unused in ((usable, self.layer.gather), (rotated, ~self.layer.gather)):
            with m.If(unused | self.layer.pixels | ~asked.columns[number]):
                m.d.sync += mask.eq(0)
        # So are the bits of a pixel that other passes take.
        inside = asked.pixels & asked.columns[number]
        for turn, banks in enumerate(self.config.pixel_passes):
            with m.If(~inside | (asked.pixel_pass != turn)):
                for bit in {bank.bit for bank in banks} & set(range(PIXEL_PLANES)):
                    m.d.sync += [each.eq(0) for each in pixel[bit::PIXEL_PLANES]]

        found = Signal()
        m.d.sync += [
            found.eq(read.valid),
            self.word.row.eq(read.row),
            self.word.lanes.eq(read.lanes),
            self.word.ends.eq(read.ends),
            self.word.end.eq(
                Mux(
                    read.last,
                    Mux(read.line_ends, Mux(read.closing[number], End.TILE, End.LINE), End.JOB),
                    End.PASS,
                )
            ),
        ]
        counts, mask = spikes, usable | rotated
        if self.config.maximum:
            m.submodules.maximum = maximum = Maximum(self.config)
            m.d.comb += [
                maximum.taken.eq(self.layer.maximum),
                maximum.valid.eq(read.valid),
                maximum.ends.eq(read.ends),
                maximum.spikes.eq(spikes & mask.replicate(self.config.planes)),
            ]
            counts, mask = maximum.largest, C(1).replicate(lanes)
        # Whether there are spikes is known from a few registers, each of some of them.
        for bank, silent in enumerate(self.silent):
            chosen = Signal(lanes, name=f"chosen_{bank}")
            spiking = Signal(-(-lanes // 4), name=f"spiking_{bank}")
            spikes_there = spiking.any()
            if self.config.maximum:
                spikes_there &= ~self.layer.maximum
            m.d.comb += [
                chosen.eq(self._counts(bank, counts, read) & mask | self._pixels(bank, pixel)),
                self.valid[bank].eq(found & (spikes_there | self.word.ends)),
            ]
            m.d.sync += [
                silent.eq(~chosen),
                spiking.eq(Cat(chosen[at : at + 4].any() for at in range(0, lanes, 4))),
            ]
        return m

    def _counts(self, bank, spikes, step):
        """The plane of counts that a bank takes in a step's pass."""
        lanes, passes = self.config.lanes, self.config.passes
        planes = [spikes.word_select(planes[bank], lanes) for planes in passes]
        if len(passes) == 1:
            return planes[0]
        return reduce(
            or_,
            (plane & bit.replicate(lanes) for plane, bit in zip(planes, step.chosen, strict=True)),
        )

    def _pixels(self, bank, pixel):
        """The bits of a pixel that a bank takes, of which other passes' are 0."""
        taken = [banks[bank] for banks in self.config.pixel_passes]
        bits = [each.bit for each in taken if each.bit < PIXEL_PLANES]
        return Cat(
            Cat(pixel.word_select(lane, PIXEL_PLANES)[bit] for bit in bits).any()
            if taken[0].takes(lane)
            else C(0)
            for lane in range(len(pixel) // PIXEL_PLANES)
        )
