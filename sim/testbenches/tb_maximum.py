"""Testbench of the maximum: the largest counts of each pass, beside golden's counts."""

import cocotb
import numpy as np

from golden import planes

from .base import Cycles, config, generators


SIZES = config()
LANES = np.arange(SIZES.lanes)


def spike_word(counts):
    """Word of the counts of all lanes: plane after plane, lane 0 lowest."""
    bits = planes(counts, SIZES.spike_code, SIZES.max_count, LANES).ravel().tolist()
    return sum(bit << place for place, bit in enumerate(bits))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(density=[0.2, 1.0], stall=[0.0, 0.5])
async def each_pass_has_its_own_largest_counts(dut, density, stall):
    """Where nothing is taken, words pass as they are; what comes without ``valid`` is no word."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(taken=0, valid=0, ends=0, spikes=0)
    for number in range(60):
        taken, length = int(number % 3 != 2), rng.randint(1, 5)
        largest, left = np.zeros(SIZES.lanes, int), length
        while left:
            valid = int(not rng.random() < stall)
            counts = draw.integers(0, SIZES.max_count + 1, SIZES.lanes)
            counts *= draw.random(SIZES.lanes) < density
            left -= valid
            await cycles.step(
                taken=taken,
                valid=valid,
                ends=int(left == 0) if valid else rng.getrandbits(1),
                spikes=spike_word(counts),
            )
            if valid:
                largest = np.maximum(largest, counts) if taken else counts
                found = cycles.get("largest")
                assert found == spike_word(largest), f"pass {number}: {found:x}, not {largest}"
