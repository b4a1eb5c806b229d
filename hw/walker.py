"""The tap walker: which words of the spike memory a job reads, and which rows they select."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.spike import SpikeCode


__all__ = ["Walker", "word_layout"]


def word_layout(capacities):
    """Layout of a spike word on its way to the finder.

    ``row`` is the row of the word's first spike, ``lanes`` the number of additions that each spike
    counts as. A word marked ``double`` doubles the sums before it adds; the one marked ``last``
    closes the job.
    """
    return data.StructLayout({
        "spikes": capacities.lanes,
        "row": capacities.row_address,
        "lanes": range(capacities.lanes + 1),
        "double": 1,
        "last": 1,
    })


class _Countdown:
    """A counter that knows from a register whether it has reached zero.

    Comparing the counters in the cycle that needs them made the slowest path of the column.
    """

    def __init__(self, like):
        self.count = Signal.like(like)
        self.zero = Signal()

    def start(self, value):
        """Statements that begin to count from ``value``."""
        return [self.count.eq(value), self.zero.eq(value == 0)]

    def decrement(self):
        """Statements that count one down."""
        return [self.count.eq(self.count - 1), self.zero.eq(self.count == 1)]


class Walker(wiring.Component):
    """Reads the spike words of one output position, plane by plane.

    The order is digits of the rows' entries and planes (most significant first), then the lines
    whose taps lie inside the map, then the words of each line. One word is read per cycle; a word
    without spikes is dropped. Where planes or digits double, their first word with spikes is
    marked; if there is none, a word without spikes is sent in its place.

    A digit has as many bits as there are bit planes, so that one doubling leads from the last plane
    of a digit to the first of the next. Planes of thermometer code all weigh the same; there a
    digit begins with as many doublings as it has bits, and all but the last are words of their own.

    Latency is 2 cycles from the first read to its word. A job follows the one before without a
    gap. ``space`` low stops reading; up to 2 words are then still under way.

    Parameters
    ----------
    capacities : Capacities

    Members
    -------
    layer : In(capacities.layer)
        Stable from a job's start to its last word.
    job : In(stream.Signature(capacities.job))
    address : Out(capacities.spike_address)
    spikes : In(lanes)
        The word at ``address``, one cycle later.
    space : In(1)
    word : Out(word_layout(capacities))
    valid : Out(1)
        ``word`` is to be taken now.
    idle : Out(1)
        No job is at work and no word under way.
    """

    def __init__(self, capacities):
        self.capacities = capacities
        super().__init__({
            "layer": In(capacities.layer),
            "job": In(stream.Signature(capacities.job)),
            "address": Out(capacities.spike_address),
            "spikes": In(capacities.lanes),
            "space": In(1),
            "word": Out(word_layout(capacities)),
            "valid": Out(1),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        layer = self.layer
        thermometer = self.capacities.spike_code is SpikeCode.THERMOMETER

        job = Signal(self.capacities.job)
        busy = Signal()
        issue = Signal()
        m.d.comb += issue.eq(busy & self.space)
        # Doublings, less one, that are left in front of a digit.
        marks = Signal(range(self.capacities.digit_width)) if thermometer else C(0)
        mark = marks.any()

        # Down counters of what is left, and where words, lines and planes began.
        words = _Countdown(job.words)
        lines = _Countdown(job.lines)
        planes = _Countdown(layer.planes)
        digits = _Countdown(layer.digits)
        word = Signal(self.capacities.spike_address)
        line, plane = Signal.like(word), Signal.like(word)
        row = Signal(self.capacities.row_address)
        next_digit = Signal.like(row)
        first_word = Signal()
        doubled = Signal()

        last_word = words.zero
        last_line = last_word & lines.zero
        last_plane = last_line & planes.zero
        last = Signal()
        m.d.comb += [last.eq(last_plane & digits.zero & ~mark),
                     next_digit.eq(job.row + layer.digit_stride)]

        base = Signal.like(word)
        step = Signal.like(word)
        target = Signal.like(word)
        with m.If(~last_word):
            m.d.comb += [base.eq(word), step.eq(layer.word_stride)]
        with m.Elif(~last_line):
            m.d.comb += [base.eq(line), step.eq(layer.line_stride)]
        with m.Elif(~last_plane):
            m.d.comb += [base.eq(plane), step.eq(layer.plane_stride)]
        with m.Else():
            m.d.comb += base.eq(job.spike)
        m.d.comb += [target.eq(base + step), self.address.eq(word)]

        if thermometer:
            with m.If(issue & mark):
                m.d.sync += marks.eq(marks - 1)
        with m.If(issue & ~mark):
            m.d.sync += [
                word.eq(target),
                first_word.eq(last_word),
                words.decrement(),
                row.eq(row + Mux(last_word, job.jump, layer.row_step)),
                doubled.eq(last_line & (layer.double | last_plane)),
            ]
            with m.If(last_word):
                m.d.sync += [line.eq(target), words.start(job.words), lines.decrement()]
            with m.If(last_line):
                m.d.sync += [plane.eq(target), lines.start(job.lines), planes.decrement(),
                             row.eq(job.row)]
            with m.If(last_plane):
                m.d.sync += [planes.start(layer.planes), digits.decrement(),
                             job.row.eq(next_digit), row.eq(next_digit), busy.eq(~digits.zero)]
                if thermometer:
                    m.d.sync += marks.eq(Mux(digits.zero, 0, self.capacities.digit_width - 1))

        m.d.comb += self.job.ready.eq(~busy | (issue & last))
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [
                job.eq(self.job.payload),
                busy.eq(1), doubled.eq(0), first_word.eq(1),
                words.start(self.job.p.words),
                lines.start(self.job.p.lines),
                planes.start(layer.planes),
                digits.start(layer.digits),
                Cat(word, line, plane).eq(self.job.p.spike.replicate(3)),
                row.eq(self.job.p.row),
            ]

        # The memory's output and the mask in front of it are registered before anything else.
        read = Signal(word_layout(self.capacities))
        reading, read_ends = Signal(), Signal()
        m.d.sync += [
            reading.eq(issue),
            read.spikes.eq((job.first_mask | ~first_word.replicate(len(self.spikes)))
                           & (job.last_mask | ~last_word.replicate(len(self.spikes)))
                           & ~mark.replicate(len(self.spikes))),
            read.row.eq(row),
            # An entry is one addition, however many digits it has.
            read.lanes.eq(Mux(digits.zero, job.lanes, 0)),
            read.double.eq(doubled),
            read.last.eq(last),
            read_ends.eq(last_line | mark),
        ]
        found, ends = Signal(), Signal()
        found_word = Signal(word_layout(self.capacities))
        # A doubling that waits for a word with spikes.
        pending = Signal()
        double = found_word.double | pending
        m.d.sync += [
            found.eq(reading),
            ends.eq(read_ends),
            found_word.eq(read),
            found_word.spikes.eq(read.spikes & self.spikes),
        ]
        with m.If(found):
            m.d.sync += pending.eq(double & ~self.valid)
        m.d.comb += [
            self.word.eq(found_word),
            self.word.double.eq(double),
            self.valid.eq(found & (found_word.spikes.any() | found_word.last | (ends & double))),
            self.idle.eq(~busy & ~reading & ~found),
        ]

        return m
