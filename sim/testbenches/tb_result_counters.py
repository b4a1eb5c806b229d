"""Testbench of the result counters: where each job's results go, tile after tile."""

import cocotb

from hw.isa.spike_word import closes_layout

from .base import Cycles, config, generators, pulse
from .stream import pack, unpack


SIZES = config()
OUT, STREAM = SIZES.result["out"].width, SIZES.result["stream"].width


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(busy=[0.2, 1.0])
async def results_are_counted_on(dut, busy):
    """A tile is taken over behind the last job of the one before, and not earlier."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    layer = {
        name: rng.getrandbits(SIZES.layer[name].width)
        for name in ("out_step", "out_jump", "stream_step")
    }
    offset = rng.getrandbits(OUT)
    await cycles.reset(
        layer=pack(SIZES.layer, **layer),
        tiles__begins=0,
        tiles__first=0,
        tiles__offset=offset,
        taken=0,
        closes=0,
    )
    tiles = [[rng.randint(1, 3) for _ in range(rng.randint(1, 3))] for _ in range(40)]
    descriptors = [
        {name: rng.getrandbits(SIZES.result[name].width) for name, _ in SIZES.result} for _ in tiles
    ]
    jobs = []
    for lines, fields in zip(tiles, descriptors, strict=True):
        out, stream = fields["out"] + offset, fields["stream"]
        for line, positions in enumerate(lines):
            for position in range(positions):
                ends = position == positions - 1
                closes = {"line": int(ends), "tile": int(ends and line == len(lines) - 1)}
                jobs.append((
                    fields | {"out": out % (1 << OUT), "stream": stream % (1 << STREAM)},
                    pack(closes_layout(), **closes),
                ))
                out += layer["out_jump" if ends else "out_step"]
                stream += layer["stream_step"]
    # What is seen of a cycle holds for the next one, but for what happens in it.
    begun, first, begins, closed = 0, 0, 0, False
    while jobs:
        # A tile begins only when the one before was taken over.
        begins = int(
            begun < len(tiles) and not (begins or cycles.get("tiles__waits")) and pulse(rng, 0.5)
        )
        if begins:
            first = pack(SIZES.result, **descriptors[begun])
            begun += 1
        taken = int(cycles.get("tiles__open") and not closed and pulse(rng, busy))
        fields, closes = jobs[0]
        await cycles.step(
            tiles__begins=begins,
            tiles__first=first,
            taken=taken,
            closes=closes if taken else rng.getrandbits(2),
        )
        if taken:
            assert cycles.get("tiles__open"), "a job of no tile"
            found = unpack(SIZES.result, cycles.get("result"))
            assert found == fields, f"{found}, not {fields}, {len(jobs)} jobs before the end"
            jobs.pop(0)
        closed = bool(taken and unpack(closes_layout(), closes)["tile"])
        assert cycles.count < 20000
    await cycles.step(tiles__begins=0, taken=0)
    await cycles.step()
    assert not cycles.get("tiles__open")
