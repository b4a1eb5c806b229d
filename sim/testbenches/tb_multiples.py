"""Testbench of the multiples: all of them, as soon as they are said to be there."""

import cocotb

from .base import Cycles, generators, parameters


COUNT, WIDTH = parameters()["count"], parameters()["width"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def multiples_are_right(dut):
    """Of one number after the other, each when the multiples of the one before are there."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(start=0, step=0)
    for _ in range(20):
        step = cycles.noise("step")
        await cycles.step(start=1, step=step)
        for _ in range(COUNT):
            await cycles.step(start=0)
            assert not cycles.get("ready")
        for _ in range(3):
            await cycles.step()
            assert cycles.get("ready")
            found = [cycles.get(f"multiples__{index}") for index in range(COUNT)]
            assert found == [index * step % (1 << WIDTH) for index in range(COUNT)]
