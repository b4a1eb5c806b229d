"""Testbench of the packer: words of the golden counts, at the right addresses, and nothing else."""

import cocotb
import numpy as np

from golden import planes
from hw.isa.descriptors import Destination
from hw.isa.pairs import PAIR

from .base import Cycles, config, generators, packed, pulse
from .stream import pack


SIZES = config()
LANES, D = SIZES.lanes, SIZES.max_count
DIGIT_WIDTH = SIZES.digit_width
OUT = (1 << SIZES.out_address.width) - 1


def side_by_side(bits):
    """A word of one bit of all lanes behind the other, shape (bits, lanes that fired)."""
    return sum(packed(word, 1) << index * LANES for index, word in enumerate(bits))


class Task:
    """Neurons of a column's jobs, in order, and the words that must be stored.

    ``neurons`` holds (pair, result, values, counts) of each pair, ``words`` the memory, address and
    bits of each word.
    """

    def __init__(self, draw, destination, *, n_digits=1):
        self.draw, self.destination, self.n_digits = draw, destination, n_digits
        self.neurons, self.words = [], []
        self.stride = int(draw.integers(1, SIZES.attention_depth // 3))

    def counts(self, *shape):
        """Random counts, all 0 or all D at times."""
        kind = self.draw.integers(4)
        if kind < 2:
            return np.full(shape, kind * D)
        return self.draw.integers(0, D + 1, shape)

    def fire(self, values, counts, *, out):
        """Adds the neurons of a job, those of the last lanes first."""
        result = pack(
            SIZES.result,
            out=out,
            last_lane=len(counts) - 1,
            neuron=self.draw.integers(1 << SIZES.result["neuron"].width),
            stream=self.draw.integers(1 << SIZES.result["stream"].width),
        )
        # A lane without a channel has the potential 0, and fires no spike.
        values, counts = ([*numbers.tolist(), 0] for numbers in (values, counts))
        for pair in reversed(range(len(counts) // PAIR)):
            here = slice(pair * PAIR, (pair + 1) * PAIR)
            self.neurons.append((pair, result, values[here], counts[here]))

    def spread(self, counts, address):
        """The spike word of the counts."""
        bits = planes(counts, SIZES.spike_code, D, np.arange(len(counts)))
        self.words.append(("spikes", address, side_by_side(bits)))

    def positions(self, n_jobs):
        """Jobs of a layer that stores spikes."""
        for _ in range(n_jobs):
            n_lanes = int(self.draw.integers(1, LANES + 1))
            counts = self.counts(n_lanes)
            out = int(self.draw.integers(SIZES.spike_depth))
            self.fire(self.draw.integers(-99, 99, n_lanes), counts, out=out)
            self.spread(counts, out)

    def attention(self, n_jobs):
        """Jobs of a layer that stores rows: values as counts, key-values as potentials."""
        most = (1 << min(self.n_digits * DIGIT_WIDTH, SIZES.result_width - 1)) - 1
        for _ in range(n_jobs):
            n_lanes = int(self.draw.integers(1, LANES + 1))
            counts = self.counts(n_lanes)
            values = self.draw.integers(0, most, n_lanes, endpoint=True)
            values[0] = most
            out = int(self.draw.integers(SIZES.attention_depth))
            self.fire(values, counts, out=out)
            entries = counts if self.destination is Destination.VALUES else values
            self.words += [
                (
                    "attention",
                    (out + digit * self.stride) & OUT,
                    side_by_side([
                        entries >> digit * DIGIT_WIDTH + bit & 1 for bit in range(DIGIT_WIDTH)
                    ]),
                )
                for digit in range(self.n_digits)
            ]


async def store(dut, task, *, gap, slot):
    """Sends all neurons as a group does, and compares what is stored.

    ``gap`` and ``slot`` are the probabilities of no neuron, and of this group's turn. Two jobs may
    be on their way, or one whose potentials are stored; jobs are a cycle apart.
    """
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    layer = pack(
        SIZES.layer,
        destination=task.destination.value,
        out_stride=task.stride,
        out_digits=task.n_digits - 1,
    )
    ports = [
        f"fired__{name}__{half}" for name in ("values", "counts", "codes") for half in range(PAIR)
    ]
    quiet = ("fired__valid", "fired__pair", "fired__result", "slot", *ports)
    await cycles.reset(layer=layer, **dict.fromkeys(quiet, 0))
    # A layer begins long before its first neuron fires.
    await cycles.step()
    neurons, words = list(task.neurons), list(task.words)
    under_way, most = 0, 1 if task.destination is Destination.KEY_VALUES else 2
    begun = ended = False
    while neurons or words:
        may = begun or (under_way < most and not ended)
        offered = bool(neurons) and may and not rng.random() < gap
        pair, result, values, counts = (
            neurons[0]
            if offered
            else (rng.randrange(SIZES.pairs), cycles.noise("fired__result"), [], [])
        )
        # What has not fired is noise.
        inputs = {port: cycles.noise(port) for port in ports}
        for half, (value, count) in enumerate(zip(values, counts, strict=True)):
            bits = planes(np.array(count), SIZES.spike_code, D, half)
            inputs |= {
                f"fired__values__{half}": value & ((1 << SIZES.result_width) - 1),
                f"fired__counts__{half}": count,
                f"fired__codes__{half}": packed(bits, 1),
            }
        await cycles.step(
            fired__valid=int(offered),
            fired__pair=pair,
            fired__result=result,
            slot=pulse(rng, slot),
            **inputs,
        )
        for memory in ("spikes", "attention"):
            if cycles.get(f"stored__{memory}"):
                assert cycles.get("slot"), "a word was stored in another column's turn"
                assert words, "a word after the last one"
                golden = words.pop(0)
                actual = (memory, cycles.get("stored__address"), cycles.get("stored__data"))
                number = len(task.words) - len(words)
                assert actual == golden, f"word {number}: {actual}, golden {golden}"
        if offered:
            neurons.pop(0)
            under_way += not begun
        ended = offered and pair == 0
        begun = (begun or offered) and not ended
        under_way -= cycles.get("done")
        limit = 60 * (len(task.neurons) * task.n_digits + len(task.words) + 10)
        assert cycles.count < limit, f"{len(words)} words did not come"
    await cycles.step(fired__valid=0, slot=1)
    assert under_way == 0, f"{under_way} jobs have a place"
    assert cycles.get("idle")
    assert not cycles.get("stored__spikes")
    assert not cycles.get("stored__attention")
    return cycles.count


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.6], slot=[1.0, 0.25, 0.02])
async def spikes_are_stored_with_all_planes(dut, gap, slot):
    """Positions of full and of narrow tiles, one after the other."""
    _, draw = generators()
    task = Task(draw, Destination.SPIKES)
    task.positions(14)
    await store(dut, task, gap=gap, slot=slot)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(n_digits=[0, 1, 3], gap=[0.0, 0.6], slot=[1.0, 0.25])
async def rows_are_stored_digit_by_digit(dut, n_digits, gap, slot):
    """Rows of the attention memory: counts (no digits), and potentials digit by digit."""
    _, draw = generators()
    task = Task(
        draw, Destination.KEY_VALUES if n_digits else Destination.VALUES, n_digits=max(1, n_digits)
    )
    task.attention(12)
    await store(dut, task, gap=gap, slot=slot)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_pair_takes_a_cycle(dut):
    """Storing a position hides behind collecting the next one, turn by turn."""
    _, draw = generators()
    task = Task(draw, Destination.SPIKES)
    for _ in range(8):
        counts = draw.integers(0, D + 1, LANES)
        task.fire(counts, counts, out=0)
        task.spread(counts, 0)
    count = await store(dut, task, gap=0.0, slot=1.0)
    assert count <= 8 * (SIZES.pairs + 1) + 3, f"{count} cycles"
