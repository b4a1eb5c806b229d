"""Testbench of the dense engine: dot products of real counts and weights, a word in each cycle."""

import json
from pathlib import Path

import cocotb

from golden.data.arrays import open_arrays

from .base import Cycles, generators, packed, parameters, signed


@cocotb.test
async def sums_match_golden(dut):
    """Every sum of every layer; leaves the cycles of each in ``cycles.json``."""
    given = parameters()
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(valid=0, last=0, counts=0, weights=0)
    spent = {}
    for number, name in enumerate(given["layers"]):
        arrays = open_arrays(f"layer{number}.npz", "counts", "weights", "sums")
        operands = [arrays[part].read() for part in ("counts", "weights", "sums")]
        spent[name] = await run(cycles, name, given, *operands)
    Path("cycles.json").write_text(json.dumps(spent))


async def run(cycles, name, given, counts, weights, sums):
    """Cycles from the first word to the last sums of a layer.

    ``counts`` and ``weights`` have shape (dot products, words, outputs, inputs), ``sums`` (dot
    products, outputs).
    """
    begin, done = cycles.count, 0
    n_words = counts.shape[1]
    words = [
        (
            packed(count.ravel(), given["count_width"]),
            packed(weight.ravel(), given["weight_width"]),
            index % n_words == n_words - 1,
        )
        for index, (count, weight) in enumerate(
            zip(
                counts.reshape(-1, *counts.shape[2:]),
                weights.reshape(-1, *weights.shape[2:]),
                strict=True,
            )
        )
    ]
    width = given["accumulator_width"]
    while done < len(sums):
        if (index := cycles.count - begin) < len(words):
            count, weight, last = words[index]
            await cycles.step(valid=1, last=int(last), counts=count, weights=weight)
        else:
            await cycles.step(valid=0)
        if cycles.get("done"):
            word = cycles.get("sums")
            actual = [
                signed(word >> width * output & (1 << width) - 1, width)
                for output in range(sums.shape[1])
            ]
            expected = sums[done].tolist()
            assert actual == expected, f"{name}: sums {done} are {actual}, golden {expected}"
            done += 1
        assert cycles.count - begin < len(words) + 100, f"{name}: {done} sums of {len(sums)}"
    return cycles.count - begin
