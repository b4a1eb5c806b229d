"""The serial link by itself, in Amaranth's simulator: what reaches a core, and when."""

import struct

import pytest
from amaranth.sim import Simulator

from hw.isa.frames import LinkStatus, RequestType, reply_frame, request_frame
from hw.isa.status import Status
from hw.link import frame_buffer
from hw.link.link import RESET_CYCLES, Link
from tests.twins import Twin


BIT_CYCLES, GAP, WORDS = 4, 300, 4
BYTE_CYCLES = 10 * BIT_CYCLES
IDENTITY = bytes(range(8))


@pytest.fixture(autouse=True)
def twin(monkeypatch):
    monkeypatch.setattr(frame_buffer, "Memory", Twin)


class Bench:
    """A host on the serial line, and a core that takes everything at once."""

    def __init__(self):
        self.link = Link(
            pixel_bytes=1,
            pixels=WORDS,
            identity=IDENTITY,
            cycles_per_bit=BIT_CYCLES,
            least_words=WORDS,
            gap=GAP,
        )
        self.received, self.pixels, self.beats = bytearray(), [], []
        self.resets = 0
        #: What the core does with the next picture: its logits, then its status.
        self.logits, self.status = [], Status.OK

    def run(self, host):
        """Simulates until the host has ended."""
        simulator = Simulator(self.link)
        simulator.add_clock(1e-6)
        simulator.add_testbench(host)
        simulator.add_testbench(self._line, background=True)
        simulator.add_testbench(self._core, background=True)
        simulator.run()

    async def send(self, ctx, content):
        for byte in content:
            for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
                ctx.set(self.link.rx, bit)
                await ctx.tick().repeat(BIT_CYCLES)

    async def reply(self, ctx, length):
        """The next reply, of so many bytes, and nothing behind it."""
        for _ in range(100 * length):
            await ctx.tick().repeat(10)
            if len(self.received) >= length:
                break
        found = bytes(self.received)
        self.received.clear()
        return found

    async def ask(self, ctx, frame, expected):
        await self.send(ctx, frame)
        assert await self.reply(ctx, len(expected)) == expected

    async def is_silent(self, ctx, cycles):
        await ctx.tick().repeat(cycles)
        return not self.received

    def taken(self):
        """Load beats that came, each with its mark of the last one; forgets them."""
        found, self.beats = self.beats, []
        return found

    async def _line(self, ctx):
        """Never ends, so it waits by single ticks: Amaranth could not close a wait for several."""
        while True:
            *_, level = await ctx.tick().sample(self.link.tx)
            if level:
                continue
            for _ in range(BIT_CYCLES // 2 - 1):
                await ctx.tick()
            byte = 0
            for place in range(9):
                for _ in range(BIT_CYCLES):
                    await ctx.tick()
                bit = ctx.get(self.link.tx)
                byte |= bit << place
            assert bit
            self.received.append(byte & 255)

    async def _core(self, ctx):
        link = self.link
        left = None
        ctx.set(link.load.ready, 1)
        ctx.set(link.pixels.ready, 1)
        ctx.set(link.cycles, 0x01020304)
        ctx.set(link.additions, 0x0908070605)
        while True:
            ctx.set(link.status, self.status)
            ctx.set(link.busy, left is not None)
            ctx.set(link.logits.valid, bool(left))
            ctx.set(link.logits.p.data, left[0] if left else 0)
            *_, load, beat, pixel, value, ready, reset = await ctx.tick().sample(
                link.load.valid,
                link.load.p,
                link.pixels.valid,
                link.pixels.p,
                link.logits.ready,
                link.reset,
            )
            self.resets += reset
            if load:
                self.beats.append((beat.data, beat.last))
            if left and ready:
                left = left[1:]
            elif left == []:
                left = None
            if pixel:
                self.pixels.append((value.data, value.last))
                left = list(self.logits) if value.last else None


def beats(number):
    """Bytes of a load packet, and its beats as a core must see them."""
    values = [0x01020304 * (index + 1) & 0xFFFFFFFF for index in range(number)]
    return struct.pack(f"<{number}I", *values), [
        (value, int(index == number - 1)) for index, value in enumerate(values)
    ]


def spoilt(frame):
    return frame[:-1] + bytes([frame[-1] ^ 1])


def test_load_packets_reach_the_core_once_they_are_right():
    bench = Bench()
    kind = RequestType.LOAD
    bench.status = Status.MODEL

    async def host(ctx):
        ctx.set(bench.link.rx, 1)
        await ctx.tick().repeat(20)
        content, expected = beats(WORDS)
        right = reply_frame(kind, Status.MODEL.value)
        wrong = reply_frame(kind, LinkStatus.CHECKSUM)
        await bench.ask(ctx, spoilt(request_frame(kind, content)), wrong)
        assert bench.taken() == []
        await bench.ask(ctx, request_frame(kind, content), right)
        assert bench.taken() == expected
        await bench.ask(
            ctx, request_frame(kind, content[:-1]), reply_frame(kind, LinkStatus.LENGTH)
        )
        assert bench.taken() == []
        assert bench.resets == 0

        # One that is longer than the buffer comes at once, but for its last beat.
        content, expected = beats(WORDS + 3)
        await bench.ask(ctx, request_frame(kind, content), right)
        assert bench.taken() == expected
        assert bench.resets == 0
        await bench.ask(ctx, spoilt(request_frame(kind, content)), wrong)
        assert bench.taken() == expected[:-1]
        assert bench.resets == RESET_CYCLES
        await bench.send(ctx, request_frame(kind, content)[:-6])
        assert await bench.is_silent(ctx, GAP + RESET_CYCLES + BYTE_CYCLES)
        assert bench.taken() == expected[:-2]
        assert bench.resets == 2 * RESET_CYCLES
        await bench.ask(ctx, request_frame(kind, content), right)
        assert bench.taken() == expected

    bench.run(host)


def test_a_frame_is_dropped_after_a_gap_and_not_before():
    bench = Bench()
    kind = RequestType.IDENTITY
    right = reply_frame(kind, 0, IDENTITY)

    async def host(ctx):
        ctx.set(bench.link.rx, 1)
        await ctx.tick().repeat(20)
        frame = request_frame(kind)
        for place in (1, 6, 9):
            await bench.send(ctx, frame[:place])
            # From the middle of one stop bit to that of the next there are ten more bits.
            await ctx.tick().repeat(GAP - BYTE_CYCLES)
            await bench.ask(ctx, frame[place:], right)
            await bench.send(ctx, frame[:place])
            await ctx.tick().repeat(GAP - BYTE_CYCLES + 2)
            await bench.send(ctx, frame[place:])
            assert await bench.is_silent(ctx, GAP + BYTE_CYCLES)
        await bench.ask(ctx, frame, right)
        assert bench.resets == 0

    bench.run(host)


def test_pictures_are_answered_with_logits_or_a_status():
    bench = Bench()
    kind = RequestType.PICTURE
    tail = struct.pack("<IQ", 0x01020304, 0x0908070605)

    async def host(ctx):
        ctx.set(bench.link.rx, 1)
        await ctx.tick().repeat(20)
        frame = request_frame(kind, b"\x07\xa5\x5a")
        await bench.ask(ctx, spoilt(frame), reply_frame(kind, LinkStatus.CHECKSUM))
        assert bench.pixels == []
        bench.logits = [1, 0xFFFFFFFE, 3, 0x80000000]
        logits = struct.pack("<4I", *bench.logits)
        await bench.ask(ctx, frame, reply_frame(kind, 0, logits + tail))
        assert bench.pixels == [(7, 0), (0xA5, 0), (0x5A, 1)]
        bench.logits = [1, 2, 3, 4, 5]
        await bench.ask(ctx, frame, reply_frame(kind, LinkStatus.LENGTH))
        bench.logits, bench.status = [], Status.PIXELS
        await bench.ask(ctx, frame, reply_frame(kind, Status.PIXELS.value))
        too_long = request_frame(kind, bytes(WORDS + 1))
        bench.pixels.clear()
        await bench.ask(ctx, too_long, reply_frame(kind, LinkStatus.LENGTH))
        assert bench.pixels == []
        kind_of_counters = RequestType.COUNTERS
        await bench.ask(
            ctx,
            request_frame(kind_of_counters),
            reply_frame(kind_of_counters, 0, tail + struct.pack("<I", 1)),
        )

    bench.run(host)
