"""The column: walker, finder, lanes and firing unit, working on one output position at a time."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from .finder import Finder
from .firing import FiringUnit
from .memory import TAG_WIDTH, Memory
from .packer import SpikePacker
from .records import Drain
from .shadows import Lanes
from .walker import Walker, word_layout


__all__ = ["Column", "WORDS", "JOBS"]


#: Words that the walker may be ahead of the finder.
WORDS = 16
#: Jobs that may be between the walker and the firing unit.
JOBS = 16


class Column(wiring.Component):
    """Computes jobs: reads spikes, adds the rows they select, fires, and stores the result.

    Walking, finding, fetching, adding and firing overlap, also between jobs. Zero spikes cost no
    event. From a word of spikes to the accumulator it takes 5 cycles; an event per cycle follows.

    Members
    -------
    layer : In(capacities.layer)
        Stable while not idle.
    job : In(stream.Signature(capacities.job))
    slot : In(1)
        The column may use the spike and sum bus now.
    spike_read_address, spike_read : Out, In
        Port of the spike memory, one cycle from address to data.
    weight_read, weight_address, weights : Out, Out, In
        Port of the weight memory, one enabled cycle from address to data.
    weight_port_taken : In(1)
        The port serves a write in this cycle.
    neuron_read, neuron_address, neuron : Out, Out, In
        Port of the neuron memory, one enabled cycle from address to data.
    spike_write, attention_write : Out(1)
        A word is to be stored in the spike memories or the attention memories, only while ``slot``.
    word_address, word_bit, word : Out
        Where, which bit of the entries it is (of attention rows), and the bits of all lanes.
    entry_write : In(digit_width)
        One-hot: bit of the entries of the attention memory that is written now.
    entry_address, entry_data : In
        What is written: a bit of each lane.
    sum_write, sum_address, sum_data : Out
        Stream values to add to the token sums, only while ``slot``.
    logits : Out(stream.Signature(signed(32)))
    additions : Out(range(lanes + 1))
        Additions that were started in the cycle before.
    using : Out(2)
        Halves of the double buffer that accepted jobs still need.
    idle : Out(1)
        Everything that was accepted is stored.
    tag : In(TAG_WIDTH)
        For captures.
    """

    def __init__(self, capacities, *, name):
        self.capacities = capacities
        self.name = name
        lanes = capacities.lanes
        super().__init__({
            "layer": In(capacities.layer),
            "job": In(stream.Signature(capacities.job)),
            "slot": In(1),
            "spike_read_address": Out(capacities.spike_address),
            "spike_read": In(lanes),
            "weight_read": Out(1),
            "weight_address": Out(capacities.row_address),
            "weights": In(lanes * capacities.weight_width),
            "weight_port_taken": In(1),
            "neuron_read": Out(1),
            "neuron_address": Out(capacities.neuron_address),
            "neuron": In(capacities.neuron),
            "spike_write": Out(1),
            "attention_write": Out(1),
            "word_address": Out(capacities.out_address),
            "word_bit": Out(capacities.digit_bit),
            "word": Out(lanes),
            "entry_write": In(capacities.digit_width),
            "entry_address": In(capacities.attention_address),
            "entry_data": In(lanes),
            "sum_write": Out(1),
            "sum_address": Out(capacities.out_address),
            "sum_data": Out(signed(capacities.stream_width)),
            "logits": Out(stream.Signature(signed(32))),
            "additions": Out(range(lanes + 1)),
            "using": Out(2),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        lanes, digit_width = self.capacities.lanes, self.capacities.digit_width
        weight_width, row_width = self.capacities.weight_width, self.capacities.row_width

        m.submodules.walker = walker = Walker(self.capacities)
        m.submodules.finder = finder = Finder(self.capacities)
        m.submodules.lanes = adders = Lanes(
            lanes=lanes, entry_width=row_width, width=self.capacities.accumulator_width)

        m.submodules.words = words = SyncFIFO(width=word_layout(self.capacities).size, depth=WORDS)
        m.submodules.results = results = SyncFIFO(width=self.capacities.result.size, depth=JOBS)

        # A job starts when its result has a place to wait.
        m.d.comb += [
            walker.layer.eq(self.layer),
            walker.job.payload.eq(self.job.payload),
            walker.job.valid.eq(self.job.valid & results.w_rdy),
            self.job.ready.eq(walker.job.ready & results.w_rdy),
            results.w_en.eq(walker.job.valid & walker.job.ready),
            results.w_data.eq(self.job.p.result),

            self.spike_read_address.eq(walker.address),
            walker.spikes.eq(self.spike_read),
            walker.space.eq(words.w_level <= WORDS - 3),
            words.w_en.eq(walker.valid),
            words.w_data.eq(walker.word),

            finder.depthwise.eq(self.layer.depthwise),
            finder.words.payload.eq(words.r_data),
            finder.words.valid.eq(words.r_rdy),
            words.r_en.eq(finder.words.ready),
        ]

        # Fetch: an address to both row memories, then a register that holds the row or nothing.
        # A closing event that finds the shadows occupied holds everything behind it, and so does a
        # write that takes the port of the weight memory.
        hold = Signal()
        event, fetched = finder.event, Signal.like(finder.event)
        fetching, loaded = Signal(), Signal()
        m.d.comb += [
            finder.hold.eq(hold),
            self.weight_read.eq(~hold),
            self.weight_address.eq(event.row),
        ]
        digits = self._attention(m, event.row, ~hold)
        closing, closed = Signal(), Signal()
        with m.If(~hold):
            m.d.sync += [
                fetching.eq(finder.valid),
                fetched.eq(event),
                loaded.eq(fetching),
                closing.eq(fetched.last),
                adders.double.eq(fetched.double),
            ]
        # An entry is a weight or a digit, which has fewer bits, or nothing. Clearing comes last, so
        # that it is the registers' reset and takes no logic.
        for lane in range(lanes):
            entry = adders.row.word_select(lane, row_width)
            weight = self.weights.word_select(lane, weight_width).as_signed()
            digit = Cat(word[lane] for word in digits)
            with m.If(~hold):
                m.d.sync += entry.eq(weight)
            with m.If(~hold & self.layer.attention_rows):
                m.d.sync += [entry[:digit_width].eq(digit), entry[digit_width:].eq(0)]
            with m.If(~hold & ~fetched.mask[lane]):
                m.d.sync += entry.eq(0)
        m.d.sync += self.additions.eq(Mux(finder.valid & ~hold, event.additions, 0))
        m.d.comb += [
            adders.valid.eq(loaded & ~hold),
            adders.last.eq(closing),
            closed.eq(adders.valid & closing),
        ]

        occupied = self._drain(m, closed, adders, results)
        m.d.comb += hold.eq((loaded & closing & occupied) | self.weight_port_taken)
        return m

    def _attention(self, m, row, read):
        """Reads a row of the attention memory: words that hold one bit of all lanes' digits.

        All columns hold the same rows, so that one log is enough.
        """
        words = []
        for bit in range(self.capacities.digit_width):
            m.submodules[f"attention_{bit}"] = memory = Memory(
                width=self.capacities.lanes, depth=self.capacities.attention_depth,
                name=f"attention.{bit}" if self.name == "0" else "")
            m.d.comb += [
                memory.write.eq(self.entry_write[bit]),
                memory.write_address.eq(self.entry_address),
                memory.write_data.eq(self.entry_data),
                memory.read.eq(read),
                memory.read_address.eq(row),
                memory.tag.eq(self.tag),
            ]
            words.append(memory.read_data)
        return words

    def _drain(self, m, closed, adders, results):
        """Takes the finished sums, highest lane first, through firing unit and packer.

        Returns whether the shadows still hold sums of the job before.
        """
        m.submodules.firing = firing = FiringUnit(self.capacities)
        m.submodules.packer = packer = SpikePacker(self.capacities)
        m.submodules.stream = residual = Memory(
            width=self.capacities.stream_width, depth=self.capacities.stream_depth,
            name=f"stream.{self.name}")
        advance = packer.advance

        # A sum is taken in the cycle after its lane was released, or later if the firing unit is
        # held; until the cycle after that the shadows must not change.
        draining = Signal()
        settling = Signal()
        result = Signal(self.capacities.result)
        lane = Signal.like(result.last_lane)
        m.d.comb += results.r_en.eq(closed)
        with m.If(advance):
            m.d.sync += settling.eq(draining & (lane == 0))
        with m.If(closed):
            m.d.sync += [
                draining.eq(1),
                result.eq(results.r_data),
                lane.eq(self.capacities.result(results.r_data).last_lane),
            ]
        with m.Elif(draining & advance):
            m.d.sync += [lane.eq(lane - 1), draining.eq(lane != 0)]
        m.d.comb += [
            adders.advance.eq(advance),
            adders.release.eq(Mux(draining, C(1) << lane, 0)),
        ]

        m.d.comb += [
            firing.layer.eq(self.layer),
            firing.advance.eq(advance),
            firing.release.eq(draining),
            firing.lane.eq(lane),
            firing.result.eq(result),
            firing.taken.eq(adders.taken),
            self.neuron_read.eq(advance),
            self.neuron_address.eq(firing.neuron_address),
            firing.neuron.eq(self.neuron),
            residual.read.eq(advance),
            residual.read_address.eq(firing.stream_read_address),
            firing.stream.eq(residual.read_data),
            residual.write.eq(firing.stream_write),
            residual.write_address.eq(firing.stream_write_address),
            residual.write_data.eq(firing.stream_data),
            residual.tag.eq(self.tag),

            packer.layer.eq(self.layer),
            packer.fired.eq(firing.fired),
            packer.lane.eq(firing.fired_lane),
            packer.result.eq(firing.fired_result),
            packer.value.eq(firing.value),
            packer.count.eq(firing.count),
            packer.code.eq(firing.code),
            packer.slot.eq(self.slot),
            self.spike_write.eq(packer.spike_write),
            self.attention_write.eq(packer.attention_write),
            self.word_address.eq(packer.address),
            self.word_bit.eq(packer.bit),
            self.word.eq(packer.word),
        ]

        sums = self.layer.drain == Drain.SUMS
        logits = self.layer.drain == Drain.LOGITS
        m.d.comb += [
            packer.hold.eq(firing.fired & ((sums & ~self.slot) | (logits & ~self.logits.ready))),
            self.sum_write.eq(firing.fired & sums & self.slot),
            self.sum_address.eq(firing.fired_result.out + firing.fired_lane),
            self.sum_data.eq(firing.value),
            self.logits.valid.eq(firing.fired & logits),
            self.logits.payload.eq(firing.value),
        ]

        emptying = draining | settling | ~firing.idle | ~packer.idle
        m.d.comb += self.idle.eq(~(results.r_rdy | emptying))
        if self.capacities.external:
            # Jobs wait in the order of tiles, so that the first and the last tell of all.
            first, last = self.capacities.result(results.r_data).half, Signal()
            with m.If(results.w_en):
                m.d.sync += last.eq(self.job.p.result.half)
            waiting = C(1, 2) << first | C(1, 2) << last
            m.d.comb += self.using.eq(Mux(results.r_rdy, waiting, 0)
                                      | Mux(emptying, C(1, 2) << result.half, 0))
        return draining | settling
