"""Testbench of a column's lanes: the readout gives every lane's sum, one per cycle, in order."""

import cocotb
import numpy as np

from .base import Cycles, generators, packed, parameters


LANES = parameters()
N_LANES, ENTRY_WIDTH = LANES["lanes"], LANES["entry_width"]


async def read_out(cycles, expected, *, first_lane, gap, background):
    """Releases the lanes from ``first_lane`` down to 0 and compares what is taken."""
    lane, awaited, started = first_lane, None, cycles.count
    while lane >= 0 or awaited is not None:
        release = lane >= 0 and not cycles.rng.random() < gap
        await cycles.step(release=1 << lane if release else 0, **background())
        if awaited is not None:
            actual = cycles.get_signed("taken")
            assert actual == expected[awaited], f"lane {awaited}: {actual}, not {expected[awaited]}"
        awaited = lane if release else None
        lane -= release
    if not gap:
        assert cycles.count - started == first_lane + 2, "a lane waited"
    await cycles.step(release=0, valid=0, last=0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.6])
async def sums_are_taken_lane_by_lane(dut, gap):
    """While one position is read out, events of the next one are added."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(valid=0, double=0, last=0, row=0, release=0)
    started = np.zeros(N_LANES, np.int64)

    def row():
        """Values of a random row, and the row."""
        least = -(1 << ENTRY_WIDTH - 1)
        values = draw.integers(least, -least, N_LANES)
        if rng.random() < 0.2:
            values[:] = least
        return values, packed(values, ENTRY_WIDTH)

    for position in range(12):
        values, word = row()
        expected = started + values
        await cycles.step(valid=1, double=0, last=1, release=0, row=word)
        started = np.zeros(N_LANES, np.int64)
        accumulate = 3 if position % 2 else 0

        def background():
            nonlocal accumulate, started
            if not accumulate or rng.random() < 0.3:
                return {"valid": 0, "last": 0, "row": cycles.noise("row")}
            accumulate -= 1
            values, word = row()
            started = started + values
            return {"valid": 1, "double": 0, "last": 0, "row": word}

        await read_out(cycles, expected, first_lane=N_LANES - 1, gap=gap, background=background)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def fewer_lanes_than_there_are(dut):
    """Lanes without a channel keep their sums; the next position overwrites them."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(valid=0, double=0, last=0, row=0, release=0)
    for first_lane in (0, N_LANES - 2, 1, N_LANES - 1):
        values = draw.integers(-1, 2, N_LANES)
        await cycles.step(valid=1, last=1, row=packed(values, ENTRY_WIDTH))
        await read_out(
            cycles,
            values,
            first_lane=first_lane,
            gap=0.0,
            background=lambda: {"valid": 0, "last": 0},
        )
