"""The tap walker: which words of the spike memory a job reads, and which rows they select."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out


__all__ = ["Walker", "word_layout"]


def word_layout(capacities):
    """Layout of a spike word on its way to the finder.

    ``row`` is the row of the word's first spike. A word marked ``double`` holds no spikes and
    doubles the sums; the word marked ``last`` closes the job.
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

    The order is planes (most significant first), then the lines and positions of the taps that lie
    inside the map, then the words of each tap. One word is read per cycle; a word without spikes
    is dropped, and a mark goes in front of every plane but the first where planes double.

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

        job = Signal(self.capacities.job)
        busy = Signal()
        mark = Signal()
        issue = Signal()
        m.d.comb += issue.eq(busy & self.space)

        # Down counters of what is left, and where words, taps, lines and planes began.
        words = _Countdown(job.words)
        taps = _Countdown(job.position_taps)
        lines = _Countdown(job.line_taps)
        planes = _Countdown(layer.planes)
        word = Signal(self.capacities.spike_address)
        tap, line, plane = (Signal.like(word) for _ in range(3))
        row = Signal(self.capacities.row_address)
        first_word = Signal()

        last_word = words.zero
        last_tap = last_word & taps.zero
        last_line = last_tap & lines.zero
        last = Signal()
        m.d.comb += last.eq(last_line & planes.zero & ~mark)

        base = Signal.like(word)
        step = Signal.like(word)
        target = Signal.like(word)
        with m.If(~last_word):
            m.d.comb += [base.eq(word), step.eq(layer.word_stride)]
        with m.Elif(~last_tap):
            m.d.comb += [base.eq(tap), step.eq(1)]
        with m.Elif(~last_line):
            m.d.comb += [base.eq(line), step.eq(layer.line_stride)]
        with m.Else():
            m.d.comb += [base.eq(plane), step.eq(layer.plane_stride)]
        m.d.comb += [target.eq(base + step), self.address.eq(word)]

        with m.If(issue & mark):
            m.d.sync += mark.eq(0)
        with m.Elif(issue):
            m.d.sync += [
                word.eq(target),
                first_word.eq(last_word),
                words.decrement(),
                row.eq(row + Mux(last_tap, job.jump, layer.row_step)),
            ]
            with m.If(last_word):
                m.d.sync += [tap.eq(target), words.start(job.words), taps.decrement()]
            with m.If(last_tap):
                m.d.sync += [line.eq(target), taps.start(job.position_taps), lines.decrement()]
            with m.If(last_line):
                m.d.sync += [
                    plane.eq(target), lines.start(job.line_taps), planes.decrement(),
                    row.eq(job.row), mark.eq(layer.double), busy.eq(~planes.zero),
                ]

        m.d.comb += self.job.ready.eq(~busy | (issue & last))
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [
                job.eq(self.job.payload),
                busy.eq(1), mark.eq(0), first_word.eq(1),
                words.start(self.job.p.words),
                taps.start(self.job.p.position_taps),
                lines.start(self.job.p.line_taps),
                planes.start(layer.planes),
                Cat(word, tap, line, plane).eq(self.job.p.spike.replicate(4)),
                row.eq(self.job.p.row),
            ]

        # The memory's output and the mask in front of it are registered before anything else.
        read = Signal(word_layout(self.capacities))
        reading = Signal()
        m.d.sync += [
            reading.eq(issue),
            read.spikes.eq((job.first_mask | ~first_word.replicate(len(self.spikes)))
                           & (job.last_mask | ~last_word.replicate(len(self.spikes)))
                           & ~mark.replicate(len(self.spikes))),
            read.row.eq(row),
            read.lanes.eq(job.lanes),
            read.double.eq(mark),
            read.last.eq(last),
        ]
        found = Signal()
        m.d.sync += [
            found.eq(reading),
            self.word.eq(read),
            self.word.spikes.eq(read.spikes & self.spikes),
        ]
        m.d.comb += [
            self.valid.eq(found & (self.word.spikes.any() | self.word.double | self.word.last)),
            self.idle.eq(~busy & ~reading & ~found),
        ]

        return m
