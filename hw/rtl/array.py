"""The array: groups of columns, the memories they read, and the bus they store through."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .group import Group
from .memory import TAG_WIDTH, Memory, SharedMemory
from .signals import signals


__all__ = ["Array"]


class Array(wiring.Component):
    """``columns`` columns, in groups of ``shared``.

    Column c is column ``c // groups`` of group ``c % groups``. Each pair of columns shares one copy
    of the weight memory, and each pair of groups one of the neuron memory; each column has a copy
    of the pixel, the spike and the attention memory. Words and stream values reach them through a
    bus that groups use in turn, those that have nothing to store aside.

    Where weights are external, memories are written while columns read: a weight row takes a cycle
    of the pair's first column, and each group has a small neuron memory of its own.

    Parameters
    ----------
    config : CoreConfig
    images : dict of str to sequence of str
        Files of the initial contents of ``weights`` and ``neurons``, one per slice; empty for none.

    Members
    -------
    layer : In(config.layer)
    restart : In(1)
        A layer begins: group 0 is the first one to use the bus.
    job : In(config.job)
    job_valid : In(columns)
    job_ready : Out(columns)
    load_weights, load_neurons : In(1)
    load_address : In(24)
    load_data : In(widest of both)
    pixel_write, pixel_address, pixel_data, pixel_tag : In
        Pixels, while no column reads them.
    spike_write, spike_address, spike_data : In
        Spike words from outside the array, taken when no column is at work.
    sum_write, sum_address, sum_data : Out
        Stream values for the token sums.
    logits_room : In(1)
        There is room for the logits of a job.
    logits_valid, logits : Out(1), Out(signed(32))
    additions : Out(range(columns * lanes + 1))
        Additions that were started in one cycle.
    using : Out(2)
        Halves of the double buffer that jobs of the columns still need.
    idle : Out(1)
    tag : In(TAG_WIDTH)
    """

    def __init__(self, config, *, images, sliced=True):
        self.config = config
        self.images = images
        self.sliced = sliced
        memories = config.memories
        super().__init__({
            "layer": In(config.layer),
            "restart": In(1),
            "job": In(config.job),
            "job_valid": In(config.columns),
            "job_ready": Out(config.columns),
            "load_weights": In(1),
            "load_neurons": In(1),
            "load_address": In(24),
            "load_data": In(max(memories["weights"][0], memories["neurons"][0])),
            "pixel_write": In(1),
            "pixel_address": In(config.pixel_address),
            "pixel_data": In(config.pixel_width),
            "pixel_tag": In(TAG_WIDTH),
            "spike_write": In(1),
            "spike_address": In(config.spike_address),
            "spike_data": In(config.spike_width),
            "sum_write": Out(1),
            "sum_address": Out(config.out_address),
            "sum_data": Out(signed(config.residual_width)),
            "logits_room": In(1),
            "logits_valid": Out(1),
            "logits": Out(signed(32)),
            "additions": Out(range(config.columns * config.lanes + 1)),
            "using": Out(2),
            "idle": Out(1),
            "tag": In(TAG_WIDTH),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        n_groups = config.groups

        requests, slot = signals("requests slot", n_groups)
        owned = Signal()
        self._grant(m, requests, slot, owned)

        groups = []
        for index in range(n_groups):
            m.submodules[f"group_{index}"] = group = Group(config, index=index)
            groups.append(group)
            m.d.comb += [
                group.layer.eq(self.layer),
                group.restart.eq(self.restart),
                group.job.eq(self.job),
                group.job_valid.eq(self.job_valid[index::n_groups]),
                self.job_ready[index::n_groups].eq(group.job_ready),
                requests[index].eq(group.request),
                group.slot.eq(slot[index]),
                group.logits_room.eq(self.logits_room),
                group.tag.eq(self.tag),
            ]

        self._weights(m, groups)
        self._neurons(m, groups)
        self._bus(m, groups)

        m.d.comb += [
            owned.eq(Cat(group.own for group in groups).any()),
            self.logits_valid.eq(groups[0].logits_valid),
            self.logits.eq(groups[0].logits),
        ]
        m.d.sync += self.additions.eq(sum(group.additions for group in groups))
        for half in range(2):
            m.d.comb += self.using[half].eq(Cat(group.using[half] for group in groups).any())
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

    def _weights(self, m, groups):
        """Gives each pair of columns its copy of the weights."""
        columns = [
            (group, index) for group in groups for index in range(self.config.columns_per_group)
        ]
        for number in range(0, len(columns), 2):
            memory = self._shared(m, "weights", number // 2, self.load_weights)
            for port, (group, index) in zip("ab", columns[number : number + 2], strict=False):
                self._connect(
                    m,
                    memory,
                    port,
                    group.weight_address[index],
                    group.weight_read[index],
                    group.weights[index],
                )
                if port == "a":
                    m.d.comb += group.weight_port_taken[index].eq(self.load_weights)

    def _neurons(self, m, groups):
        """Gives each pair of groups its copy of the neurons.

        Where they are external, each group has its own, which is written beside its reads.
        """
        if not self.config.external:
            for number in range(0, len(groups), 2):
                memory = self._shared(m, "neurons", number // 2, self.load_neurons)
                for port, group in zip("ab", groups[number : number + 2], strict=False):
                    self._connect(m, memory, port, group.neuron_address, 1, group.neuron)
            return
        width, depth = self.config.memories["neurons"]
        for index, group in enumerate(groups):
            m.submodules[f"neurons_{index}"] = memory = Memory(width=width, depth=depth)
            m.d.comb += [
                memory.write.eq(self.load_neurons),
                memory.write_address.eq(self.load_address),
                memory.write_data.eq(self.load_data),
                memory.read.eq(1),
                memory.read_address.eq(group.neuron_address),
                group.neuron.eq(memory.read_data),
            ]

    def _shared(self, m, name, number, load):
        """A copy of the weights or neurons, of which two readers share one."""
        width, depth = self.config.memories[name]
        m.submodules[f"{name}_{number}"] = memory = SharedMemory(
            width=width,
            depth=depth,
            images=self.images[name],
            slices=self.config.slices[name] if self.sliced else 1,
        )
        m.d.comb += [
            memory.write.eq(load),
            memory.write_address.eq(self.load_address),
            memory.write_data.eq(self.load_data),
        ]
        return memory

    def _connect(self, m, memory, port, address, read, data):
        m.d.comb += [
            getattr(memory, f"{port}_address").eq(address),
            getattr(memory, f"{port}_read").eq(read),
            data.eq(getattr(memory, f"{port}_data")),
        ]

    def _bus(self, m, groups):
        """Collects what groups store; only the one whose turn it is drives anything but 0."""
        config = self.config
        write = self.spike_write

        def of_all(name):
            return reduce(or_, (getattr(group, name) for group in groups))

        stored = Signal()
        stored_entry = Signal()
        stored_address = Signal(config.out_address)
        stored_data = Signal(config.word_width)
        m.d.sync += [
            stored.eq(write | of_all("spike_write")),
            stored_entry.eq(of_all("attention_write")),
            stored_address.eq(Mux(write, self.spike_address, 0) | of_all("word_address")),
            stored_data.eq(Mux(write, self.spike_data, 0) | of_all("word")),
            self.sum_write.eq(of_all("sum_write")),
            self.sum_address.eq(of_all("sum_address")),
            self.sum_data.eq(of_all("sum_data")),
        ]
        for number, group in enumerate(groups):
            m.d.comb += [
                group.entry_write.eq(stored_entry),
                group.entry_address.eq(stored_address),
                group.entry_data.eq(stored_data),
            ]
            for index in range(config.columns_per_group):
                # All copies hold the same words, so that one log is enough.
                logged = number == index == 0
                m.submodules[f"spikes_{number}_{index}"] = spikes = Memory(
                    width=config.spike_width,
                    depth=config.spike_depth,
                    name="spikes" if logged else "",
                )
                m.submodules[f"pixels_{number}_{index}"] = pixels = Memory(
                    width=config.pixel_width,
                    depth=config.pixel_depth,
                    name="pixels" if logged else "",
                )
                m.d.comb += [
                    spikes.write.eq(stored),
                    spikes.write_address.eq(stored_address),
                    spikes.write_data.eq(stored_data),
                    spikes.read.eq(1),
                    spikes.read_address.eq(group.source_address[index]),
                    group.spike_read[index].eq(spikes.read_data),
                    spikes.tag.eq(self.tag),
                    pixels.write.eq(self.pixel_write),
                    pixels.write_address.eq(self.pixel_address),
                    pixels.write_data.eq(self.pixel_data),
                    pixels.read.eq(1),
                    pixels.read_address.eq(group.source_address[index]),
                    group.pixel_read[index].eq(pixels.read_data),
                    pixels.tag.eq(self.pixel_tag),
                ]
        m.d.comb += self.idle.eq(
            Cat(group.idle for group in groups).all() & ~stored & ~stored_entry & ~self.sum_write
        )
