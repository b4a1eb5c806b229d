"""The array: columns, the memories they read, and the bus they store through."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from ..isa.memory_parts import block_rams_scarce
from ..isa.pairs import PAIR
from .attention_memory import AttentionMemory
from .column import Column
from .memory import TAG_WIDTH, Memory, SharedMemory, placed_layout
from .multiples import Multiples
from .readout import Readout
from .signals import signals
from .steps import step_layout
from .weight_tiles import WeightTiles


__all__ = ["Array"]


class Array(wiring.Component):
    """``columns`` columns, which read in lockstep, each with a readout of its own.

    Each pair of banks shares a buffer for the weights of some tiles, and each column has one for
    their neurons; they are filled while columns read. Each column has a copy of the spike memory,
    each pair of columns one of the pixels, and each pair of banks one of the attention memories.
    Words and stream values reach them through a bus that columns use in turn, those that have
    nothing to store aside.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    layer : In(config.layer)
    restart : In(1)
        A layer begins: column 0 is the first one to use the bus.
    step : In(step_layout(config))
        Of the address generator.
    stall : Out(1)
        No step must come, since a column's queue is full.
    begins, result : In(columns), In(config.result)
        A tile, see ``AddressGenerator``.
    hold : Out(1)
        No tile must be started, since a column has not taken over the latest one, or what columns
        add to addresses is not known yet.
    held : Out(1)
        A column has not taken over the latest tile. High from when it ``begins`` on.
    open : Out(1)
        A column has not begun to read out the last sums of the latest tile. High like ``held``.
    row, neuron : In(placed_layout(width, depth))
        Words of weights and of neurons for the buffers of all columns, written a cycle later.
    pixel_write, pixel_address, pixel_data, pixel_tag : In
        Pixels, while no column reads them.
    spike_write, spike_address, spike_data : In
        Spike words from outside the array, taken when no column is at work.
    sum_write, sum_pair, sum_data : Out
        Stream values of a pair of lanes for the token sums, the even lane's lowest.
    logits_room : In(1)
        There is room for the logits of a job.
    logits_valid, logits : Out(1), Out(signed(logit_width))
    additions : Out(range(columns * banks * lanes + 1))
        Additions that were started in one cycle.
    idle : Out(1)
    tag : In(TAG_WIDTH)
    """

    def __init__(self, config):
        self.config = config
        depths = config.buffer_depths
        super().__init__({
            "layer": In(config.layer),
            "restart": In(1),
            "step": In(step_layout(config)),
            "stall": Out(1),
            "begins": In(config.columns),
            "result": In(config.result),
            "hold": Out(1),
            "held": Out(1),
            "open": Out(1),
            "row": In(placed_layout(config.memories["weights"][0], depths["weights"])),
            "neuron": In(placed_layout(config.neurons.size, depths["neurons"])),
            "pixel_write": In(1),
            "pixel_address": In(config.pixel_address),
            "pixel_data": In(config.pixel_width),
            "pixel_tag": In(TAG_WIDTH),
            "spike_write": In(1),
            "spike_address": In(config.spike_address),
            "spike_data": In(config.spike_width),
            "sum_write": Out(1),
            "sum_pair": Out(config.out_address),
            "sum_data": Out(PAIR * config.residual_width),
            "logits_room": In(1),
            "logits_valid": Out(1),
            "logits": Out(signed(config.logit_width)),
            "additions": Out(range(config.columns * config.banks * config.lanes + 1)),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        numbers = range(config.columns)

        requests, slot, full = signals("requests slot full", config.columns)
        waits, opens = signals("waits opens", config.columns)
        owned = Signal()
        self._grant(m, requests, slot, owned)
        m.submodules.bases = bases = Multiples(config.columns, config.source_address)
        m.submodules.offsets = offsets = Multiples(config.columns, config.out_address)
        m.d.comb += [
            bases.start.eq(self.restart),
            bases.step.eq(self.layer.column_stride),
            offsets.start.eq(self.restart),
            offsets.step.eq(self.layer.out_column),
            self.held.eq(waits.any() | self.begins.any()),
            self.open.eq(self.held | opens.any()),
            self.hold.eq(self.held | ~bases.ready),
        ]
        m.d.sync += self.stall.eq(full.any())

        columns, readouts = [], []
        for number in numbers:
            m.submodules[f"column_{number}"] = column = Column(config, number=number)
            m.submodules[f"readout_{number}"] = readout = Readout(config, number=number)
            columns.append(column)
            readouts.append(readout)
            wiring.connect(m, column.readout, readout.column)
            m.d.comb += [
                column.layer.eq(self.layer),
                column.step.eq(self.step),
                column.base.eq(bases.multiples[number]),
                full[number].eq(column.full),
                readout.layer.eq(self.layer),
                readout.begins.eq(self.begins[number]),
                readout.first.eq(self.result),
                readout.offset.eq(offsets.multiples[number]),
                waits[number].eq(readout.waits),
                opens[number].eq(readout.open),
                requests[number].eq(readout.request),
                readout.slot.eq(slot[number]),
                readout.logits_room.eq(self.logits_room),
                readout.tag.eq(self.tag),
            ]

        # A row of attention that is stored.
        entry = Signal(placed_layout(config.digit_word, config.attention_depth))
        self._rows(m, columns, entry)
        self._neurons(m, readouts)
        self._pixels(m, columns)
        self._bus(m, columns, readouts, entry)

        m.d.comb += [
            owned.eq(Cat(readout.own for readout in readouts).any()),
            self.logits_valid.eq(readouts[0].logits_valid),
            self.logits.eq(readouts[0].logits),
        ]
        m.d.sync += self.additions.eq(sum(column.additions for column in columns))
        return m

    def _grant(self, m, requests, slot, owned):
        """Gives the bus to one of the groups that request it, each in turn, unless one owns it."""
        # Groups behind the one that had the bus last.
        behind = Signal(len(requests))
        later = Signal(len(requests))
        m.d.comb += [
            later.eq(requests & behind),
            slot.eq(
                Mux(later.any(), later & -later, requests & -requests) & ~owned.replicate(len(slot))
            ),
        ]
        with m.If(self.restart):
            m.d.sync += behind.eq(0)
        with m.Elif(slot.any()):
            m.d.sync += behind.eq(~(slot | (slot - 1)))

    def _rows(self, m, columns, entry):
        """Gives each pair of banks the memories of the rows that they read.

        What is written goes to all copies at once: rows of weights, and of attention.
        """
        row = Signal.like(self.row)
        part = Signal()
        m.d.sync += [row.eq(self.row), part.eq(self.layer.destination == Destination.KEY_VALUES)]
        banks = [(column, bank) for column in columns for bank in range(self.config.banks)]
        for number in range(0, len(banks), 2):
            m.submodules[f"weight_tiles_{number // 2}"] = weights = WeightTiles(self.config)
            m.submodules[f"attention_{number // 2}"] = attention = AttentionMemory(
                self.config, capture=number == 0
            )
            m.d.comb += [
                weights.row.eq(row),
                attention.row.eq(entry),
                attention.part.eq(part),
                attention.tag.eq(self.tag),
            ]
            for port, (column, bank) in zip("ab", banks[number : number + 2], strict=False):
                for memory, address, answers in (
                    (weights, column.weight_address, column.weights),
                    (attention, column.digit_address, column.digits),
                ):
                    m.d.comb += [
                        getattr(memory, f"{port}_address").eq(address[bank]),
                        getattr(memory, f"{port}_read").eq(column.read[bank]),
                        *map(Value.eq, answers[bank], getattr(memory, f"{port}_data")),
                    ]

    def _neurons(self, m, readouts):
        """Gives each readout its buffer of neurons."""
        neuron = Signal.like(self.neuron)
        m.d.sync += neuron.eq(self.neuron)
        for number, readout in enumerate(readouts):
            m.submodules[f"neuron_tiles_{number}"] = memory = Memory(
                width=self.config.neurons.size,
                depth=self.config.buffer_depths["neurons"],
                scarce=block_rams_scarce(self.config),
            )
            m.d.comb += [
                memory.write.eq(neuron.valid),
                memory.write_address.eq(neuron.address),
                memory.write_data.eq(neuron.data),
                memory.read.eq(1),
                memory.read_address.eq(readout.neuron_address),
                readout.neurons.eq(memory.read_data),
            ]

    def _pixels(self, m, columns):
        """Gives each pair of columns the pixels, which are written while no column reads them."""
        for number in range(0, len(columns), 2):
            m.submodules[f"pixels_{number // 2}"] = pixels = SharedMemory(
                width=self.config.pixel_width,
                depth=self.config.pixel_depth,
                scarce=block_rams_scarce(self.config),
                name="" if number else "pixels",
            )
            m.d.comb += [
                pixels.write.eq(self.pixel_write),
                pixels.write_address.eq(self.pixel_address),
                pixels.write_data.eq(self.pixel_data),
                pixels.tag.eq(self.pixel_tag),
            ]
            for port, column in zip("ab", columns[number : number + 2], strict=False):
                m.d.comb += [
                    getattr(pixels, f"{port}_read").eq(1),
                    getattr(pixels, f"{port}_address").eq(column.source_address),
                    column.pixel_read.eq(getattr(pixels, f"{port}_data")),
                ]

    def _bus(self, m, columns, readouts, entry):
        """Collects what columns store; only the one whose turn it is drives anything but 0."""
        config = self.config
        write = self.spike_write

        def of_all(name):
            return reduce(or_, (getattr(readout, name) for readout in readouts))

        stored = Signal()
        stored_address = Signal(config.out_address)
        stored_data = Signal(config.word_width)
        m.d.sync += [
            stored.eq(write | of_all("spike_write")),
            entry.valid.eq(of_all("attention_write")),
            stored_address.eq(Mux(write, self.spike_address, 0) | of_all("word_address")),
            stored_data.eq(Mux(write, self.spike_data, 0) | of_all("word")),
            self.sum_write.eq(of_all("sum_write")),
            self.sum_pair.eq(of_all("sum_pair")),
            self.sum_data.eq(of_all("sum_data")),
        ]
        m.d.comb += [entry.address.eq(stored_address), entry.data.eq(stored_data)]
        scarce = block_rams_scarce(config)
        for number, column in enumerate(columns):
            # All copies hold the same words, so that one log is enough.
            m.submodules[f"spikes_{number}"] = spikes = Memory(
                width=config.spike_width,
                depth=config.spike_depth,
                scarce=scarce,
                name="" if number else "spikes",
            )
            m.d.comb += [
                spikes.write.eq(stored),
                spikes.write_address.eq(stored_address),
                spikes.write_data.eq(stored_data),
                spikes.read.eq(1),
                spikes.read_address.eq(column.source_address),
                column.spike_read.eq(spikes.read_data),
                spikes.tag.eq(self.tag),
            ]
        m.d.comb += self.idle.eq(
            Cat(readout.idle for readout in readouts).all()
            & ~stored
            & ~entry.valid
            & ~self.sum_write
        )
