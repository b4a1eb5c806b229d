"""Testbench of any component: cycles from an input to what comes of it."""

import cocotb

from .base import Cycles, generators, parameters


#: Cycles for which nothing is at an input, before and at most behind what is.
QUIET, MOST = 8, 400


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_latency_is_what_it_is_said_to_be(dut):
    """A port is 0 until some cycles after the inputs came; they stay, or are there for a cycle."""
    asked = parameters()
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    mask = asked["mask"]
    rest = dict.fromkeys(asked["inputs"], 0) | asked["held"]
    await cycles.reset(**rest)
    for _ in range(QUIET):
        await cycles.step(**rest)
        assert not cycles.get(asked["watched"]) & mask, "something comes of nothing"
    for passed in range(MOST):
        await cycles.step(**(rest if passed and not asked["stays"] else rest | asked["given"]))
        if cycles.get(asked["watched"]) & mask:
            break
    assert passed == asked["cycles"], f"{passed} cycles, not {asked['cycles']}"
