"""The array: columns, the memories they read, and the bus they store through."""

from functools import reduce
from operator import attrgetter, or_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..isa.descriptors import Destination
from ..isa.memory_parts import block_rams_scarce
from .attention_memory import AttentionMemory
from .bus import stored_signature, sums_signature
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
    pixel, pixel_tag : In(placed_layout(pixel_width, pixel_depth)), In(TAG_WIDTH)
        Pixels, while no column reads them.
    spikes : In(placed_layout(spike_width, spike_depth))
        Spike words from outside the array, taken when no column is at work.
    sums : Out(sums_signature(config))
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
            "pixel": In(placed_layout(config.pixel_width, config.pixel_depth)),
            "pixel_tag": In(TAG_WIDTH),
            "spikes": In(placed_layout(config.spike_width, config.spike_depth)),
            "sums": Out(sums_signature(config)),
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
                readout.tiles.begins.eq(self.begins[number]),
                readout.tiles.first.eq(self.result),
                readout.tiles.offset.eq(offsets.multiples[number]),
                waits[number].eq(readout.tiles.waits),
                opens[number].eq(readout.tiles.open),
                requests[number].eq(readout.request),
                readout.slot.eq(slot[number]),
                readout.logits_room.eq(self.logits_room),
                readout.tag.eq(self.tag),
            ]

        stored = self._bus(m, readouts)
        self._rows(m, columns, stored)
        self._spikes(m, columns, stored)
        self._neurons(m, readouts)
        self._pixels(m, columns)

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

    def _rows(self, m, columns, stored):
        """Gives each pair of banks the memories of the rows that they read."""
        banks = [(column, bank) for column in columns for bank in range(self.config.banks)]
        # What is written goes to all copies at once.
        row = Signal.like(self.row)
        m.d.sync += row.eq(self.row)
        for number in range(0, len(banks), 2):
            m.submodules[f"weight_tiles_{number // 2}"] = weights = WeightTiles(self.config)
            m.d.comb += weights.row.eq(row)
            for port, (column, bank) in zip("ab", banks[number : number + 2], strict=False):
                wiring.connect(m, column.weights[bank], getattr(weights, port))
        if not self.config.attention:
            return
        part = Signal()
        m.d.sync += part.eq(self.layer.destination == Destination.KEY_VALUES)
        for number in range(0, len(banks), 2):
            m.submodules[f"attention_{number // 2}"] = attention = AttentionMemory(
                self.config, capture=number == 0
            )
            m.d.comb += [
                attention.row.valid.eq(stored.attention),
                attention.row.address.eq(stored.address),
                attention.row.data.eq(stored.data),
                attention.part.eq(part),
                attention.tag.eq(self.tag),
            ]
            for port, (column, bank) in zip("ab", banks[number : number + 2], strict=False):
                wiring.connect(m, column.digits[bank], getattr(attention, port))

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
            m.d.comb += memory.write.eq(neuron)
            wiring.connect(m, readout.neurons, memory.reader)

    def _pixels(self, m, columns):
        """Gives each pair of columns the pixels, which are written while no column reads them."""
        for number in range(0, len(columns), 2):
            m.submodules[f"pixels_{number // 2}"] = pixels = SharedMemory(
                width=self.config.pixel_width,
                depth=self.config.pixel_depth,
                scarce=block_rams_scarce(self.config),
                name="" if number else "pixels",
            )
            m.d.comb += [pixels.write.eq(self.pixel), pixels.tag.eq(self.pixel_tag)]
            for port, column in zip("ab", columns[number : number + 2], strict=False):
                wiring.connect(m, column.pixels, getattr(pixels, port))

    def _bus(self, m, readouts):
        """Collects what columns store and add; only the one whose turn it is drives anything but 0.

        Returns the word that all copies of a memory store.
        """

        def of_all(member):
            return reduce(or_, map(member, readouts))

        stored = stored_signature(self.config).create()
        outside = self.spikes
        m.d.sync += [
            stored.spikes.eq(outside.valid | of_all(attrgetter("stored.spikes"))),
            stored.attention.eq(of_all(attrgetter("stored.attention"))),
            stored.address.eq(
                Mux(outside.valid, outside.address, 0) | of_all(attrgetter("stored.address"))
            ),
            stored.data.eq(Mux(outside.valid, outside.data, 0) | of_all(attrgetter("stored.data"))),
            self.sums.valid.eq(of_all(attrgetter("sums.valid"))),
            self.sums.pair.eq(of_all(attrgetter("sums.pair"))),
            *(
                value.eq(of_all(lambda readout, half=half: readout.sums.values[half]))
                for half, value in enumerate(self.sums.values)
            ),
        ]
        m.d.comb += self.idle.eq(
            Cat(readout.idle for readout in readouts).all()
            & ~stored.spikes
            & ~stored.attention
            & ~self.sums.valid
        )
        return stored

    def _spikes(self, m, columns, stored):
        """Gives each column its copy of the spikes."""
        for number, column in enumerate(columns):
            # All copies hold the same words, so that one log is enough.
            m.submodules[f"spikes_{number}"] = memory = Memory(
                width=self.config.spike_width,
                depth=self.config.spike_depth,
                scarce=block_rams_scarce(self.config),
                name="" if number else "spikes",
            )
            m.d.comb += [
                memory.write.valid.eq(stored.spikes),
                memory.write.address.eq(stored.address),
                memory.write.data.eq(stored.data),
                memory.tag.eq(self.tag),
            ]
            wiring.connect(m, column.spikes, memory.reader)
