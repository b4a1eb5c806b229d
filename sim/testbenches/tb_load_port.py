"""Testbench of the load port: what counts as a model, after any packets that a host may send."""

from itertools import count

import cocotb

from hw.emit.load_packets import LAST
from hw.isa.checksum import checksum
from hw.rtl.load_port import ACCOUNT

from .base import parameters, pulse
from .load_host import Host, bad_packets, ended


async def start(dut, *, stall=0.0):
    """The port after reset, which the test before may have left without a model."""
    host = Host(dut, stall=stall, **parameters())
    await host.reset()
    host.account.intact = host.filled and bool(host.cycles.get("intact"))
    await host.check("after reset")
    return host


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def filled_memories_hold_a_model_from_the_beginning(dut):
    """Runs first."""
    host = await start(dut)
    assert host.account.intact == host.filled


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.4])
async def a_whole_load_is_a_model(dut, stall):
    """In any order; from its first word to its last packet there is none."""
    host = await start(dut, stall=stall)
    for _ in range(3):
        for memory in host.rng.sample(range(len(host.memories)), len(host.memories)):
            await host.send(host.good(memory))
            await host.check(f"memory {memory}")
            assert not host.account.intact
        await host.send(host.closing())
        await host.check("the last packet")
        assert host.account.intact


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def what_is_not_whole_is_no_model(dut):
    """A memory left out, a wrong signature, an account closed twice; then a right one."""
    host = await start(dut)
    for memory in range(len(host.memories)):
        await host.load(leave_out=memory)
        await host.check(f"without memory {memory}")
        assert not host.account.intact
    for bit in (0, 13, 31):
        for memory in range(len(host.memories)):
            await host.send(host.good(memory))
        await host.send(host.closing(1 << bit))
        await host.check(f"bit {bit} of the signature")
        assert not host.account.intact
        await host.send(host.closing())
        await host.check("an empty account")
        assert not host.account.intact
    # The first word of a memory is what counts.
    for memory in range(len(host.memories)):
        await host.send(host.good(memory, address=int(memory == 1)))
    await host.send(host.closing())
    await host.check("memory 1 from its second word on")
    assert not host.account.intact
    await host.load()
    await host.check("a whole load")
    assert host.account.intact


@cocotb.test(timeout_time=40, timeout_unit="ms")
async def bad_packets_spoil_the_account(dut):
    """Each kind, alone and at each place of a load, gapless; the load after that is right."""
    host = await start(dut)
    for name in bad_packets(host):
        await host.load()
        assert host.account.intact
        await host.send(bad_packets(host)[name])
        await host.check(name)
        await host.load()
        await host.check(f"a load after {name}")
        assert not host.account.intact
        for place in (0, len(host.memories) - 1, len(host.memories)):
            for memory in range(len(host.memories)):
                if memory == place:
                    await host.send(bad_packets(host)[name])
                await host.send(host.good(memory))
            if place == len(host.memories):
                await host.send(bad_packets(host)[name])
            await host.send(host.closing())
            await host.check(f"{name} at place {place}")
            assert not host.account.intact
    await host.load()
    await host.check("a whole load")
    assert host.account.intact


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_wrong_beat_is_found(dut):
    """Though every packet is a good one, and no memory is left out."""
    host = await start(dut)

    async def load(packets, signed):
        for packet in packets:
            await host.send(packet)
        words = (word for packet in signed for word in packet)
        signature = checksum(words, 33, start=host.account.fingerprint)
        await host.send([ACCOUNT << 28, signature | LAST])
        await host.check(f"{packets} signed as {signed}")
        return host.account.intact

    others = [host.good(memory) for memory in range(1, len(host.memories))]
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
    host = await start(dut)
    await host.load()
    await host.reset()
    await host.check("after a load")
    assert host.account.intact == host.filled
    for sent in ([host.good(0)], [host.good(0), host.good(1)[:2]], [ended([0])]):
        for packet in sent:
            for word in packet:
                await host.beat(word)
            if packet[-1] & LAST:
                host.account.take(packet)
            else:
                host.account.intact = False
        for _ in range(2):
            await host.step()
        host.written.clear()
        host.account.written.clear()
        await host.reset()
        await host.check(f"after {sent}")
        for memory in range(1, len(host.memories)):
            await host.send(host.good(memory))
        await host.send(host.closing())
        await host.check("the rest of a load")
        await host.load()
        await host.check("a load after reset")
        assert host.account.intact


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_packet_is_ended_after_so_many_cycles(dut):
    """One beat a cycle earlier goes on with the packet; one that comes then is a header."""
    host = await start(dut)
    good = host.good(0, words=5)
    for word in good[:3]:
        await host.beat(word)
        for _ in range(host.patience - 1):
            await host.step()
    for word in good[3:]:
        await host.beat(word)
    host.account.take(good)
    await host.check("a slow packet")
    for packet in (host.good(0), host.good(len(host.memories) - 1), [ACCOUNT << 28, 0]):
        half = [word & LAST - 1 for word in packet[:2]]
        for word in half:
            await host.beat(word)
        for _ in range(host.patience):
            await host.step()
            assert not host.expired or host.account.expired == host.expired, "ended too early"
        # No cycle passes between the end and a header that waits for it.
        host.account.take(half)
        await host.send(host.good(1))
        await host.check("the packet behind it")


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def packets_wait_until_enabled(dut):
    """A packet begins only if it may, and then goes on to its end, however long it waited."""
    host = await start(dut)
    packet = host.good(1)
    for _ in range(2 * host.patience):
        await host.step(enable=0, beats__valid=1, beats__payload=packet[0])
        assert not host.cycles.get("beats__ready"), "a beat was taken that had to wait"
        assert not host.cycles.get("begins")
    await host.step(beats__valid=1, beats__payload=packet[0])
    assert host.cycles.get("begins")
    for word in packet[1:]:
        await host.step(enable=0, beats__valid=1, beats__payload=word)
        assert not host.cycles.get("begins")
    host.account.take(packet)
    await host.check("a packet that waited")


@cocotb.test(timeout_time=60, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.3])
async def anything_a_host_may_send(dut, stall):
    """Random packets, good and bad, gapless or not, between loads, and now and then a reset."""
    host = await start(dut, stall=stall)
    rng, models = host.rng, 0
    for episode in count():
        kind = rng.randrange(6)
        if kind == 0:
            await host.send(rng.choice(list(bad_packets(host).values())))
        elif kind == 1:
            await host.send(host.closing(rng.choice((0, 1 << rng.randrange(32)))))
        elif kind == 2:
            memory = rng.randrange(len(host.memories))
            words = rng.randrange(1, 4)
            address = rng.randrange(host.memories[memory][1] - words + 1)
            await host.send(host.good(memory, address=address, words=words))
        elif kind == 3 and pulse(rng, 0.3):
            await host.check(f"episode {episode}")
            await host.reset()
        else:
            await host.load(leave_out=rng.choice((None, None, None, 1)))
        if pulse(rng, 0.7):
            await host.check(f"episode {episode}")
            models += host.account.intact
        if episode > 150:
            break
    await host.check("the end")
    assert models > 10, f"only {models} loads were models"
