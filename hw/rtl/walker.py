"""The tap walker: which pixels or spikes a job reads, and which rows they select."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..isa.passes import additions_of
from .choose_add import choose_add
from .signals import signals


__all__ = ["UNDER_WAY", "Walker", "word_layout"]


#: Words that were asked for, or stand in a register, at most.
UNDER_WAY = 3


def word_layout(config):
    """Layout of a spike word on its way to the finder.

    ``row`` is the row of the word's first spike, ``lanes`` the number of additions that each spike
    counts as. A word marked ``double`` doubles the sums before it adds; the one marked ``last``
    closes the job. In the graded code, a spike whose ``once`` is low adds the double of its row,
    and one whose ``again`` is high adds the double (once more) after that.
    """
    lanes = config.lanes
    return data.StructLayout({
        "spikes": lanes,
        **({"once": lanes, "again": lanes} if config.two_bit_serial else {}),
        "row": config.row_address,
        "lanes": range(lanes + 1),
        "double": 1,
        "last": 1,
    })


class _Loops:
    """Nested loops, the innermost first, which know from registers where they are.

    Comparing counters in the cycle that needs them made the slowest path of the column.

    Parameters
    ----------
    numbers : list of Value
        How often each loop runs, less one.
    """

    def __init__(self, numbers):
        self._numbers = numbers
        #: Rounds of each loop that have begun.
        self.begun = [
            Signal.like(number, init=1, name=f"begun_{index}")
            for index, number in enumerate(numbers)
        ]
        #: Whether each loop is in its last round, and whether all inside it are, too.
        self.last = [Signal(init=1, name=f"last_{index}") for index in range(len(numbers))]
        self.ends = [Signal(init=1, name=f"ends_{index}") for index in range(len(numbers))]
        self._once = [Signal(name=f"once_{index}") for index in range(len(numbers))]

    def start(self, m, once):
        """Begins anew; ``once`` says of each loop whether it runs only once."""
        inside = C(1)
        for begun, last, ends, single, known in zip(
            self.begun, self.last, self.ends, once, self._once, strict=True
        ):
            inside = inside & single
            m.d.sync += [begun.eq(1), last.eq(single), ends.eq(inside), known.eq(single)]

    def advance(self, m):
        """Goes on to the next round; not from the last one of all."""
        moves = inside = C(1)
        for number, begun, last, ends, once in zip(
            self._numbers, self.begun, self.last, self.ends, self._once, strict=True
        ):
            following = Mux(moves, Mux(last, once, begun == number), last)
            inside = inside & following
            m.d.sync += [last.eq(following), ends.eq(inside)]
            with m.If(moves):
                m.d.sync += begun.eq(begun + 1)
            with m.If(ends):
                m.d.sync += begun.eq(1)
            moves = ends


class Walker(wiring.Component):
    """Reads the spike words of one output position, pass by pass.

    The order is digits of the rows' entries and passes (most significant first), then the lines
    whose taps lie inside the map, then the words of each line. One word is read per cycle, of which
    the planes of one pass are used; if they have no spikes, it is dropped. Where passes or digits
    double, their first word with spikes is marked; if there is none, a word without spikes is sent
    in its place. Doublings before that one, which ``CoreConfig`` counts, are doubling-only words.

    Latency is 3 cycles from the first read to its word. A job follows the one before without a
    gap. ``space`` low stops reading; up to ``UNDER_WAY`` words then still come.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
        Stable from a cycle before a job's start to its last word.
    job : In(stream.Signature(config.job))
    address : Out(config.source_address)
    spikes, pixel : In(spike_width), In(pixel_width)
        The words at ``address``, one cycle later.
    space : In(1)
    word : Out(word_layout(config))
    valid : Out(1)
        ``word`` is to be taken now.
    idle : Out(1)
        No job is at work and no word under way.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "layer": In(config.layer),
            "job": In(stream.Signature(config.job)),
            "address": Out(config.source_address),
            "spikes": In(config.spike_width),
            "pixel": In(config.pixel_width),
            "space": In(1),
            "word": Out(word_layout(config)),
            "valid": Out(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        layer = self.layer
        lanes = self.config.lanes
        pass_marks = self.config.doubling_words_per_pass
        digit_marks = self.config.doubling_words_per_digit

        job = Signal(self.config.job)
        offered = self.job.p
        busy = Signal()
        issue = Signal()
        m.d.comb += issue.eq(busy & self.space)
        # Doublings, less one, that are left in front of a pass: as many bits are set.
        marks = Signal(max(1, pass_marks, digit_marks))
        mark = marks[0]

        loops = _Loops([job.words, job.lines, layer.passes, layer.digits])
        last_word, last_line, last_pass, last_digit = loops.ends
        last = last_digit & ~mark
        start = self.job.valid & self.job.ready
        m.d.comb += self.job.ready.eq(~busy | (issue & last))

        # From each word to the next; jumps begin at the last word of a line, each pass reads the
        # same words, and the next job begins where it says.
        word = Signal(self.config.source_address)
        next_word, jump = signals("next_word jump", word.shape())
        with m.If(~last_word):
            m.d.comb += jump.eq(layer.word_stride)
        with m.Elif(~last_line):
            m.d.comb += jump.eq(job.line_jump)
        m.submodules.next_word = choose_add(
            choose=last_line,
            base=word,
            other=Mux(last_digit, offered.spike, job.spike),
            addend=jump,
            total=next_word,
        )
        m.d.comb += self.address.eq(word)

        # Rows go on likewise; a pass begins where its digit does.
        row = Signal(self.config.row_address)
        next_row, row_jump = signals("next_row row_jump", row.shape())
        with m.If(~last_word):
            m.d.comb += row_jump.eq(layer.row_step)
        with m.Elif(~last_line):
            m.d.comb += row_jump.eq(job.row_jump)
        with m.Elif(last_pass & ~last_digit):
            m.d.comb += row_jump.eq(layer.digit_stride)
        m.submodules.next_row = choose_add(
            choose=last_line,
            base=row,
            other=Mux(last_digit, offered.row, job.row),
            addend=row_jump,
            total=next_row,
        )

        first_word = Signal()
        doubled = Signal()
        with m.If(issue & mark):
            m.d.sync += marks.eq(marks >> 1)
        with m.If(issue & ~mark):
            m.d.sync += [
                word.eq(next_word),
                row.eq(next_row),
                first_word.eq(last_word),
                doubled.eq(last_line & (layer.double | last_pass)),
            ]
            with m.If(last_line):
                m.d.sync += marks.eq(Mux(layer.double & ~layer.fours, _ones(pass_marks), 0))
            with m.If(last_pass):
                m.d.sync += [job.row.eq(next_row), marks.eq(_ones(digit_marks))]
            with m.If(last_digit):
                m.d.sync += [busy.eq(0), marks.eq(0)]
            with m.Else():
                loops.advance(m)
        # Of the layer this is known long before its first job.
        one_pass, one_digit = signals("one_pass one_digit")
        m.d.sync += [one_pass.eq(layer.passes == 0), one_digit.eq(layer.digits == 0)]
        with m.If(start):
            m.d.sync += [
                job.eq(offered),
                busy.eq(1),
                word.eq(next_word),
                row.eq(next_row),
                job.row.eq(next_row),
                first_word.eq(1),
                doubled.eq(0),
            ]
            loops.start(m, [offered.words == 0, offered.lines == 0, one_pass, one_digit])

        masked = first_word | layer.gather
        # A step waits for the memories, then stands beside what they answered, in registers since
        # block memories are late. Its spikes are those that may be used, in the pass that is.
        n_passes = len(self.config.passes)
        step = data.StructLayout({
            "valid": 1,
            "word": word_layout(self.config),
            "ends": 1,
            "chosen": n_passes,
            "pixels": 1,
            "fours": 1,
            "others": 1,
            "pixel_pass": range(len(self.config.pixel_passes)),
        })
        asked, read = signals("asked read", step)
        spikes = Signal.like(self.spikes)
        pixel = Signal.like(self.pixel)
        m.d.sync += [
            asked.valid.eq(issue),
            asked.word.spikes.eq(
                (job.first_mask | ~masked.replicate(lanes))
                & (job.last_mask | ~last_word.replicate(lanes))
            ),
            asked.word.row.eq(row),
            # An entry is one addition, however many digits it has.
            asked.word.lanes.eq(Mux(loops.last[3], job.lanes, 0)),
            asked.word.double.eq(doubled),
            asked.word.last.eq(last),
            asked.ends.eq(last_line | mark),
            asked.chosen.eq(Cat(loops.begun[2] == index + 1 for index in range(n_passes))),
            asked.pixels.eq(layer.pixels & ~mark),
            asked.fours.eq(layer.fours & (loops.begun[2] == 1)),
            asked.others.eq(layer.fours & (loops.begun[2] != 1)),
            asked.pixel_pass.eq(loops.begun[2] - 1),
            read.eq(asked),
            spikes.eq(self.spikes),
            pixel.eq(self.pixel),
        ]
        # Clearing comes last, so that it is the registers' reset and takes no logic.
        with m.If(layer.pixels | mark):
            m.d.sync += asked.word.spikes.eq(0)
        # Where fours come first, they add the double once, which doubles once more.
        if self.config.splits:
            with m.If(asked.fours):
                m.d.sync += spikes[lanes:].eq(0)
            with m.If(asked.others):
                m.d.sync += spikes[:lanes].eq(0)
        found, ends = signals("found ends")
        found_word = Signal(word_layout(self.config))
        # A doubling that waits for a word with spikes.
        pending = Signal()
        double = found_word.double | pending
        m.d.sync += [
            found.eq(read.valid),
            ends.eq(read.ends),
            found_word.eq(read.word),
        ]
        first, *further = self._pass(spikes, read)
        pixel_first, *pixel_further = self._pixel_pass(pixel, read)
        # Whether there are any is known from a few registers, each of some of them.
        chosen = Signal(lanes)
        spiking = Signal(-(-lanes // 4))
        m.d.comb += chosen.eq(first & read.word.spikes | pixel_first)
        m.d.sync += [
            found_word.spikes.eq(chosen),
            spiking.eq(Cat(chosen[at : at + 4].any() for at in range(0, lanes, 4))),
        ]
        if self.config.two_bit_serial:
            (once, again), (pixel_once, pixel_again) = further, pixel_further
            m.d.sync += [
                found_word.once.eq(Mux(read.pixels, pixel_once, once)),
                # Where nothing is added at first, this bit does not matter.
                found_word.once[len(pixel_once) :].eq(once[len(pixel_once) :]),
                found_word.again.eq(again & read.word.spikes | pixel_again),
            ]
            with m.If(read.fours):
                m.d.sync += found_word.again.eq(0)
        with m.If(found):
            m.d.sync += pending.eq(double & ~self.valid)
        m.d.comb += [
            self.word.eq(found_word),
            self.word.double.eq(double),
            self.valid.eq(found & (spiking.any() | found_word.last | (ends & double))),
            self.idle.eq(~busy & ~asked.valid & ~read.valid & ~found),
        ]

        return m

    def _pass(self, spikes, step):
        """Spikes of a step's pass, followed in the graded code by what ``additions_of`` says."""
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
        # The most significant plane comes first.
        return self._additions([
            Cat(
                Cat(channel[::-1][plane] for plane in planes).bit_select(step.pixel_pass, 1)
                & step.pixels
                for channel in channels
            )
            for planes in zip(*self.config.pixel_passes, strict=True)
        ])

    def _additions(self, planes):
        return additions_of(planes) if self.config.two_bit_serial else planes


def _ones(number):
    """A number with so many bits set."""
    return (1 << number) - 1
