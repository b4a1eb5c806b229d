"""Testbench of the firing unit: streams, results and spike counts of the golden model."""

import cocotb
import numpy as np

from golden import planes, spike_count

from .base import Cycles, config, generators, packed, signed
from .stream import pack


SIZES = config()
LANES, D = SIZES.lanes, SIZES.max_count


def bounds(width):
    """Least and greatest two's complement value."""
    return -(1 << width - 1), (1 << width - 1) - 1


class Layer:
    """A layer's neurons, streams and sums, and what golden makes of them.

    ``stream`` and ``first`` are the fields of the layer descriptor. Sums are scaled such that no
    result leaves its width, as the compiler proves for a model; a stream may be narrower.
    """

    def __init__(self, draw, *, stream, first, shift, positions):
        self.stream, self.first, self.shift = stream, first, shift
        low, high = bounds(SIZES.residual_width if stream else SIZES.result_width)
        scale = 4 if stream else 2
        least, most = low // scale, high // scale
        narrow = bounds(SIZES.accumulator_width)
        self.sums = draw.integers(
            max(least >> shift, narrow[0]),
            min(most >> shift, narrow[1]),
            (positions, LANES),
            endpoint=True,
        )
        bias = draw.integers(least, most, LANES, endpoint=True)
        before = draw.integers(
            bounds(SIZES.residual_width)[0] // 4,
            bounds(SIZES.residual_width)[1] // 4,
            (positions, LANES),
        )
        self.sums[0], self.sums[1 % positions] = 0, max(least >> shift, narrow[0])
        self.before = before
        self.bias = bias
        self.results = (self.sums << shift) + bias + (before if stream and not first else 0)
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
        return pack(SIZES.layer, stream=self.stream, first=self.first, shift=self.shift)

    def neurons(self):
        """Words of the neuron memory."""
        return [
            pack(SIZES.neuron, bias=bias, thresholds=packed(ladder, SIZES.threshold_width))
            for bias, ladder in zip(self.bias.tolist(), self.thresholds.tolist(), strict=True)
        ]

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
    """Releases the lanes of all positions and compares what is fired and stored."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(
        layer=layer.descriptor(), release=0, lane=0, last=0, result=0, taken=0, neuron=0, stream=0
    )
    neuron_base, positions = LANES, len(layer.sums)
    neurons = Memory([0] * neuron_base + layer.neurons(), rng, SIZES.neuron.size)
    width = SIZES.residual_width
    streams = Memory(
        [int(value) & ((1 << width) - 1) for value in layer.before.ravel()], rng, width
    )
    order = [(position, lane) for position in range(positions) for lane in reversed(range(LANES))]
    codes, fired, stored = layer.codes(), list(order), {}
    results = [
        pack(
            SIZES.result,
            neuron=neuron_base,
            stream=position * LANES,
            out=rng.getrandbits(SIZES.result["out"].width),
        )
        for position in range(positions)
    ]
    taken = cycles.noise("taken")
    while fired:
        release = int(bool(order) and not rng.random() < gap)
        position, lane = order[0] if release else (0, 0)
        await cycles.step(
            release=release,
            taken=taken,
            neuron=neurons.data,
            stream=streams.data,
            lane=lane if release else cycles.noise("lane"),
            last=int(lane == 0) if release else cycles.noise("last"),
            result=results[position] if release else cycles.noise("result"),
        )
        if cycles.get("stream_write"):
            assert layer.stream, "a layer without a stream stored one"
            address = cycles.get("stream_write_address")
            assert address not in stored, f"stream {address} was stored twice"
            stored[address] = signed(cycles.get("stream_data"), width)
            streams.words[address] = cycles.get("stream_data")
        if cycles.get("fired"):
            at = fired.pop(0)
            actual = (
                cycles.get_signed("value"),
                cycles.get("count"),
                cycles.get("code"),
                cycles.get("fired_lane"),
                cycles.get("fired_last"),
                cycles.get("fired_result"),
            )
            golden = (
                int(layer.results[at]),
                int(layer.counts[at]),
                codes[at[0]][at[1]],
                at[1],
                int(at[1] == 0),
                results[at[0]],
            )
            assert actual == golden, f"position {at[0]}, lane {at[1]}: {actual}, golden {golden}"
        neurons.clock(cycles.get("neuron_address"))
        streams.clock(cycles.get("stream_read_address"))
        taken = int(layer.sums[position, lane]) if release else cycles.noise("taken")
        order = order[release:]
        assert cycles.count < 40 * (positions * LANES + 10), f"{len(fired)} neurons did not fire"
    if not gap:
        assert cycles.count == positions * LANES + 5, f"{cycles.count} cycles"
    if layer.stream:
        assert stored == {index: int(value) for index, value in enumerate(layer.results.ravel())}, (
            "the stored stream differs"
        )
    await cycles.step(release=0)
    assert cycles.get("idle")
    assert not cycles.get("fired")


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.5])
async def counts_match_golden(dut, gap):
    """Neurons without a stream: ties, thresholds out of reach, the most negative sum."""
    _, draw = generators()
    await fire(dut, Layer(draw, stream=0, first=0, shift=0, positions=6), gap=gap)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(first=[0, 1], shift=[0, 1, 5])
async def streams_match_golden(dut, first, shift):
    """Stream writers: the stream is read where there is one, shifted, stored and fired."""
    _, draw = generators()
    await fire(dut, Layer(draw, stream=1, first=first, shift=shift, positions=4), gap=0.1)
