"""Testbench of the lane: every sum equals the golden convolution's potential."""

import cocotb

from golden import planes
from hw.isa.core_config import SPIKE_CODES
from hw.isa.passes import bank_weights, count_passes

from .base import Cycles, generators, parameters, pulse


LANE = parameters()
ENTRY_WIDTH, WIDTH = LANE["entry_width"], LANE["width"]
LEAST = -(1 << ENTRY_WIDTH - 1)


def entries(counts, values, code, max_count):
    """(entry, double) of every cycle that a column makes of one neuron's counts."""
    result = []
    expanded = planes(counts, code, max_count, range(len(counts)))
    weights = bank_weights(code, max_count)
    for index, group in enumerate(count_passes(code, max_count)):
        added = [values[expanded[plane] > 0].tolist() for plane in group]
        # Without spikes, something still doubles, and closes the sum.
        for at in range(max(1, *map(len, added))):
            entry = sum(
                weight * bank[at]
                for weight, bank in zip(weights, added, strict=True)
                if at < len(bank)
            )
            result.append((entry, int(index > 0 and at == 0)))
    return result


def fits(value, width):
    """Whether a register of so many bits holds a value."""
    return -(1 << width - 1) <= value < 1 << width - 1


async def run(dut, sums, *, stall):
    """Sends the entries of all sums and compares each holding register until it is released.

    Parameters
    ----------
    sums : list of (list of entries, int)
        Entries and the expected sum.
    stall : float
        Probability of a cycle in which nothing is added in front of an entry.
    """
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(entry=0, double=0, last=0, release=0)
    await cycles.step(release=1)
    held = 0
    for number, (sequence, expected) in enumerate(sums):
        for index, (value, double) in enumerate(sequence):
            while rng.random() < stall:
                release = pulse(rng, 0.3)
                await cycles.step(entry=0, double=0, last=0, release=release)
                assert cycles.get_signed("held") == held, f"held before sum {number}"
                held = 0 if release else held
            last = int(index == len(sequence) - 1)
            # A column never releases a sum in the cycle that closes the next one.
            release = 0 if last else pulse(rng, 0.3)
            await cycles.step(double=double, last=last, release=release, entry=value)
            assert cycles.get_signed("held") == held, f"held in front of sum {number}"
            held = expected if last else 0 if release else held
        await cycles.step(entry=0, double=0, last=0, release=0)
        actual = cycles.get_signed("held")
        assert actual == expected, f"sum {number}: {actual}, golden {expected}"


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(code=list(SPIKE_CODES), stall=[0.0, 0.5], density=[0.1, 0.9])
async def weights_add_up(dut, code, stall, density):
    """Random counts and weights, all codes."""
    _, draw = generators()
    sums = []
    for max_count in (1, 2, 4, 15):
        for fan_in in (1, 2, 9):
            counts = draw.integers(0, max_count + 1, fan_in) * (draw.random(fan_in) < density)
            weights = draw.integers(LEAST, -LEAST, fan_in)
            sequence, total = entries(counts, weights, code, max_count), int(counts @ weights)
            if fits(total, WIDTH) and all(fits(entry, ENTRY_WIDTH) for entry, _ in sequence):
                sums.append((sequence, total))
    await run(dut, sums, stall=stall)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def sums_reach_the_bounds(dut):
    """The least and the greatest sum, by adding, by doubling and by both, and no spikes."""
    steps = (1 << WIDTH - 1) // -LEAST
    doubled = [(LEAST, 0)] + [(0, 1)] * (WIDTH - ENTRY_WIDTH)
    both = [(-1, 0)] + [(-1, 1)] * (WIDTH - 2)
    await run(
        dut,
        [
            ([(LEAST, 0)] * steps, LEAST * steps),
            ([(-LEAST - 1, 0)] * steps, (-LEAST - 1) * steps),
            (doubled, -(1 << WIDTH - 1)),
            (both, 1 - (1 << WIDTH - 1)),
            ([(0, 0)], 0),
            ([(-1, 0)], -1),
        ],
        stall=0.0,
    )
