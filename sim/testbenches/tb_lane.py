"""Testbench of the lane: every sum equals the golden convolution's potential."""

import cocotb

from golden import SpikeCode, planes
from golden.spike import passes
from hw.isa.core_config import SPIKE_CODES

from .base import Cycles, generators, parameters, pulse


LANE = parameters()
ENTRY_WIDTH, WIDTH = LANE["entry_width"], LANE["width"]
LEAST = -(1 << ENTRY_WIDTH - 1)
#: Between two passes.
DOUBLINGS = {SpikeCode.THERMOMETER: 0, SpikeCode.BIT_SERIAL: 1, SpikeCode.TWO_BIT_SERIAL: 2}


def events(counts, values, code, max_count):
    """(value, double) of every event that a column makes of one neuron's counts."""
    result = []
    expanded = planes(counts, code, max_count)
    for index, group in enumerate(passes(code, max_count)):
        doublings = DOUBLINGS[code] if index else 0
        result += [(0, 1)] * (doublings - 1)
        double = int(doublings > 0)
        # A four adds the double twice.
        added = [
            value * min(2, weight)
            for plane in reversed(group)
            for weight in [2 ** (group[-1] - plane)]
            for _ in range(max(1, weight // 2))
            for value, spike in zip(values.tolist(), expanded[plane].tolist(), strict=True)
            if spike
        ]
        # Without spikes, an event that adds nothing still doubles.
        for value in added or [0] * double:
            result.append((value, double))
            double = 0
    # It closes the sum, too.
    return result or [(0, 0)]


def fits(value):
    """Whether the sum register holds a value."""
    return -(1 << WIDTH - 1) <= value < 1 << WIDTH - 1


async def run(dut, sums, *, stall):
    """Sends the events of all sums and compares each holding register until it is released.

    Parameters
    ----------
    sums : list of (list of events, int)
        Events and the expected sum.
    stall : float
        Probability of an idle cycle in front of an event.
    """
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(valid=0, entry=0, double=0, last=0, release=0)
    await cycles.step()
    held = 0
    for number, (sequence, expected) in enumerate(sums):
        for index, (value, double) in enumerate(sequence):
            while rng.random() < stall:
                # Without valid, nothing is added; a release counts at any time.
                release = pulse(rng, 0.3)
                await cycles.step(
                    valid=0,
                    last=0,
                    release=release,
                    **{name: cycles.noise(name) for name in ("entry", "double")},
                )
                assert cycles.get_signed("shadow") == held, f"held before sum {number}"
                held = 0 if release else held
            last = int(index == len(sequence) - 1)
            # A column never releases a sum in the cycle that closes the next one.
            release = 0 if last else pulse(rng, 0.3)
            await cycles.step(valid=1, double=double, last=last, release=release, entry=value)
            assert cycles.get_signed("shadow") == held, f"held in front of sum {number}"
            held = expected if last else 0 if release else held
        await cycles.step(valid=0, last=0, release=0)
        actual = cycles.get_signed("shadow")
        assert actual == expected, f"sum {number}: {actual}, golden {expected}"
    events_sent = sum(len(sequence) for sequence, _ in sums)
    if not stall:
        assert cycles.count == 1 + events_sent + len(sums), "an event waited"


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(code=list(SPIKE_CODES), stall=[0.0, 0.5], density=[0.1, 0.9])
async def weights_add_up(dut, code, stall, density):
    """Random counts and weights, all codes."""
    _, draw = generators()
    sums = []
    for max_count in (1, 2, 4, 15):
        for fan_in in (1, 2, 9):
            counts = draw.integers(0, max_count + 1, fan_in) * (draw.random(fan_in) < density)
            # Where an entry may be the double of a weight, weights have a bit less.
            weights = draw.integers(LEAST, -LEAST, fan_in) >> (code is SpikeCode.TWO_BIT_SERIAL)
            sums.append((events(counts, weights, code, max_count), int(counts @ weights)))
    await run(dut, [(sequence, total) for sequence, total in sums if fits(total)], stall=stall)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def sums_reach_the_bounds(dut):
    """The least and the greatest sum, by adding, by doubling and by both, and no spikes."""
    _, _ = generators()
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
