"""A host that sends what it likes to a load port."""

from hw.emit.load_packets import LAST
from hw.emit.memory_images import beats
from hw.rtl.load_port import ACCOUNT

from ..account import Account
from .base import Cycles, generators, pulse


__all__ = ["Host", "bad_packets", "ended"]


class Host:
    """Drives a load port, notes what it does, and compares that with an account.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
    memories, filled, fingerprint
        As ``Account`` has them.
    patience : int
        Of the port.
    stall : float
        Probability of each idle cycle before a beat.
    """

    def __init__(self, dut, *, memories, filled, fingerprint, patience, stall):
        self.rng, _ = generators()
        self.cycles, self.stall = Cycles(dut, self.rng), stall
        self.memories, self.filled, self.patience = memories, filled, patience
        self.written, self.refused, self.expired = [], 0, 0
        self.account = Account(memories, filled=filled, fingerprint=fingerprint)

    async def reset(self):
        """Everything low."""
        await self.cycles.reset(enable=0, beats__valid=0, beats__payload=0)
        self.account.reset()

    async def step(self, **inputs):
        """One cycle, in which idle beats are noise."""
        cycles = self.cycles
        await cycles.step(
            **{"enable": 1, "beats__valid": 0, "beats__payload": cycles.noise("beats__payload")}
            | inputs
        )
        self.refused += cycles.get("refused")
        self.expired += cycles.get("expired")
        write = cycles.get("write")
        if write:
            assert write.bit_count() == 1, "two memories were written at once"
            memory = write.bit_length() - 1
            word = cycles.get("data") & ((1 << self.memories[memory][0]) - 1)
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
            for _ in range(self.patience + 1):
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
        width, _ = self.memories[memory]
        return ended(
            beats(
                memory, [self.rng.getrandbits(width) for _ in range(words)], width, address=address
            )
        )

    def closing(self, flipped=0):
        """Packet that closes the account."""
        return [ACCOUNT << 28, self.account.signature() ^ flipped | LAST]

    async def load(self, *, leave_out=None):
        """A whole load, but for one memory."""
        for memory in range(len(self.memories)):
            if memory != leave_out:
                await self.send(self.good(memory))
        await self.send(self.closing())


def ended(packet):
    """The packet with ``last`` on its last beat."""
    return [*packet[:-1], packet[-1] | LAST]


def bad_packets(host):
    """One of each kind, by name; those without ``last`` are ended by the port.

    Words of memory 0 take one beat, those of the last memory several.
    """
    last = len(host.memories) - 1
    _, depth = host.memories[last]
    top = 0xFFFFFF
    return {
        "unknown memory": ended([len(host.memories) << 28, 1, 2, 3]),
        "memory before the account's": ended([ACCOUNT - 1 << 28, 1]),
        "beyond its depth": host.good(last, address=depth),
        "beyond its depth by a word": host.good(last, address=depth - 1),
        "narrow, beyond its depth by a word": host.good(0, address=host.memories[0][1] - 1),
        "an address that would wrap": host.good(last, address=top, words=3),
        "narrow, an address that would wrap": host.good(0, address=top, words=3),
        "inside a word": ended(host.good(last, words=1)[:-1]),
        "inside the second word": ended(host.good(last)[:-1]),
        "a header only": ended([0]),
        "a header of the account only": ended([ACCOUNT << 28]),
        "an account of two beats": ended([ACCOUNT << 28, host.account.signature(), 1]),
        "an account of four beats": ended([ACCOUNT << 28, host.account.signature(), 1, 2, 3]),
        "a header and silence": [0],
        "words and silence": [word & LAST - 1 for word in host.good(0)],
        "half a word and silence": [word & LAST - 1 for word in host.good(last, words=1)[:-1]],
        "an account's header and silence": [ACCOUNT << 28],
        "an account without its last": [ACCOUNT << 28, host.account.signature()],
        "a long account and silence": [ACCOUNT << 28, host.account.signature(), 1],
        "what is refused, and silence": [last << 28 | depth, 1, 2, 3, 4, 5, 6],
    }
