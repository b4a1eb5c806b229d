"""Bench of the load port: what counts as a model, after any packets that a host may send."""

import random
from itertools import count

import cocotb

from hw.checksum import checksum
from hw.images import beats
from hw.load_port import ACCOUNT

from .bench import Cycles, generators, parameters, pulse


MEMORIES, FILLED, PATIENCE, FINGERPRINT = (
    parameters()[name] for name in ("memories", "filled", "patience", "fingerprint"))
LAST = 1 << 32


class Account:
    """The load port as its docstring has it, packet by packet.

    A packet is a list of beats, ``LAST`` in the last one; without it, the packet is ended.
    """

    def __init__(self):
        self.intact, self.written = FILLED, []
        self.refused = self.expired = 0
        self.close()

    def close(self):
        """A new account."""
        self.beats, self.begun, self.spoilt = [], set(), False

    def reset(self):
        """Memories keep what they hold; whether that is a model is known only if they began so."""
        self.intact = self.intact and FILLED
        self.close()

    def take(self, packet):
        """What one packet does."""
        memory, ended = packet[0] >> 28 & 15, not packet[-1] & LAST
        self.expired += ended
        if memory == ACCOUNT:
            if len(packet) == 2 and not ended:
                self.intact |= (not self.spoilt and len(self.begun) == len(MEMORIES)
                                and packet[1] & LAST - 1 == self.signature())
                self.close()
                return
            bad = not ended or len(packet) > 1
        else:
            self.beats += packet
            bad = self._write(memory, packet[0] & 0xFFFFFF, packet[1:], ended)
        self.refused += bad
        self.spoilt |= bad or ended

    def signature(self):
        """Of the account's beats."""
        return checksum(self.beats, 33, start=FINGERPRINT)

    def _write(self, memory, address, payload, ended):
        """Writes the words of a packet; whether it is malformed."""
        width, depth = MEMORIES[memory] if memory < len(MEMORIES) else (32, 0)
        per_word = -(-width // 32)
        whole, rest = divmod(len(payload), per_word)
        for index in range(whole):
            if address + index >= depth:
                return True
            parts = payload[index * per_word:(index + 1) * per_word]
            word = sum((part & LAST - 1) << 32 * at for at, part in enumerate(parts))
            self.written.append((memory, address + index, word & ((1 << width) - 1)))
            self.intact = False
            if address + index == 0:
                self.begun.add(memory)
        return not ended and (rest > 0 or not payload)


class Port:
    """Drives the load port, and notes what it does."""

    def __init__(self, dut, *, stall):
        self.rng, _ = generators()
        self.cycles, self.stall = Cycles(dut, self.rng), stall
        self.written, self.refused, self.expired = [], 0, 0
        self.account = Account()

    async def reset(self):
        """Everything low."""
        await self.cycles.reset(enable=0, beats__valid=0, beats__payload=0)
        self.account.reset()

    async def step(self, **inputs):
        """One cycle, in which idle beats are noise."""
        cycles = self.cycles
        await cycles.step(**{"enable": 1, "beats__valid": 0,
                             "beats__payload": cycles.noise("beats__payload")} | inputs)
        self.refused += cycles.get("refused")
        self.expired += cycles.get("expired")
        write = cycles.get("write")
        if write:
            assert write.bit_count() == 1, "two memories were written at once"
            memory = write.bit_length() - 1
            word = cycles.get("data") & ((1 << MEMORIES[memory][0]) - 1)
            self.written.append((memory, cycles.get("address"), word))

    async def beat(self, word):
        """Sends one beat, after a random wait that does not end the packet."""
        while pulse(self.rng, self.stall):
            await self.step()
        await self.step(beats__valid=1, beats__payload=word)
        while not self.cycles.get("beats__ready"):
            await self.step(beats__valid=1, beats__payload=word)

    async def send(self, packet):
        """Sends a packet, and waits for its end if it has no last beat."""
        for word in packet:
            await self.beat(word)
        if not packet[-1] & LAST:
            for _ in range(PATIENCE + 1):
                await self.step()
        self.account.take(packet)

    async def check(self, name):
        """Compares with the model, once all has taken effect."""
        for _ in range(4):
            await self.step()
        account = self.account
        assert not self.cycles.get("active"), f"{name}: a packet is under way"
        assert self.written == account.written, f"{name}: {self.written}, not {account.written}"
        for what in ("refused", "expired"):
            mine, golden = getattr(self, what), getattr(account, what)
            assert mine == golden, f"{name}: {what} {mine} times, not {golden}"
        intact = self.cycles.get("intact")
        assert intact == account.intact, f"{name}: intact is {intact}"
        self.written.clear()
        account.written.clear()

    def good(self, memory, *, address=0, words=2):
        """Packet of random words for a memory."""
        width, _ = MEMORIES[memory]
        return ended(beats(memory, [self.rng.getrandbits(width) for _ in range(words)], width,
                           address=address))

    def closing(self, flipped=0):
        """Packet that closes the account."""
        return [ACCOUNT << 28, self.account.signature() ^ flipped | LAST]

    async def load(self, *, leave_out=None, order=None):
        """A whole load, but for one memory."""
        for memory in order or range(len(MEMORIES)):
            if memory != leave_out:
                await self.send(self.good(memory))
        await self.send(self.closing())


def ended(packet):
    """The packet with ``last`` on its last beat."""
    return [*packet[:-1], packet[-1] | LAST]


def bad_packets(port):
    """One of each kind, by name; those without ``last`` are ended by the port.

    Words of memory 0 take one beat, those of the last memory several.
    """
    last = len(MEMORIES) - 1
    _, depth = MEMORIES[last]
    top = 0xFFFFFF
    return {
        "unknown memory": ended([len(MEMORIES) << 28, 1, 2, 3]),
        "memory before the account's": ended([ACCOUNT - 1 << 28, 1]),
        "beyond its depth": port.good(last, address=depth),
        "beyond its depth by a word": port.good(last, address=depth - 1),
        "narrow, beyond its depth by a word": port.good(0, address=MEMORIES[0][1] - 1),
        "an address that would wrap": port.good(last, address=top, words=3),
        "narrow, an address that would wrap": port.good(0, address=top, words=3),
        "inside a word": ended(port.good(last, words=1)[:-1]),
        "inside the second word": ended(port.good(last)[:-1]),
        "a header only": ended([0]),
        "a header of the account only": ended([ACCOUNT << 28]),
        "an account of two beats": ended([ACCOUNT << 28, port.account.signature(), 1]),
        "an account of four beats": ended([ACCOUNT << 28, port.account.signature(), 1, 2, 3]),
        "a header and silence": [0],
        "words and silence": [word & LAST - 1 for word in port.good(0)],
        "half a word and silence": [word & LAST - 1 for word in port.good(last, words=1)[:-1]],
        "an account's header and silence": [ACCOUNT << 28],
        "an account without its last": [ACCOUNT << 28, port.account.signature()],
        "a long account and silence": [ACCOUNT << 28, port.account.signature(), 1],
        "what is refused, and silence": [last << 28 | depth, 1, 2, 3, 4, 5, 6],
    }


async def start(dut, *, stall=0.0):
    """The port after reset, which the test before may have left without a model."""
    port = Port(dut, stall=stall)
    await port.reset()
    port.account.intact = FILLED and bool(port.cycles.get("intact"))
    await port.check("after reset")
    return port


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def filled_memories_hold_a_model_from_the_beginning(dut):
    """Runs first."""
    port = await start(dut)
    assert port.account.intact == FILLED


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.4])
async def a_whole_load_is_a_model(dut, stall):
    """In any order; from its first word to its last packet there is none."""
    port = await start(dut, stall=stall)
    for _ in range(3):
        order = random.Random(port.rng.random()).sample(range(len(MEMORIES)), len(MEMORIES))
        for memory in order:
            await port.send(port.good(memory))
            await port.check(f"memory {memory}")
            assert not port.account.intact
        await port.send(port.closing())
        await port.check("the last packet")
        assert port.account.intact


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def what_is_not_whole_is_no_model(dut):
    """A memory left out, a wrong signature, an account closed twice; then a right one."""
    port = await start(dut)
    for memory in range(len(MEMORIES)):
        await port.load(leave_out=memory)
        await port.check(f"without memory {memory}")
        assert not port.account.intact
    for bit in (0, 13, 31):
        for memory in range(len(MEMORIES)):
            await port.send(port.good(memory))
        await port.send(port.closing(1 << bit))
        await port.check(f"bit {bit} of the signature")
        assert not port.account.intact
        await port.send(port.closing())
        await port.check("an empty account")
        assert not port.account.intact
    # The first word of a memory is what counts.
    for memory in range(len(MEMORIES)):
        await port.send(port.good(memory, address=int(memory == 1)))
    await port.send(port.closing())
    await port.check("memory 1 from its second word on")
    assert not port.account.intact
    await port.load()
    await port.check("a whole load")
    assert port.account.intact


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def bad_packets_spoil_the_account(dut):
    """Each kind, alone and at each place of a load, gapless; the load after that is right."""
    port = await start(dut)
    for name in bad_packets(port):
        await port.load()
        assert port.account.intact
        await port.send(bad_packets(port)[name])
        await port.check(name)
        await port.load()
        await port.check(f"a load after {name}")
        assert not port.account.intact
        for place in (0, len(MEMORIES) - 1, len(MEMORIES)):
            for memory in range(len(MEMORIES)):
                if memory == place:
                    await port.send(bad_packets(port)[name])
                await port.send(port.good(memory))
            if place == len(MEMORIES):
                await port.send(bad_packets(port)[name])
            await port.send(port.closing())
            await port.check(f"{name} at place {place}")
            assert not port.account.intact
    await port.load()
    await port.check("a whole load")
    assert port.account.intact


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_wrong_beat_is_found(dut):
    """Though every packet is a good one, and no memory is left out."""
    port = await start(dut)

    async def load(packets, signed):
        for packet in packets:
            await port.send(packet)
        await port.send([ACCOUNT << 28, checksum(
            [word for packet in signed for word in packet], 33, start=FINGERPRINT) | LAST])
        await port.check(f"{packets} signed as {signed}")
        return port.account.intact

    others = [port.good(memory) for memory in range(1, len(MEMORIES))]
    # Words that are headers of the same memory, too.
    first, second = [0, 1, 2 | LAST], [2, 3, 4, 5 | LAST]
    split, joined = [[2, 3 | LAST], [4, 5 | LAST]], [0, 1, 2, 2, 3, 4, 5 | LAST]
    good = [first, second, *others]
    wrong = {
        "a flipped bit": [first, [2, 3, 4, 7 | LAST], *others],
        "a flipped bit of a header": [first, [3, 3, 4, 5 | LAST], *others],
        "an added last": [first, *split, *others],
        "a lost last": [joined, *others],
        "a dropped beat": [first, [2, 3, 5 | LAST], *others],
        "a doubled beat": [first, [2, 3, 4, 4, 5 | LAST], *others],
        "swapped beats": [first, [2, 4, 3, 5 | LAST], *others],
        "swapped packets": [second, first, *others],
    }
    for name, packets in wrong.items():
        assert not await load(packets, good), name
    assert await load(good, good)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def reset_forgets_the_account_and_not_the_memories(dut):
    """After a load, in the middle of one, in a packet, and after a bad packet."""
    port = await start(dut)
    await port.load()
    await port.reset()
    await port.check("after a load")
    assert port.account.intact == FILLED
    for sent in ([port.good(0)], [port.good(0), port.good(1)[:2]], [ended([0])]):
        for packet in sent:
            for word in packet:
                await port.beat(word)
            if packet[-1] & LAST:
                port.account.take(packet)
            else:
                port.account.intact = False
        for _ in range(2):
            await port.step()
        port.written.clear()
        port.account.written.clear()
        await port.reset()
        await port.check(f"after {sent}")
        for memory in range(1, len(MEMORIES)):
            await port.send(port.good(memory))
        await port.send(port.closing())
        await port.check("the rest of a load")
        await port.load()
        await port.check("a load after reset")
        assert port.account.intact


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_packet_is_ended_after_so_many_cycles(dut):
    """One beat a cycle earlier goes on with the packet; one that comes then is a header."""
    port = await start(dut)
    good = port.good(0, words=5)
    for word in good[:3]:
        await port.beat(word)
        for _ in range(PATIENCE - 1):
            await port.step()
    for word in good[3:]:
        await port.beat(word)
    port.account.take(good)
    await port.check("a slow packet")
    for packet in (port.good(0), port.good(len(MEMORIES) - 1), [ACCOUNT << 28, 0]):
        half = [word & LAST - 1 for word in packet[:2]]
        for word in half:
            await port.beat(word)
        for _ in range(PATIENCE):
            await port.step()
            assert not port.expired or port.account.expired == port.expired, "ended too early"
        # No cycle passes between the end and a header that waits for it.
        port.account.take(half)
        await port.send(port.good(1))
        await port.check("the packet behind it")


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def packets_wait_until_enabled(dut):
    """A packet begins only if it may, and then goes on to its end, however long it waited."""
    port = await start(dut)
    packet = port.good(1)
    for _ in range(2 * PATIENCE):
        await port.step(enable=0, beats__valid=1, beats__payload=packet[0])
        assert not port.cycles.get("beats__ready"), "a beat was taken that had to wait"
        assert not port.cycles.get("begins")
    await port.step(beats__valid=1, beats__payload=packet[0])
    assert port.cycles.get("begins")
    for word in packet[1:]:
        await port.step(enable=0, beats__valid=1, beats__payload=word)
        assert not port.cycles.get("begins")
    port.account.take(packet)
    await port.check("a packet that waited")


@cocotb.test(timeout_time=60, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.3])
async def anything_a_host_may_send(dut, stall):
    """Random packets, good and bad, gapless or not, between loads, and now and then a reset."""
    port = await start(dut, stall=stall)
    rng, models = port.rng, 0
    for episode in count():
        kind = rng.randrange(6)
        if kind == 0:
            await port.send(rng.choice(list(bad_packets(port).values())))
        elif kind == 1:
            await port.send(port.closing(rng.choice((0, 1 << rng.randrange(32)))))
        elif kind == 2:
            memory = rng.randrange(len(MEMORIES))
            words = rng.randrange(1, 4)
            address = rng.randrange(MEMORIES[memory][1] - words + 1)
            await port.send(port.good(memory, address=address, words=words))
        elif kind == 3 and pulse(rng, 0.3):
            await port.check(f"episode {episode}")
            await port.reset()
        else:
            await port.load(leave_out=rng.choice((None, None, None, 1)))
        if pulse(rng, 0.7):
            await port.check(f"episode {episode}")
            models += port.account.intact
        if episode > 150:
            break
    await port.check("the end")
    assert models > 10, f"only {models} loads were models"
