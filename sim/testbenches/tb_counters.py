"""Testbench of the counters: cycles, additions and stalls of images, beside sums of what came."""

import cocotb

from .base import Cycles, generators, parameters, pulse


MOST = parameters()["most"]
QUIET = {
    "started": 0,
    "waiting": 0,
    "dropped": 0,
    "computes": 0,
    "complete": 0,
    "given_up": 0,
    "added": 0,
    "stalled": 0,
}


async def rest(cycles, number, **inputs):
    """Lets cycles pass in which nothing comes but what is given."""
    for _ in range(number):
        await cycles.step(**QUIET | inputs)


async def compute(cycles, length, *, ends, early=None):
    """Computes an image in so many cycles; the next one's first pixel may come ``early``.

    Returns additions and stalls.
    """
    added = stalled = 0
    for cycle in range(length):
        last = cycle == length - 1
        # Nothing is added in an image's first two cycles, and nothing waited for in its first one.
        more = cycles.rng.randint(0, MOST) if cycle > 1 else 0
        stall = pulse(cycles.rng, 0.3) if cycle else 0
        added, stalled = added + more, stalled + stall
        pixels = early is not None and cycle >= early
        await cycles.step(
            **QUIET
            | {
                "computes": int(cycle == 0),
                "added": more,
                "stalled": stall,
                "started": int(early == cycle),
                "waiting": int(pixels),
                ends: int(last),
            }
        )
    return added, stalled


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def an_image_counts_from_its_first_pixel_or_the_last_logit_before(dut):
    """Alone, behind another one, given up, and dropped."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(**QUIET)
    began = None
    for turn in range(12):
        if began is None:
            # Pixels that are dropped begin nothing.
            await cycles.step(**QUIET | {"started": 1, "waiting": 1})
            await cycles.step(**QUIET | {"dropped": 1})
            await rest(cycles, rng.randint(1, 9))
            await cycles.step(**QUIET | {"started": 1, "waiting": 1})
            began = cycles.count
            await rest(cycles, rng.randint(0, 9), waiting=1)
        length = rng.randint(10, 30)
        early = rng.randint(1, length - 1) if turn % 3 else None
        ends = "given_up" if turn % 5 == 4 else "complete"
        before = cycles.get("cycles")
        added, stalled = await compute(cycles, length, ends=ends, early=early)
        ended = cycles.count
        # Two cycles later they are known, and the next image is not begun.
        await rest(cycles, 2, waiting=int(early is not None))
        total = ended - began + 1 if ends == "complete" else before
        wanted = [total, added, stalled, turn + 1]
        found = [cycles.get(name) for name in ("cycles", "additions", "stalls", "image")]
        assert found == wanted, f"image {turn}: {found}, not {wanted}"
        began = ended + 1 if early is not None else None
