"""Testbench of the firing unit: streams, results and spike counts of the golden model."""

from functools import cached_property

import cocotb
import numpy as np

from golden import planes, spike_count
from hw.isa.pairs import PAIR
from hw.rtl.memory import placed_layout
from hw.rtl.neuron import STAGES

from .base import Cycles, config, generators, packed, signed, split
from .stream import pack, unpack


SIZES = config()
LANES, D = SIZES.lanes, SIZES.max_count
PAIRS = SIZES.pairs
TAKEN = [f"taken__{half}" for half in range(PAIR)]
AFTER = placed_layout(PAIR * SIZES.residual_width, SIZES.residual_depth)


def bounds(width):
    """Least and greatest two's complement value."""
    return -(1 << width - 1), (1 << width - 1) - 1


class Layer:
    """A layer's neurons, streams and sums, and what golden makes of them.

    ``stream`` and ``first`` are the fields of the layer descriptor. Sums are scaled such that no
    result leaves its width, as the compiler proves for a model; a stream may be narrower.
    """

    def __init__(self, draw, *, stream, first, positions):
        self.stream, self.first = stream, first
        low, high = bounds(SIZES.residual_width if stream else SIZES.result_width)
        scale = 4 if stream else 2
        least, most = low // scale, high // scale
        narrow = bounds(SIZES.accumulator_width)
        self.sums = draw.integers(
            max(least, narrow[0]), min(most, narrow[1]), (positions, LANES), endpoint=True
        )
        bias = draw.integers(least, most, LANES, endpoint=True)
        before = draw.integers(
            bounds(SIZES.residual_width)[0] // 4,
            bounds(SIZES.residual_width)[1] // 4,
            (positions, LANES),
        )
        self.sums[0], self.sums[1 % positions] = 0, max(least, narrow[0])
        self.before = before
        self.bias = bias
        self.results = self.sums + bias + (before if stream and not first else 0)
        # Thresholds near the results, many of them exactly reached; two outermost ones.
        ladder = draw.choice(self.results.ravel(), (LANES, D)) + draw.integers(-1, 2, (LANES, D))
        ladder[0] = low
        ladder[-1] = high + 1
        if D > 1:
            ladder[1, 0], ladder[1, -1] = low, high + 1
        self.thresholds = np.sort(np.clip(ladder, low, high + 1), axis=1)
        self.counts = spike_count(self.results, self.thresholds)

    def descriptor(self):
        """Record of the layer."""
        return pack(SIZES.layer, stream=self.stream, first=self.first)

    def neurons(self):
        """Words of the neuron memory: pairs, the last of which may lack its odd neuron."""
        neurons = [
            pack(SIZES.neuron, bias=bias, thresholds=packed(ladder, SIZES.threshold_width))
            for bias, ladder in zip(self.bias.tolist(), self.thresholds.tolist(), strict=True)
        ]
        return [
            packed(neurons[lane : lane + PAIR], SIZES.neuron.size) for lane in range(0, LANES, PAIR)
        ]

    @cached_property
    def codes(self):
        """Word of planes of every count, the first plane lowest."""
        bits = planes(self.counts, SIZES.spike_code, D, np.arange(LANES))
        return [
            [packed(bits[:, position, lane], 1) for lane in range(LANES)]
            for position in range(len(self.counts))
        ]


class Memory:
    """Memory behind ports of the component: one cycle from address to data."""

    def __init__(self, words, rng, width):
        self.words, self.rng, self.width = words, rng, width
        self.data = rng.getrandbits(width)

    def clock(self, address):
        """Reads at the end of a cycle."""
        # Addresses without a word belong to cycles in which nothing is released.
        self.data = (
            self.words[address] if address < len(self.words) else self.rng.getrandbits(self.width)
        )


