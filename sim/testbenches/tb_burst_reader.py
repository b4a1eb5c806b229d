"""Testbench of the burst reader: every beat of every burst in order, and none that is ill."""

import cocotb

from hw.isa.weight_image import BURST

from .base import Cycles, generators, parameters, pulse
from .external_memory import ExternalMemory


WIDTH = parameters()["width"]
BASE = 7 * BURST * WIDTH // 8
#: Bursts that the memory holds.
BURSTS = 9


class Reading:
    """The reader beside a memory of random beats."""

    def __init__(self, dut, *, stall):
        self.rng, _ = generators()
        self.cycles, self.stall = Cycles(dut, self.rng), stall
        self.beats = [self.rng.getrandbits(WIDTH) for _ in range(BURSTS * BURST)]
        self.memory = ExternalMemory(self.cycles, self.beats, width=WIDTH, base=BASE, stall=stall)

    async def reset(self):
        """Nothing is asked for."""
        await self.cycles.reset(
            start=0, base=0, bursts=1, stop=0, beats__ready=0, bus__arready=0, bus__rvalid=0
        )

    async def step(self, **inputs):
        """Lets a cycle pass; returns the beat that is taken in it, or None."""
        ready = pulse(self.rng, 1 - self.stall)
        await self.cycles.step(beats__ready=ready, **self.memory.inputs, **inputs)
        taken = ready and self.cycles.get("beats__valid")
        beat = self.cycles.get("beats__payload") if taken else None
        self.memory.step()
        return beat

    async def run(self, bursts, *, until=lambda beats: False):
        """Reads bursts until all have come, something failed, or ``until``; returns the beats."""
        # Bits within a burst are ignored.
        beats, base = [], BASE + self.rng.randrange(BURST * WIDTH // 8)
        await self.step(start=1, base=base, bursts=bursts, stop=0)
        for _ in range(200 * BURST * bursts):
            # The address is looked at with the start alone.
            beat = await self.step(start=0, base=self.cycles.noise("base"))
            if beat is not None:
                beats.append(beat)
            if self.cycles.get("done") or self.cycles.get("failed") or until(beats):
                return beats
        raise AssertionError(f"{len(beats)} beats came of {bursts} bursts")

    async def wait_for_all(self):
        """Stops, and waits until nothing is still to come."""
        passed = 0
        while not self.cycles.get("idle"):
            assert await self.step(stop=1) is None, "a beat came behind the stop"
            passed += 1
            assert passed < 2000, "the reader does not become idle"


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.4])
async def bursts_come_in_order(dut, stall):
    """Runs of all lengths, one behind the other."""
    reading = Reading(dut, stall=stall)
    await reading.reset()
    for bursts in (1, 2, BURSTS, 5):
        beats = await reading.run(bursts)
        assert beats == reading.beats[: bursts * BURST], f"of {bursts} bursts, other beats came"


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def what_still_comes_behind_a_stop_is_dropped(dut):
    """The next run begins with its own first beat."""
    reading = Reading(dut, stall=0.3)
    await reading.reset()
    for number in (1, 20, 3 * BURST):
        beats = await reading.run(BURSTS, until=lambda beats, number=number: len(beats) == number)
        assert beats == reading.beats[:number]
        await reading.wait_for_all()
        assert await reading.run(2) == reading.beats[: 2 * BURST], "a later run is another one"


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(ill=["error", "last"])
async def a_beat_that_is_ill_is_not_passed_on(dut, ill):
    """Those before it are."""
    reading = Reading(dut, stall=0.3)
    await reading.reset()
    reading.memory.fault = ill, 2 * BURST + 3
    beats = await reading.run(4)
    assert reading.cycles.get("failed"), "nothing failed"
    assert beats == reading.beats[: 2 * BURST + 3], "an ill beat was passed on"
