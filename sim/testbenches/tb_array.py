"""Testbench of the array: a whole network, layer by layer, on all columns at once.

The testbench stands for sequencer, address generator and token sum. What the array adds to the
token sums and sends as logits is compared with golden, and so is what all copies of its memories
hold behind each layer, which the next ones read.
"""

from collections import deque

import cocotb

from hw.isa.descriptors import Destination
from hw.isa.memory_parts import ATTENTION_PARTS
from hw.rtl.memory import placed_layout

from .base import Cycles, config, generators, parameters
from .network import Network
from .steps import layer_word, tiles
from .stream import pack


SIZES = config()
WIDTHS = {name: SIZES.memories[name][0] for name in ("weights", "neurons")}
ROW, NEURON = (placed_layout(WIDTHS[name], SIZES.buffer_depths[name]) for name in WIDTHS)
#: Of what comes from outside the array, by its port.
STORED = {
    "pixel": placed_layout(SIZES.pixel_width, SIZES.pixel_depth),
    "spikes": placed_layout(SIZES.spike_width, SIZES.spike_depth),
}
#: Most cycles of a layer: so many, and so many more for each job.
LIMIT, LIMIT_PER_JOB = 3000, 400


class Filling:
    """What is left of a tile's weights and neurons on their way to the buffers."""

    def __init__(self, network, tile, fill):
        at_once, pairs = SIZES.rows_at_once, SIZES.pairs
        begin, number = fill.row // at_once, fill.rows // at_once
        rows = network.words["weights"][begin : begin + number]
        first = fill.place * SIZES.tile_stride // at_once
        neurons = network.words["neurons"][fill.neuron : fill.neuron + pairs]
        self.again = fill.again
        self._rows = deque(enumerate(rows, first))
        self._neurons = deque(enumerate(neurons, tile["neuron"]))

    @property
    def done(self):
        """Whether everything was sent."""
        return not (self._rows or self._neurons)

    def send(self):
        """A word for each port, if there is one."""
        return {"row": _next(ROW, self._rows), "neuron": _next(NEURON, self._neurons)}


def _next(layout, words):
    """The next word that is placed in a memory, or none."""
    if not words:
        return 0
    address, word = words.popleft()
    return pack(layout, valid=1, address=address, data=word)


def inside(memory):
    """The words of a memory."""
    return memory.memory.bank[0].blocks.slice[0].words


class Harness(Network):
    """The array, and what golden stores in it."""

    def __init__(self, dut, model, *, stall):
        super().__init__(model, SIZES)
        self.rng, _ = generators()
        self.cycles = Cycles(dut, self.rng)
        self.stall = stall
        self.additions = 0
        # All copies of each memory, by the name that golden's words have.
        columns, attention = range(SIZES.columns), range(-(-SIZES.columns * SIZES.banks // 2))
        self.copies = {
            "spikes": [inside(getattr(dut, f"spikes_{number}")) for number in columns],
            **{
                part: [
                    inside(getattr(getattr(dut, f"attention_{number}"), part))
                    for number in attention
                ]
                for part in (ATTENTION_PARTS if SIZES.attention else ())
            },
            **{
                f"stream.{number}": [inside(getattr(dut, f"readout_{number}").residual)]
                for number in columns
            },
        }

    async def store(self, memory, words):
        """Stores words from outside the array."""
        for place, word in words:
            stored = pack(STORED[memory], valid=1, address=place, data=word)
            await self.cycles.step(**{memory: stored})
        await self.cycles.step(**{memory: 0})

    async def run_layer(self, number, planned):
        """Sends the steps of a layer, and compares all that it stores."""
        cycles, rng = self.cycles, self.rng
        waiting = deque(tiles(planned, self.given))
        fills = deque(
            Filling(self, tile, fill)
            for tile, fill in zip(planned.tiles, planned.fills, strict=True)
        )
        limit = cycles.count + LIMIT + LIMIT_PER_JOB * sum(tile.jobs for tile in waiting)
        found = Found(self, number, planned)
        await cycles.step(layer=layer_word(planned, SIZES), restart=1)
        await cycles.step(restart=0)
        steps, filling, idle = deque(), None, False
        while waiting or steps or not idle:
            inputs = {"begins": 0, "row": 0, "neuron": 0, "step": 0}
            # A tile comes while the one before is computed, which all columns have taken over.
            comes = fills and not (cycles.get("held") or (fills[0].again and cycles.get("open")))
            if filling is None and comes:
                filling = fills.popleft()
            if filling and not rng.random() < self.stall:
                inputs |= filling.send()
            # A word that is sent is stored a cycle later.
            if filling and filling.done and not (steps or cycles.get("hold")):
                following, filling = waiting.popleft(), None
                inputs |= {"begins": following.begins, "result": following.result}
                steps.extend(following.steps)
            elif steps and not cycles.get("stall") and not rng.random() < self.stall:
                inputs["step"] = steps.popleft()
            await cycles.step(logits_room=int(not rng.random() < self.stall), **inputs)
            self.additions += cycles.get("additions")
            found.look(cycles)
            idle = bool(cycles.get("idle"))
            assert cycles.count < limit, f"{planned.name}: {len(waiting)} tiles are left"
        # The additions of the last events are counted by now, and the last values are on the bus.
        found.compare()


class Found:
    """What the array stores, adds and sends in a layer."""

    def __init__(self, harness, number, planned):
        self.harness, self.number, self.name = harness, number, planned.name
        self.has_logits = planned.descriptor["destination"] is Destination.LOGITS
        self.sums, self.logits = {}, []

    def look(self, cycles):
        """Takes what is added or sent in this cycle."""
        self.harness.take_sums(cycles, self.sums)
        if cycles.get("logits_valid"):
            self.logits.append(cycles.get_signed("logits"))

    def compare(self):
        """Compares all of it, and every copy of the memories, with golden."""
        self.harness.compare_sums(self.number, self.name, self.sums)
        if self.has_logits:
            assert self.logits == self.harness.golden.logits[0].tolist(), f"{self.name}: logits"
        for memory, copies in self.harness.copies.items():
            words = self.harness.expect(self.number, memory).words
            for number, copy in enumerate(copies):
                actual = {address: int(copy[address].value) for address in words}
                assert actual == words, f"{self.name}: copy {number} of {memory} differs"


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(model=parameters()["models"], stall=[0.0, 0.3])
async def networks_match_golden(dut, model, stall):
    """Every stored word, value, logit and addition of one image, whoever stalls."""
    harness = Harness(dut, model, stall=stall)
    quiet = ("layer", "restart", "step", "begins", "result", "row", "neuron", "logits_room", "tag")
    await harness.cycles.reset(**dict.fromkeys((*quiet, *STORED), 0))
    await harness.store("pixel", enumerate(harness.pixels()))
    for number, planned in enumerate(harness.given.layers):
        if planned.descriptor["token_sum"]:
            await harness.store("spikes", harness.expect(number, "spikes").words.items())
        else:
            await harness.run_layer(number, planned)
    executed = sum(harness.executed().values())
    assert harness.additions == executed, f"{harness.additions} additions, golden {executed}"
