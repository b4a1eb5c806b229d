"""What the load port must make of the packets that it gets, in Python."""

from hw.emit.load_packets import LAST
from hw.isa.checksum import checksum
from hw.rtl.load_port import ACCOUNT


__all__ = ["Account"]


class Account:
    """The load port as its docstring has it, packet by packet.

    A packet is a list of beats, ``LAST`` in the last one; without it, the packet is ended.

    Parameters
    ----------
    memories : list of (int, int)
        Width and depth of each.
    filled : bool
        Whether they begin with a model.
    fingerprint : int
    """

    def __init__(self, memories, *, filled, fingerprint):
        self.memories, self.filled, self.fingerprint = memories, filled, fingerprint
        self.intact, self.written = filled, []
        self.refused = self.expired = 0
        self.close()

    def close(self):
        """A new account."""
        self.beats, self.begun, self.spoilt = [], set(), False

    def reset(self):
        """Memories keep what they hold; whether that is a model is known only if they began so."""
        self.intact = self.intact and self.filled
        self.close()

    def take(self, packet):
        """What one packet does."""
        memory, ended = packet[0] >> 28 & 15, not packet[-1] & LAST
        self.expired += ended
        if memory == ACCOUNT:
            if len(packet) == 2 and not ended:
                self.intact |= (
                    not self.spoilt
                    and len(self.begun) == len(self.memories)
                    and packet[1] & LAST - 1 == self.signature()
                )
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
        return checksum(self.beats, 33, start=self.fingerprint)

    def _write(self, memory, address, payload, ended):
        """Writes the words of a packet; whether it is malformed."""
        width, depth = self.memories[memory] if memory < len(self.memories) else (32, 0)
        per_word = -(-width // 32)
        whole, rest = divmod(len(payload), per_word)
        for index in range(whole):
            if address + index >= depth:
                return True
            parts = payload[index * per_word : (index + 1) * per_word]
            word = sum((part & LAST - 1) << 32 * at for at, part in enumerate(parts))
            self.written.append((memory, address + index, word & ((1 << width) - 1)))
            self.intact = False
            if address + index == 0:
                self.begun.add(memory)
        return not ended and (rest > 0 or not payload)
