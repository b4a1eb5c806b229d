"""The external memory that testbenches read: bursts, pauses and faults."""

from hw.isa.weight_image import BURST
from hw.rtl.burst_reader import OUTSTANDING

from .base import pulse


__all__ = ["ExternalMemory"]


class ExternalMemory:
    """The read channels of a memory, modelled from the AXI4 specification; one step per cycle.

    It answers bursts in order, after random times and with random pauses.

    Parameters
    ----------
    cycles : Cycles
    beats : list of int
        What it holds.
    width : int
        Bits of a beat.
    base : int
        Byte address of the first beat, a multiple of a burst's bytes.
    stall : float
        Probability of a pause, on each channel.

    Attributes
    ----------
    inputs : dict of str to int
        What it drives in the next cycle.
    fault : (str, int) or None
        What goes wrong with the beat of a number: an ``error`` response, a misplaced ``last``, a
        burst that is too ``short``, a ``dead`` memory, or a wrong bit (``flip``, or ``length`` of
        a section).
    silent_for : int
        Cycles for which nothing was asked for or answered.
    """

    def __init__(self, cycles, beats, *, width, base, stall):
        self.burst_bytes, self.base = BURST * width // 8, base
        self.cycles, self.rng, self.beats, self.stall = cycles, cycles.rng, beats, stall
        self.queue, self.offered, self.waiting = [], None, None
        self.fault = None
        self.silent_for = 0
        self.inputs = {}

    def step(self):
        """What the memory drives in the next cycle, after what was transferred in this one."""
        cycles = self.cycles
        if cycles.get("bus__arvalid"):
            address = cycles.get("bus__araddr")
            assert self.waiting in (None, address), "araddr must stay until the transfer"
            assert address % self.burst_bytes == 0, f"burst at {address:#x} is not aligned"
            if self.inputs.get("bus__arready"):
                first = (address - self.base) // self.burst_bytes * BURST
                assert 0 <= first < len(self.beats), f"{address:#x} is not in the image"
                due = cycles.count + self.rng.randrange(40)
                self.queue += [(first + index, due) for index in range(BURST)]
                assert len(self.queue) <= BURST * OUTSTANDING, "too many bursts at a time"
                address = None
            self.waiting = address
        else:
            assert self.waiting is None, "arvalid must stay until the transfer"
        if self.offered is not None and cycles.get("bus__rready"):
            self.offered = None
        dead = bool(self.queue) and self.fault == ("dead", self.queue[0][0])
        busy = self.waiting is not None or self.offered is not None or (self.queue and not dead)
        self.silent_for = 0 if busy else self.silent_for + 1
        if (
            self.offered is None
            and self.queue
            and cycles.count >= self.queue[0][1]
            and not dead
            and not pulse(self.rng, self.stall)
        ):
            self.offered = self.queue.pop(0)[0]
        self.inputs = {
            "bus__arready": pulse(self.rng, 1 - self.stall),
            "bus__rvalid": int(self.offered is not None),
        }
        beat = self.offered
        if beat is None:
            self.inputs |= {
                name: cycles.noise(name) for name in ("bus__rdata", "bus__rresp", "bus__rlast")
            }
            return
        ill = self.fault[0] if self.fault is not None and self.fault[1] == beat else None
        if ill == "short":
            self.queue = [
                (other, due) for other, due in self.queue if other // BURST != beat // BURST
            ]
        flipped = {"flip": 1, "length": 1 << 60}.get(ill, 0)
        last = (beat % BURST == BURST - 1) != (ill in ("last", "short"))
        self.inputs |= {
            "bus__rdata": self.beats[beat] ^ flipped,
            "bus__rresp": 2 if ill == "error" else 0,
            "bus__rlast": int(last),
        }
