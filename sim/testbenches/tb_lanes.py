"""Testbench of a column's lanes: rows are weighted, and the readout gives every lane's sum."""

import cocotb
import numpy as np

from hw.isa.pairs import PAIR, pairs_of

from .base import Cycles, generators, packed, parameters


LANES = parameters()
N_LANES, ROW_WIDTH = LANES["lanes"], LANES["row_width"]
N_PAIRS = pairs_of(N_LANES)
WEIGHTS = np.array(LANES["weights"])
IDLE = {"valid": 0, "double": 0, "last": 0, "release": 0}
ROWS = [f"rows__{bank}__{word}" for bank in range(len(WEIGHTS)) for word in range(2)]
LEAST = -(1 << ROW_WIDTH - 1)


def draw_rows(rng, draw):
    """What is added to each lane, and inputs for the rows, of which some banks have none."""
    values = draw.integers(LEAST, -LEAST, (len(WEIGHTS), N_LANES))
    if rng.random() < 0.2:
        values[:] = rng.choice((LEAST, -LEAST - 1))
    values *= draw.random((len(WEIGHTS), 1)) < 0.8
    inputs = {}
    for bank, row in enumerate(values.tolist()):
        word = packed(row, ROW_WIDTH)
        # A bit of the row is set in one of both words, or in both.
        first, other = (rng.getrandbits(N_LANES * ROW_WIDTH) for _ in range(2))
        inputs |= {f"rows__{bank}__0": word & first, f"rows__{bank}__1": word & (other | ~first)}
    return WEIGHTS @ values, inputs


async def read_out(cycles, expected, *, first_pair, gap, background):
    """Releases the pairs of lanes from ``first_pair`` down to 0 and compares what is taken."""
    pair, awaited, started = first_pair, None, cycles.count
    # Where there is no lane, the sum is 0.
    sums = [*expected.tolist(), 0]
    while pair >= 0 or awaited is not None:
        release = pair >= 0 and not cycles.rng.random() < gap
        await cycles.step(**IDLE | {"release": 1 << pair if release else 0} | background())
        if awaited is not None:
            for half in range(PAIR):
                lane, actual = awaited * PAIR + half, cycles.get_signed(f"taken__{half}")
                assert actual == sums[lane], f"lane {lane}: {actual}, not {sums[lane]}"
        awaited = pair if release else None
        pair -= release
    if not gap:
        assert cycles.count - started == first_pair + 2, "a pair waited"
    await cycles.step(**IDLE)


async def reset(dut):
    """The component behind a reset, with rows that mean nothing."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    noise = {name: cycles.noise(name) for name in ROWS}
    await cycles.reset(**IDLE, **noise)
    return cycles, rng, draw


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.6])
async def sums_are_taken_pair_by_pair(dut, gap):
    """While one position is read out, rows of the next one are added, after doublings or not."""
    cycles, rng, draw = await reset(dut)
    started = np.zeros(N_LANES, np.int64)
    for position in range(12):
        added, rows = draw_rows(rng, draw)
        double = position % 3 == 2
        expected = started * (1 + double) + added
        await cycles.step(**IDLE | rows | {"valid": 1, "double": int(double), "last": 1})
        await cycles.step(**IDLE)
        assert cycles.get("closes")
        started = np.zeros(N_LANES, np.int64)
        left = 3 if position % 2 else 0

        def background():
            nonlocal left, started
            if not left or rng.random() < 0.3:
                return {name: cycles.noise(name) for name in ROWS}
            left -= 1
            added, rows = draw_rows(rng, draw)
            started = started + added
            return rows | {"valid": 1}

        await read_out(cycles, expected, first_pair=N_PAIRS - 1, gap=gap, background=background)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def fewer_lanes_than_there_are(dut):
    """Lanes without a channel keep their sums; the next position overwrites them."""
    cycles, rng, draw = await reset(dut)
    for first_pair in (0, N_PAIRS // 2, N_PAIRS - 1):
        expected, rows = draw_rows(rng, draw)
        await cycles.step(**IDLE | rows | {"valid": 1, "last": 1})
        await cycles.step(**IDLE)
        await read_out(cycles, expected, first_pair=first_pair, gap=0.0, background=dict)
