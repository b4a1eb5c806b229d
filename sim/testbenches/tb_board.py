"""Testbench of a board's top module at its pins: a host, bit by bit, against golden."""

import struct

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, Timer

import golden
from hw.driver.chunks import chunks, payload
from hw.emit.load_packets import closing_packet, packets
from hw.isa.core_config import CoreConfig
from hw.isa.frames import (
    BUFFER_WORDS,
    REPLY_MARK,
    REQUEST_MARK,
    LinkStatus,
    RequestType,
    reply_frame,
    request_frame,
)
from hw.isa.identity import identity
from hw.isa.status import Status
from hw.load import lay_out

from .base import CYCLE_NS, generators, parameters


#: Cycles of reset at the start, and some more.
START_CYCLES = 200
#: Most cycles from the end of a request to the end of its reply.
PATIENCE = 200_000


class Host:
    """The other end of the serial line.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
    bit_cycles : int
        Clock cycles of a bit.
    """

    def __init__(self, dut, bit_cycles):
        self.dut = dut
        self.bit_cycles = bit_cycles
        self.received = bytearray()

    async def start(self, button_up):
        """Lets the reset at the start pass, and listens from then on."""
        self.dut.button.value = button_up
        self.dut.rx.value = 1
        await self.wait(START_CYCLES)
        cocotb.start_soon(self._listen())

    async def wait(self, cycles):
        """Lets cycles pass."""
        await Timer(cycles * CYCLE_NS, unit="ns")

    async def send(self, content, *, gap=0):
        """Sends bytes; `gap` cycles between the stop bit of one and the start bit of the next."""
        for byte in content:
            for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
                self.dut.rx.value = bit
                await self.wait(self.bit_cycles)
            if gap:
                await self.wait(gap)

    async def reply(self):
        """Bytes of the next reply; nothing else may come."""
        for _ in range(PATIENCE // 100):
            if len(self.received) >= 7:
                assert self.received[0] == REPLY_MARK, self.received.hex()
                length = 7 + struct.unpack_from("<I", self.received, 3)[0] + 4
                if len(self.received) >= length:
                    found = bytes(self.received[:length])
                    del self.received[:length]
                    return found
            await self.wait(100)
        raise AssertionError(f"no reply came, but {self.received.hex() or 'nothing'}")

    async def ask(self, kind, content=b""):
        """Reply to a request."""
        await self.send(request_frame(kind, content))
        return await self.reply()

    async def is_silent(self, cycles):
        """Whether nothing comes for so long."""
        await self.wait(cycles)
        return not self.received

    async def _listen(self):
        while True:
            await FallingEdge(self.dut.tx)
            await self.wait(self.bit_cycles // 2)
            bits = []
            for place in range(10):
                bits.append(int(self.dut.tx.value))
                # The next start bit is half a bit away from the middle of the stop bit.
                await self.wait(self.bit_cycles if place < 9 else 1)
            assert (bits[0], bits[9]) == (0, 1), bits
            self.received.append(sum(bit << place for place, bit in enumerate(bits[1:9])))


class Setting:
    """What a run is about: models, pictures and what golden makes of them."""

    def __init__(self):
        given = parameters()
        self.rng, _ = generators()
        self.bit_cycles, self.gap = given["bit_cycles"], given["gap"]
        self.button_up = given["button_up"]
        self.config = CoreConfig.from_dict(given["config"])
        self.models = [golden.load(name) for name in given["models"]]
        self.pictures = np.array(given["pictures"], np.uint8)
        self.counters = given["counters"]

    def logits(self, model):
        """Logits of all pictures, as bytes."""
        found = golden.run(model, self.pictures).logits
        return [b"".join(struct.pack("<i", logit) for logit in row) for row in found.tolist()]


async def begin(dut):
    """A host at a board that was just switched on."""
    setting = Setting()
    host = Host(dut, setting.bit_cycles)
    await host.start(setting.button_up)
    return setting, host


def picture_reply(reply, logits):
    """Cycles and additions of a reply, whose logits must be the right ones."""
    tail = reply[-16:-4]
    assert reply == reply_frame(RequestType.PICTURE, 0, logits + tail)
    return struct.unpack("<IQ", tail)


@cocotb.test()
async def answers_are_those_of_golden(dut):
    """Identity, pictures, counters and reset, and lights."""
    setting, host = await begin(dut)
    name = identity(setting.config)
    assert await host.ask(RequestType.IDENTITY) == reply_frame(RequestType.IDENTITY, 0, name)
    counters = (0, 0)
    for number, logits in enumerate(setting.logits(setting.models[0])):
        found = await host.ask(RequestType.PICTURE, setting.pictures[number].tobytes())
        counters = picture_reply(found, logits)
        assert counters == tuple(setting.counters[number])
        expected = struct.pack("<IQI", *counters, number + 1)
        found = await host.ask(RequestType.COUNTERS)
        assert found == reply_frame(RequestType.COUNTERS, 0, expected)
    assert await host.ask(RequestType.RESET) == reply_frame(RequestType.RESET, 0)
    found = await host.ask(RequestType.COUNTERS)
    assert found == reply_frame(RequestType.COUNTERS, 0, bytes(16))


@cocotb.test()
async def broken_requests_have_no_effect(dut):
    """Noise, wrong checksums, wrong types and lengths, and frames that are cut; then a picture."""
    setting, host = await begin(dut)
    all_logits = setting.logits(setting.models[0])
    right = request_frame(RequestType.PICTURE, setting.pictures[1].tobytes())
    kind = RequestType.PICTURE

    async def next_is_right():
        found = await host.ask(kind, setting.pictures[0].tobytes())
        assert picture_reply(found, all_logits[0]) == tuple(setting.counters[0])

    await host.send([byte for byte in setting.rng.randbytes(300) if byte != REQUEST_MARK])
    await next_is_right()
    for place in {
        5,
        6,
        len(right) - 5,
        len(right) - 4,
        len(right) - 1,
        *_places(setting.rng, right),
    }:
        spoilt = bytearray(right)
        spoilt[place] ^= 1 << setting.rng.randrange(8)
        await host.send(spoilt)
        if 2 <= place <= 5:
            # Its length is another one: it ends after a gap, or early.
            await host.wait(setting.gap + 20 * setting.bit_cycles)
            host.received.clear()
        else:
            # Its type may be another one, too.
            found = await host.reply()
            assert found[2] == LinkStatus.CHECKSUM, (place, found.hex())
            assert found == reply_frame(spoilt[1], LinkStatus.CHECKSUM)
    await next_is_right()
    for other in (0, 6, 0x25, 0x7F):
        found = await host.ask(other, b"abc")
        assert found == reply_frame(other, LinkStatus.TYPE)
    for other in (RequestType.COUNTERS, RequestType.RESET, RequestType.IDENTITY):
        assert await host.ask(other, b"a") == reply_frame(other, LinkStatus.LENGTH)
    for content in (b"", bytes(5)):
        assert await host.ask(RequestType.LOAD, content) == reply_frame(1, LinkStatus.LENGTH)
    assert await host.ask(kind) == reply_frame(kind, LinkStatus.LENGTH)
    too_long = bytes(4 * BUFFER_WORDS * len(setting.pictures[0, 0, 0]))
    assert await host.ask(kind, too_long) == reply_frame(kind, LinkStatus.LENGTH)
    await next_is_right()
    # The core itself knows how many pixels its model takes.
    short = setting.pictures[1].tobytes()[: -setting.config.pixel_channels]
    assert await host.ask(kind, short) == reply_frame(kind, Status.PIXELS.value)
    await next_is_right()
    for place in (1, 4, 6, 20, len(right) - 1):
        await host.send(right[:place])
        assert await host.is_silent(setting.gap + 20 * setting.bit_cycles)
        await next_is_right()
    # A gap that is just short of the limit is none.
    await host.send(right[:9], gap=setting.gap - 20 * setting.bit_cycles)
    await host.send(right[9:])
    picture_reply(await host.reply(), all_logits[1])


@cocotb.test()
async def loads_are_checked_first(dut):
    """Another model and back: in short packets, spoilt ones between them, and in long ones."""
    setting, host = await begin(dut)
    pictures = [picture.tobytes() for picture in setting.pictures]
    await _loads_short(setting, host, setting.models[1], spoil=True)
    for picture, logits in zip(pictures, setting.logits(setting.models[1]), strict=True):
        picture_reply(await host.ask(RequestType.PICTURE, picture), logits)

    long = packets(lay_out(setting.models[0], setting.config), setting.config)
    longest = max(long, key=len)
    assert len(longest) > BUFFER_WORDS
    spoilt = bytearray(request_frame(RequestType.LOAD, payload(longest)))
    spoilt[-20] ^= 4
    await host.send(spoilt)
    assert await host.reply() == reply_frame(RequestType.LOAD, LinkStatus.CHECKSUM)
    # What the core had as a model is partly gone.
    found = await host.ask(RequestType.PICTURE, pictures[0])
    assert found == reply_frame(RequestType.PICTURE, Status.MODEL.value)
    await host.send(request_frame(RequestType.LOAD, payload(longest))[:-8])
    assert await host.is_silent(setting.gap + 20 * setting.bit_cycles)
    statuses = [(await host.ask(RequestType.LOAD, payload(packet)))[2] for packet in long]
    assert statuses == [Status.MODEL.value] * (len(long) - 1) + [Status.OK.value]
    for picture, logits in zip(pictures, setting.logits(setting.models[0]), strict=True):
        picture_reply(await host.ask(RequestType.PICTURE, picture), logits)


async def _loads_short(setting, host, model, *, spoil):
    """Loads a model in packets that the board checks first; some come spoilt, and come again."""
    config = setting.config
    *whole, _ = packets(lay_out(model, config), config)
    widths = [width for width, _ in config.memories.values()]
    parts = [
        part for packet, width in zip(whole, widths, strict=True) for part in chunks(packet, width)
    ]
    parts.append(closing_packet(parts, config))
    assert await host.ask(RequestType.RESET) == reply_frame(RequestType.RESET, 0)
    for number, part in enumerate(parts):
        if spoil and number % 5 == 0:
            frame = bytearray(request_frame(RequestType.LOAD, payload(part)))
            frame[setting.rng.randrange(6, len(frame))] ^= 0x10
            await host.send(frame)
            assert await host.reply() == reply_frame(RequestType.LOAD, LinkStatus.CHECKSUM)
        found = await host.ask(RequestType.LOAD, payload(part))
        status = Status.MODEL if number < len(parts) - 1 else Status.OK
        assert found == reply_frame(RequestType.LOAD, status.value), (number, found.hex())


def _places(rng, frame):
    """Some bytes of a frame behind its mark."""
    return rng.sample(range(1, len(frame)), 3)
