"""Testbench of the tap address generator: words and rows of every output position, no others."""

import cocotb

from hw.rtl.walker import UNDER_WAY, word_layout

from .base import Cycles, generators
from .stream import pack
from .tap_tasks import LANES, SIZES, convolution, gathering, head


WORD = word_layout(SIZES)
#: Fields of a word without spikes that do not matter.
IGNORED = {"row": -1, "lanes": -1} | ({"once": -1} if SIZES.two_bit_serial else {})


async def walk(dut, task, layer, *, stall):
    """Runs all jobs and compares every word, in order."""
    cycles = Cycles(dut, task.rng)
    await cycles.reset(layer=layer, job__valid=0, job__payload=0, spikes=0, pixel=0, space=0)
    await cycles.step()
    jobs, words = list(task.jobs), list(task.expected)
    spikes, low, begun, cycle = 0, 0, None, 0
    while words or not cycles.get("idle"):
        valid = int(bool(jobs) and not task.rng.random() < stall)
        space = int(not task.rng.random() < stall)
        await cycles.step(
            job__valid=valid,
            space=space,
            spikes=spikes,
            job__payload=jobs[0] if valid else cycles.noise("job__payload"),
        )
        cycle += 1
        low = 0 if space else low
        if cycles.get("valid"):
            low += not space
            assert low <= UNDER_WAY, "more words after space went low than were under way"
            assert words, "a word after the last one"
            word = words.pop(0)
            expected = pack(WORD, **{"spikes": 0, "row": 0, "lanes": 0} | word)
            actual = cycles.get("word")
            if not word.get("spikes"):
                # Nothing is added, so that the rest does not matter.
                actual &= ~pack(WORD, **IGNORED)
                expected &= ~pack(WORD, **IGNORED)
            assert actual == expected, (
                f"word {len(task.expected) - len(words) - 1}: {actual:x}, not {expected:x}"
            )
            finished = cycle
        if valid and cycles.get("job__ready"):
            jobs.pop(0)
            begun = begun or cycle
        address = cycles.get("address")
        spikes = task.memory[address] if address < len(task.memory) else cycles.noise("spikes")
        assert cycle < 20 * (task.reads + 10) + 200, f"{len(words)} words did not come"
    assert not jobs, f"{len(jobs)} jobs were not taken"
    if not stall:
        taken = finished - begun
        assert taken == task.reads + UNDER_WAY, f"{taken} cycles for {task.reads} reads"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.4], density=[0.0, 0.1, 1.0])
async def convolutions_read_their_taps(dut, stall, density):
    """Every kernel, stride and size class, one word to a tap and several."""
    rng, draw = generators()
    shapes = [
        {"channels": LANES - 1, "size": (3, 4), "kernel": 3, "stride": 1},
        {"channels": 2 * LANES + 1, "size": (4, 3), "kernel": 3, "stride": 2},
        {"channels": LANES, "size": (5, 1), "kernel": 1, "stride": 1},
        {"channels": 1, "size": (1, 1), "kernel": 3, "stride": 1},
        {"channels": LANES, "size": (3, 3), "kernel": 7, "stride": 1, "depthwise": True},
        {"channels": LANES, "size": (5, 4), "kernel": 7, "stride": 2},
    ]
    for shape in shapes if stall == 0 or density != 0 else shapes[:2]:
        task, layer = convolution(rng, draw, density=density, **shape)
        await walk(dut, task, layer, stall=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms", skip=not SIZES.splits)
@cocotb.parametrize(stall=[0.0, 0.4], density=[0.0, 0.1, 1.0])
async def msb_comes_first(dut, stall, density):
    """The MSB plane in a pass of its own, and the other planes in a second one."""
    rng, draw = generators()
    for size, kernel in (((3, 4), 3), ((5, 1), 1)):
        task, layer = convolution(
            rng,
            draw,
            channels=LANES + 1,
            size=size,
            kernel=kernel,
            stride=1,
            density=density,
            split_msb=True,
        )
        await walk(dut, task, layer, stall=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.4], density=[0.0, 0.5])
async def keys_are_gathered_channel_by_channel(dut, stall, density):
    """The mask of a channel holds for the words of all tokens."""
    rng, draw = generators()
    task, layer = gathering(rng, draw, channels=LANES + 2, tokens=5, density=density)
    await walk(dut, task, layer, stall=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.4], n_digits=[1, 3], density=[0.0, 0.1, 0.5])
async def heads_read_their_channels_only(dut, stall, n_digits, density):
    """Heads that begin and end inside a word, inside the same word, and on its borders.

    Their rows have one digit and several, of which each is as many rows further on.
    """
    rng, draw = generators()
    for first, count in ((0, LANES), (LANES // 2, LANES), (1, 2), (LANES - 1, LANES + 2)):
        task, layer = head(
            rng,
            draw,
            channels=3 * LANES,
            first=first,
            count=count,
            tokens=5,
            density=density,
            n_digits=n_digits,
        )
        await walk(dut, task, layer, stall=stall)
