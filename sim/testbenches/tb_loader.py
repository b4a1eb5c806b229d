"""Testbench of the load port: the words of good packets, and no word of a bad one's wrong part."""

import cocotb
from cocotb.triggers import RisingEdge

from hw.emit.memory_images import beats

from .base import Cycles, generators, parameters
from .stream import Source, amaranth_port


MEMORIES = parameters()["memories"]
LAST = 1 << 32


class Watch:
    """Notes what is written, and failures, cycle by cycle."""

    def __init__(self, dut):
        self.dut = dut
        self.written, self.failed = [], 0

    async def run(self):
        """Watch until the test ends."""
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self.failed += int(self.dut.failed.value)
            write = int(self.dut.write.value)
            if write:
                assert write.bit_count() == 1, "two memories were written at once"
                memory = write.bit_length() - 1
                width = MEMORIES[memory][0]
                word = int(self.dut.data.value) & ((1 << width) - 1)
                self.written.append((memory, int(self.dut.address.value), word))


async def start(dut, *, stall):
    """Component, watched, and a source of its beats."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(enable=0, clear=0, beats__valid=0, beats__payload=0)
    watch = Watch(dut)
    cocotb.start_soon(watch.run())
    return cycles, watch, Source(amaranth_port(dut, "beats"), rng=rng, stall=stall), draw


async def send(cycles, source, packet):
    """Sends a packet, ``last`` on its last beat, and lets it take effect."""
    await source.send_all([*packet[:-1], packet[-1] | LAST])
    for _ in range(4):
        await cycles.step()
    assert not cycles.get("active"), "the packet has not ended"


def draw_words(draw, memory, count):
    """Random words of a memory."""
    width, _ = MEMORIES[memory]
    return [
        int.from_bytes(draw.bytes(-(-width // 8)), "little") & ((1 << width) - 1)
        for _ in range(count)
    ]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.5])
async def good_packets_fill_memories(dut, stall):
    """Every memory, from its first word to its last, in packets of one word and of many."""
    cycles, watch, source, draw = await start(dut, stall=stall)
    await cycles.step(enable=1)
    for memory, (width, depth) in enumerate(MEMORIES):
        for address, count in ((0, min(9, depth)), (depth - 1, 1), (depth // 2, 1)):
            words = draw_words(draw, memory, count)
            await send(cycles, source, beats(memory, words, width, address=address))
            expected = [(memory, address + index, word) for index, word in enumerate(words)]
            assert watch.written == expected, f"memory {memory}: {watch.written}"
            watch.written.clear()
    assert not watch.failed


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.5])
async def bad_packets_fail(dut, stall):
    """Unknown memory, beyond its depth, inside a word, nothing but a header; then a good one."""
    cycles, watch, source, draw = await start(dut, stall=stall)
    await cycles.step(enable=1)
    for memory, (width, depth) in enumerate(MEMORIES):
        words = draw_words(draw, memory, 3)
        good = beats(memory, words, width, address=depth - 3)
        kept = [(memory, depth - 3 + index, word) for index, word in enumerate(words)]
        cases = {
            "unknown memory": ([len(MEMORIES) << 28, 1, 2, 3], []),
            "last memory number": ([15 << 28, *good[1:]], []),
            "beyond its depth": (beats(memory, words, width, address=depth), []),
            "beyond its depth by one word": (
                beats(memory, words + words, width, address=depth - 3),
                kept,
            ),
            "an address that would wrap": (beats(memory, words, width, address=0xFFFFFF), []),
            "header only": (good[:1], []),
        }
        if width > 32:
            cases["inside a word"] = (good[:-1], kept[:-1])
        for name, (packet, written) in cases.items():
            watch.written.clear()
            watch.failed = 0
            await send(cycles, source, packet)
            assert watch.failed == 1, f"{name}: failed {watch.failed} times"
            assert watch.written == written, f"{name}: {watch.written}"
        watch.written.clear()
        watch.failed = 0
        await send(cycles, source, good)
        assert watch.written == kept, "a good packet after bad ones"
        assert not watch.failed


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def packets_wait_until_enabled_and_are_not_interrupted(dut):
    """A packet begins only between images, and then goes on to its end."""
    cycles, watch, source, draw = await start(dut, stall=0.0)
    width, _ = MEMORIES[0]
    words = draw_words(draw, 0, 3)
    packet = beats(0, words, width, address=0)
    task = cocotb.start_soon(send(cycles, source, packet))
    for _ in range(20):
        await cycles.step()
        assert not cycles.get("beats__ready"), "a beat was taken while the core is at work"
    await cycles.step(enable=1)
    await cycles.step(enable=0)
    await task
    assert [word for _, _, word in watch.written] == words


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_cleared_packet_is_forgotten(dut):
    """The next beat is a header, wherever the packet before was left."""
    cycles, watch, source, draw = await start(dut, stall=0.0)
    await cycles.step(enable=1)
    for memory, (width, _) in enumerate(MEMORIES):
        words = draw_words(draw, memory, 2)
        packet = beats(memory, words, width, address=0)
        for end in range(1, len(packet)):
            await source.send_all(packet[:end])
            await cycles.step(clear=1)
            await cycles.step(clear=0)
            watch.written.clear()
            await send(cycles, source, packet)
            assert [word for _, _, word in watch.written] == words, f"after {end} beats"
    assert not watch.failed
