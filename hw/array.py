"""The array: columns, the memories they read, and the bus they store through."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .column import Column
from .memory import TAG_WIDTH, Memory, SharedMemory


__all__ = ["Array"]


class Array(wiring.Component):
    """``columns`` columns side by side.

    Each pair of columns shares one copy of the weight and of the neuron memory; each column has a
    copy of the spike and of the attention memory. Words and stream values reach them through a bus
    that belongs to each column in turn, one cycle each.

    Where weights are external, memories are written while columns read: a weight row takes a cycle
    of the pair's first column, and each column has a small neuron memory of its own.

    Parameters
    ----------
    capacities : Capacities
    images : dict of str to sequence of str
        Files of the initial contents of ``weights`` and ``neurons``, one per slice; empty for none.

    Members
    -------
    layer : In(capacities.layer)
    restart : In(1)
        A layer begins: the bus belongs to column 0 in the next cycle.
    job : In(capacities.job)
    job_valid : In(columns)
    job_ready : Out(columns)
    load_weights, load_neurons : In(1)
    load_address : In(24)
    load_data : In(widest of both)
    spike_write, spike_address, spike_data : In
        Spike words from outside the array, taken when no column is at work.
    sum_write, sum_address, sum_data : Out
        Stream values for the token sums.
    logits : Out(stream.Signature(signed(32)))
    additions : Out(range(columns * lanes + 1))
        Additions that were started in one cycle.
    using : Out(2)
        Halves of the double buffer that jobs of the columns still need.
    idle : Out(1)
    tag : In(TAG_WIDTH)
    """

    def __init__(self, capacities, *, images):
        self.capacities = capacities
        self.images = images
        memories = capacities.memories
        super().__init__({
            "layer": In(capacities.layer),
            "restart": In(1),
            "job": In(capacities.job),
            "job_valid": In(capacities.columns),
            "job_ready": Out(capacities.columns),
            "load_weights": In(1),
            "load_neurons": In(1),
            "load_address": In(24),
            "load_data": In(max(memories["weights"][0], memories["neurons"][0])),
            "spike_write": In(1),
            "spike_address": In(capacities.spike_address),
            "spike_data": In(capacities.lanes),
            "sum_write": Out(1),
            "sum_address": Out(capacities.out_address),
            "sum_data": Out(signed(capacities.stream_width)),
            "logits": Out(stream.Signature(signed(32))),
            "additions": Out(range(capacities.columns * capacities.lanes + 1)),
            "using": Out(2),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        capacities = self.capacities
        n_columns = capacities.columns

        turn = Signal(range(max(2, n_columns)))
        m.d.sync += turn.eq(Mux(self.restart | (turn == n_columns - 1), 0, turn + 1))

        columns = []
        for index in range(n_columns):
            m.submodules[f"column_{index}"] = column = Column(capacities, name=str(index))
            columns.append(column)
            m.d.comb += [
                column.layer.eq(self.layer),
                column.job.payload.eq(self.job),
                column.job.valid.eq(self.job_valid[index]),
                self.job_ready[index].eq(column.job.ready),
                column.slot.eq(turn == index),
                column.tag.eq(self.tag),
            ]

        self._read_memories(m, "weights", self.load_weights, columns)
        if capacities.external:
            self._own_neurons(m, columns)
        else:
            self._read_memories(m, "neurons", self.load_neurons, columns)
        self._bus(m, columns)

        wiring.connect(m, columns[0].logits, wiring.flipped(self.logits))
        m.d.sync += self.additions.eq(sum(column.additions for column in columns))
        for half in range(2):
            m.d.comb += self.using[half].eq(Cat(column.using[half] for column in columns).any())
        return m

    def _read_memories(self, m, name, load, columns):
        """Gives each pair of columns its copy of the weights or neurons."""
        width, depth = self.capacities.memories[name]
        for first in range(0, len(columns), 2):
            memory = SharedMemory(width=width, depth=depth, images=self.images[name],
                                  slices=self.capacities.slices[name])
            m.submodules[f"{name}_{first // 2}"] = memory
            m.d.comb += [
                memory.write.eq(load),
                memory.write_address.eq(self.load_address),
                memory.write_data.eq(self.load_data),
            ]
            for port, column in zip("ab", columns[first:first + 2], strict=False):
                address, read, data = (getattr(memory, f"{port}_{part}")
                                       for part in ("address", "read", "data"))
                if name == "weights":
                    m.d.comb += [address.eq(column.weight_address),
                                 read.eq(column.weight_read), column.weights.eq(data)]
                    if port == "a":
                        m.d.comb += column.weight_port_taken.eq(load)
                else:
                    m.d.comb += [address.eq(column.neuron_address),
                                 read.eq(column.neuron_read), column.neuron.eq(data)]

    def _own_neurons(self, m, columns):
        """Gives each column its own neuron memory, which is written beside its reads."""
        width, depth = self.capacities.memories["neurons"]
        for index, column in enumerate(columns):
            m.submodules[f"neurons_{index}"] = memory = Memory(width=width, depth=depth)
            m.d.comb += [
                memory.write.eq(self.load_neurons),
                memory.write_address.eq(self.load_address),
                memory.write_data.eq(self.load_data),
                memory.read.eq(column.neuron_read),
                memory.read_address.eq(column.neuron_address),
                column.neuron.eq(memory.read_data),
            ]

    def _bus(self, m, columns):
        """Collects what columns store; only the one whose turn it is drives anything."""
        write = self.spike_write
        address = Mux(write, self.spike_address, 0)
        data = Mux(write, self.spike_data, 0)
        attention_write, bit = 0, 0
        sum_write, sum_address, sum_data = 0, 0, 0
        for column in columns:
            leaving, summing = column.spike_write | column.attention_write, column.sum_write
            write = write | column.spike_write
            attention_write = attention_write | column.attention_write
            address = address | Mux(leaving, column.word_address, 0)
            bit = bit | Mux(leaving, column.word_bit, 0)
            data = data | Mux(leaving, column.word, 0)
            sum_write = sum_write | summing
            sum_address = sum_address | Mux(summing, column.sum_address, 0)
            sum_data = sum_data | Mux(summing, column.sum_data.as_unsigned(), 0)

        stored = Signal()
        stored_entry = Signal(self.capacities.digit_width)
        stored_address = Signal(self.capacities.out_address)
        stored_data = Signal(self.capacities.lanes)
        m.d.sync += [
            stored.eq(write), stored_entry.eq(attention_write << bit),
            stored_address.eq(address), stored_data.eq(data),
            self.sum_write.eq(sum_write), self.sum_address.eq(sum_address),
            self.sum_data.eq(sum_data),
        ]
        for index, column in enumerate(columns):
            # All copies hold the same words, so that one log is enough.
            m.submodules[f"spikes_{index}"] = spikes = Memory(
                width=self.capacities.lanes, depth=self.capacities.spike_depth,
                name="spikes" if index == 0 else "")
            m.d.comb += [
                spikes.write.eq(stored),
                spikes.write_address.eq(stored_address),
                spikes.write_data.eq(stored_data),
                spikes.read.eq(1),
                spikes.read_address.eq(column.spike_read_address),
                column.spike_read.eq(spikes.read_data),
                spikes.tag.eq(self.tag),
                column.entry_write.eq(stored_entry),
                column.entry_address.eq(stored_address),
                column.entry_data.eq(stored_data),
            ]
        m.d.comb += self.idle.eq(Cat(column.idle for column in columns).all()
                                 & ~stored & ~stored_entry.any() & ~self.sum_write)
