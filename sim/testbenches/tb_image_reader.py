"""Testbench of the reader of weight images, burst reader included, on a slow or ill memory."""

from dataclasses import replace

import cocotb

import golden
from hw.compiler import compile_model
from hw.emit.memory_images import image_words
from hw.isa.status import Status
from hw.isa.weight_image import BURST, read_image
from hw.rtl.burst_reader import PATIENCE

from .base import Cycles, config, generators, parameters, pulse
from .external_memory import ExternalMemory


SIZES = config()
#: Bytes of a burst, and where the image lies: a burst's own alignment is enough.
BURST_BYTES = BURST * SIZES.bus_width // 8
BASE = 5 * BURST_BYTES
LAST = 1 << SIZES.bus_width
#: Layers in the image.
LAYERS = 4
#: Cycles that are watched one by one after a memory fell silent, and before the read is aborted.
WATCHED = 1000


def expected_packets(beats):
    """Packets that the load port must get, per table or tile: header, payload, ``last``."""
    at, groups = 1, []
    for group in read_image(beats, SIZES):
        packets = []
        for section in group:
            width, _ = SIZES.memories[section.memory]
            length = 1 + len(section.words) * -(-width // SIZES.bus_width)
            packet = beats[at : at + length]
            packets.append([*packet[:-1], packet[-1] | LAST])
            at += length
        at += 1
        groups.append(packets)
    return groups


class Reading:
    """The reader with a memory, a load port and a double buffer that is free now and then."""

    def __init__(self, dut, *, stall):
        rng, _ = generators()
        self.model = golden.load(parameters()["model"])
        plan = compile_model(self.model, **SIZES.array, bus_width=SIZES.bus_width)
        # The first layers are enough, and their image is short.
        plan = replace(plan, layers=plan.layers[:LAYERS])
        self.beats = image_words(plan, SIZES)["external"]
        self.groups = expected_packets(self.beats)
        self.cycles = Cycles(dut, rng)
        self.memory = ExternalMemory(
            self.cycles, self.beats, width=SIZES.bus_width, base=BASE, stall=stall
        )
        self.rng, self.stall = rng, stall

    async def reset(self):
        """Everything low, the base address set."""
        await self.cycles.reset(
            base=BASE,
            start=0,
            wanted=0,
            room=0,
            refused=0,
            packets__ready=0,
            bus__arready=0,
            bus__rvalid=0,
        )

    async def run(self, *, fault=None, refuse=None, leave=None):
        """Reads the image once; returns loaded groups, packets, and the status if it failed."""
        cycles, loaded, packets, packet = self.cycles, 0, [], []
        self.memory.fault = fault
        start, closed, room = 1, False, 0
        limit = cycles.count + 40 * len(self.beats) + 2 * PATIENCE
        while cycles.count < limit:
            ready = pulse(self.rng, 1 - self.stall)
            # Room, once there, stays until a tile has come.
            room = 0 if closed else room or pulse(self.rng, 0.3)
            refused = int(refuse is not None and len(packets) == refuse)
            wanted = int(leave is None or loaded < leave)
            await cycles.step(
                start=start,
                wanted=wanted,
                room=room,
                packets__ready=ready,
                refused=refused,
                **self.memory.inputs,
            )
            start &= ~cycles.get("started")
            closed = bool(cycles.get("tile"))
            loaded += cycles.get("table") + cycles.get("tile")
            assert cycles.get("table") <= (loaded == 1), "the table comes first"
            if cycles.get("packets__valid") and ready:
                beat = cycles.get("packets__payload")
                assert packet or room or not loaded, "a tile began without room for it"
                packet.append(beat)
                if beat & LAST:
                    packets.append(packet)
                    packet = []
            self.memory.step()
            if self.memory.silent_for == WATCHED:
                await cycles.skip(PATIENCE - 2 * WATCHED)
            if cycles.get("failed"):
                return loaded, packets, cycles.get("status")
            if loaded == len(self.groups) or not wanted:
                return loaded, packets, None
        raise AssertionError(f"{loaded} of {len(self.groups)} groups were loaded")

    def packets_until(self, groups):
        """Packets of the first groups."""
        return [packet for group in self.groups[:groups] for packet in group]

    def beat_of(self, group):
        """Number of some beat in the middle of a group, which is no header."""
        lengths = [sum(map(len, packets)) + 1 for packets in self.groups]
        return 1 + sum(lengths[:group]) + len(self.groups[group][0]) - 1


@cocotb.test(timeout_time=40, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.5])
async def every_section_reaches_the_load_port(dut, stall):
    """Three times in a row: table and tiles, in order, each counted once."""
    reading = Reading(dut, stall=stall)
    await reading.reset()
    for _ in range(3):
        loaded, packets, status = await reading.run()
        assert (loaded, status) == (len(reading.groups), None)
        assert packets == reading.packets_until(loaded), "packets differ"


@cocotb.test(timeout_time=400, timeout_unit="ms")
async def faults_have_their_status_and_the_next_reading_is_right(dut):
    """Whatever is ill, no tile behind it counts as loaded."""
    reading = Reading(dut, stall=0.2)
    await reading.reset()
    middle = len(reading.groups) // 2
    cases = [({"fault": ("flip", 0)}, 0, Status.IMAGE)]
    for group in (0, 1, middle):
        beat = reading.beat_of(group)
        cases += [
            ({"fault": ("flip", beat)}, group, Status.CHECKSUM),
            ({"fault": ("error", beat)}, group, Status.BUS),
            ({"fault": ("last", beat)}, group, Status.BUS),
        ]
    cases += [({"fault": ("short", beat)}, middle, Status.BUS)]
    header = reading.beat_of(middle) - len(reading.groups[middle][0]) + 1
    cases += [
        ({"fault": ("flip", header)}, middle, Status.CHECKSUM),
        ({"fault": ("length", header)}, middle, Status.CHECKSUM),
    ]
    before = len(reading.packets_until(middle))
    cases += [
        ({"fault": ("dead", reading.beat_of(middle))}, middle, Status.STALLED),
        ({"refuse": before + 1}, middle, Status.IMAGE),
    ]
    for case, groups, status in cases:
        loaded, packets, found = await reading.run(**case)
        assert (loaded, found) == (groups, status.value), f"{case}: {loaded} groups, {found}"
        assert packets[: len(reading.packets_until(groups))] == reading.packets_until(groups)
        loaded, packets, found = await reading.run()
        assert (loaded, found) == (len(reading.groups), None), f"after {case}: {found}"
        assert packets == reading.packets_until(loaded), f"after {case}: packets differ"


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def an_image_that_is_not_wanted_is_left(dut):
    """Reading ends early, and begins anew at the head."""
    reading = Reading(dut, stall=0.2)
    await reading.reset()
    for leave in (1, 3, len(reading.groups) - 1):
        loaded, _, status = await reading.run(leave=leave)
        assert (loaded, status) == (leave, None)
        loaded, packets, _ = await reading.run()
        assert loaded == len(reading.groups)
        assert packets == reading.packets_until(loaded)