async def fire(dut, layer, *, gap):
    """Releases the pairs of lanes of all positions and compares what is fired and stored."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    quiet = ("release", "pair", "whole", "result", "neurons__data", "before__data", *TAKEN)
    await cycles.reset(layer=layer.descriptor(), **dict.fromkeys(quiet, 0))
    neuron_base, positions = PAIRS, len(layer.sums)
    neurons = Memory([0] * neuron_base + layer.neurons(), rng, SIZES.neurons.size)
    width = SIZES.residual_width
    streams = Memory([packed(pair, width) for pair in by_pairs(layer.before)], rng, PAIR * width)
    sums, results = by_pairs(layer.sums), by_pairs(layer.results)
    waiting = [(at, pair) for at in range(positions) for pair in reversed(range(PAIRS))]
    fired, stored = list(waiting), {}
    jobs = [
        pack(
            SIZES.result,
            neuron=neuron_base,
            stream=position * PAIRS,
            out=rng.getrandbits(SIZES.result["out"].width),
        )
        for position in range(positions)
    ]
    taken = [0] * PAIR
    while fired:
        release = bool(waiting) and not rng.random() < gap
        position, pair = waiting.pop(0) if release else (0, cycles.noise("pair"))
        whole = rng.getrandbits(1)
        await cycles.step(
            release=int(release),
            pair=pair,
            whole=whole,
            result=jobs[position] if release else cycles.noise("result"),
            neurons__data=neurons.data,
            before__data=streams.data,
            **dict(zip(TAKEN, taken, strict=True)),
        )
        if release:
            fired[fired.index((position, pair))] = position, pair, whole
        after = unpack(AFTER, cycles.get("after"))
        if after["valid"]:
            assert layer.stream, "a layer without a stream stored one"
            address = after["address"]
            assert address not in stored, f"stream {address} was stored twice"
            streams.words[address] = after["data"]
            stored[address] = [signed(word, width) for word in split(after["data"], width)]
        if cycles.get("fired__valid"):
            compare(cycles, layer, jobs, *fired.pop(0))
        neurons.clock(cycles.get("neurons__address"))
        streams.clock(cycles.get("before__address"))
        taken = sums[position * PAIRS + pair] if release else [cycles.noise(port) for port in TAKEN]
        assert cycles.count < 40 * (positions * LANES + 10), f"{len(fired)} pairs did not fire"
    if not gap:
        assert cycles.count == positions * PAIRS + STAGES, f"{cycles.count} cycles"
    if layer.stream:
        assert stored == dict(enumerate(results)), "the stored stream differs"
    await cycles.step(release=0)
    assert cycles.get("idle")
    assert not cycles.get("fired__valid")


def compare(cycles, layer, jobs, position, pair, whole):
    """Compares the neurons of a pair with golden."""
    actual = tuple(cycles.get(f"fired__{name}") for name in ("pair", "whole", "result"))
    assert actual == (pair, whole, jobs[position])
    for half, lane in enumerate(range(pair * PAIR, min((pair + 1) * PAIR, LANES))):
        actual = (
            cycles.get_signed(f"fired__values__{half}"),
            cycles.get(f"fired__counts__{half}"),
            cycles.get(f"fired__codes__{half}"),
        )
        golden = (
            int(layer.results[position, lane]),
            int(layer.counts[position, lane]),
            layer.codes[position][lane],
        )
        assert actual == golden, f"position {position}, lane {lane}: {actual}, golden {golden}"


def by_pairs(values):
    """Values of all lanes, pair by pair and position by position; 0 where there is no lane."""
    return np.pad(values, ((0, 0), (0, -LANES % PAIR))).reshape(-1, PAIR).tolist()


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.5])
async def counts_match_golden(dut, gap):
    """Neurons without a stream: ties, thresholds out of reach, the most negative sum."""
    _, draw = generators()
    await fire(dut, Layer(draw, stream=0, first=0, positions=6), gap=gap)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(first=[0, 1])
async def streams_match_golden(dut, first):
    """Stream writers: the stream is read where there is one, added to, stored and fired."""
    _, draw = generators()
    await fire(dut, Layer(draw, stream=1, first=first, positions=4), gap=0.1)
