"""Testbench of the address generator: steps of every layer of a network, and no others."""

from dataclasses import replace

import cocotb

import golden
from hw.compiler import compile_model
from hw.emit.memory_images import memory_words
from hw.rtl.address_generator import READING
from hw.rtl.steps import step_layout

from .base import Cycles, config, generators, parameters, pulse
from .steps import layer_word, tiles
from .stream import unpack


SIZES = config()


class Harness:
    """The address generator, the memory of tap windows, and what must come of each layer."""

    def __init__(self, dut, *, stall):
        self.rng, _ = generators()
        self.cycles, self.stall = Cycles(dut, self.rng), stall
        model = golden.load(parameters()["model"])
        plan = compile_model(model, **SIZES.array, bus_width=SIZES.bus_width)
        self.plan = replace(plan, required=SIZES)
        self.windows = memory_words(self.plan, SIZES)["windows"]
        self.data = {"rows__data": 0, "positions__data": 0}

    async def step(self, **inputs):
        """One cycle, in which the memory answers what was asked in the cycle before."""
        cycles = self.cycles
        await cycles.step(**self.data, **inputs)
        for port in ("rows", "positions"):
            if cycles.get(f"{port}__read"):
                address = cycles.get(f"{port}__address")
                width = len(getattr(cycles.dut, f"{port}__data"))
                word = (
                    self.windows[address]
                    if address < len(self.windows)
                    else cycles.noise(f"{port}__data")
                )
                self.data[f"{port}__data"] = word & (1 << width) - 1

    async def run_layer(self, planned):
        """All tiles of a layer, whose steps and results are compared."""
        cycles, rng = self.cycles, self.rng
        expected = list(tiles(planned, self.plan))
        steps = [step for tile in expected for step in tile.steps]
        waiting, begun, at, stalled = list(expected), 0, 0, False
        limit = cycles.count + 500 + 10 * len(steps)
        first = None
        # The layer is known before its first tile.
        await self.step(layer=layer_word(planned, SIZES), tile__valid=0, hold=0, stall=0)
        while waiting or at < len(steps) or not cycles.get("idle"):
            valid = int(bool(waiting) and (pulse(rng, 1 - self.stall) or cycles.get("tile__valid")))
            hold, stall = pulse(rng, self.stall), pulse(rng, self.stall)
            before = stalled
            stalled = bool(stall)
            await self.step(
                layer=layer_word(planned, SIZES),
                tile__valid=valid,
                tile__payload=waiting[0].word if valid else cycles.noise("tile__payload"),
                hold=hold,
                stall=stall,
            )
            first = first or cycles.count
            word = cycles.get("step")
            if word & 1:
                assert not before, "a word was read in a stalled cycle"
                assert at < len(steps), f"{planned.name}: a step after the last one"
                if word != steps[at]:
                    layout = step_layout(SIZES)
                    wanted, got = (unpack(layout, each) for each in (steps[at], word))
                    wrong = {key: (got[key], wanted[key]) for key in got if got[key] != wanted[key]}
                    raise AssertionError(f"{planned.name}, step {at}: {wrong}, not the second")
                if at == 0 and not self.stall:
                    assert cycles.count - first == READING + 1, "the first word came late"
                at += 1
            if begins := cycles.get("begins"):
                tile = expected[begun]
                assert (begins, cycles.get("result")) == (tile.begins, tile.result)
                begun += 1
            if valid and cycles.get("tile__ready"):
                waiting.pop(0)
            assert cycles.count < limit, f"{planned.name}: {len(steps) - at} steps are left"
        assert begun == len(expected)
        return cycles.count - first, len(steps)


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.3])
async def every_word_is_read(dut, stall):
    """All layers of a network: dense, depthwise, pixels, keys, queries, streams and the head."""
    harness = Harness(dut, stall=stall)
    await harness.cycles.reset(
        layer=0, tile__valid=0, tile__payload=0, hold=0, stall=0, **harness.data
    )
    for planned in harness.plan.layers:
        if planned.source is not None:
            taken, n_steps = await harness.run_layer(planned)
            if not stall:
                # A tile is offered behind the one before: a few cycles each, and a word per cycle.
                assert taken <= n_steps + 8 * len(planned.tiles) + READING + 3
