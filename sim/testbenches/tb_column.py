"""Testbench of column and readout: a whole network, layer by layer, on one column.

The testbench stands for address generator, array and memories. Whatever the readout stores is
compared with golden and read again by the next layers; what only other engines store comes from
golden.
"""

from collections import deque
from itertools import chain

import cocotb
from cocotb.handle import HierarchyObject

from hw.emit.memory_images import sliced
from hw.isa.descriptors import Destination
from hw.isa.memory_parts import ATTENTION_PARTS
from hw.rtl.bank import UNDER_WAY
from hw.rtl.word_reader import READ_CYCLES

from .base import Cycles, config, generators, packed, parameters, pulse
from .network import Network
from .steps import layer_word, tiles


SIZES = config()
#: Cycles in which the pipeline of a column fills and empties, around those of all events.
FILLING = 35 + SIZES.lanes
#: Cycles from a tile's last step to the next one's first.
HANDOVER = 6
#: Steps that may come behind the cycle in which the queue is full: the array asks a cycle later.
STEPS_LATE = UNDER_WAY - READ_CYCLES


class Harness(Network):
    """The column, its memories and what golden stores in them."""

    def __init__(self, dut, model, *, stall, slot):
        super().__init__(model, SIZES)
        self.rng, _ = generators()
        self.cycles = Cycles(dut, self.rng)
        # In Verilog, a module is named anew where a signal has its name.
        modules = {
            child._name.strip("\\ ").partition("$")[0]: child
            for child in dut
            if isinstance(child, HierarchyObject)
        }
        self.stream = modules["readout"].residual.memory.bank[0].blocks.slice[0].words
        self.stall, self.slot = stall, slot
        width, _ = self.sizes.memories["weights"]
        rows = sliced(self.words["weights"], width, self.sizes.rows_at_once)
        self.rows = list(chain.from_iterable(zip(*rows, strict=True)))
        # Buffers of tiles start as noise: what did not come must not be read.
        *self.weights, self.neurons = (
            [self.rng.getrandbits(width) for _ in range(depth)]
            for width, depth in (
                *[(self.sizes.weight_word, depth) for depth in self.sizes.tile_depths],
                (self.sizes.neurons.size, self.sizes.buffer_depths["neurons"]),
            )
        )
        # So do the attention memories and the spike memory.
        self.digits = [
            [self.rng.getrandbits(self.sizes.digit_word) for _ in range(self.sizes.attention_depth)]
            for _ in ATTENTION_PARTS
        ]
        self.spikes = [
            self.rng.getrandbits(self.sizes.spike_width) for _ in range(self.sizes.spike_depth)
        ]
        # Bits of a word, and what stands at an address, of each port.
        self.ports = {
            "neurons": (self.sizes.neurons.size, [self.neurons]),
            "spikes": (self.sizes.spike_width, [self.spikes]),
            "pixels": (self.sizes.pixel_width, [self.pixels()]),
        }
        for bank in range(self.sizes.banks):
            self.ports[f"weights__{bank}"] = self.sizes.weight_word, self.weights
            self.ports[f"digits__{bank}"] = self.sizes.digit_word, self.digits
        self.data = {f"{port}__data": 0 for port in self.ports}
        self.additions = 0

    def preload(self, number):
        """Stores what another engine stores: the counts of a token sum."""
        for address, word in self.expect(number, "spikes").words.items():
            self.spikes[address] = word

    def fill(self, tile, fill):
        """Takes weights and neurons of a tile to the buffers."""
        neurons = self.words["neurons"][fill.neuron : fill.neuron + self.sizes.pairs]
        self.neurons[tile["neuron"] : tile["neuron"] + len(neurons)] = neurons
        self.weights[fill.place][: fill.rows] = self.rows[fill.row : fill.row + fill.rows]

    def fetch(self):
        """Answers the reads at the end of a cycle."""
        cycles = self.cycles
        for port, (width, memories) in self.ports.items():
            if cycles.get(f"{port}__read"):
                address = cycles.get(f"{port}__address")
                words = [
                    memory[address] if address < len(memory) else self.rng.getrandbits(width)
                    for memory in memories
                ]
                self.data[f"{port}__data"] = packed(words, width)

    async def run_layer(self, number, planned):
        """Sends the steps of a layer, and compares all that it stores. Returns its cycles."""
        cycles, rng = self.cycles, self.rng
        spikes = self.expect(number, "spikes")
        waiting = deque(tiles(planned, self.given))
        fills = deque(zip(planned.tiles, planned.fills, strict=True))
        steps, self.jobs = deque(), sum(tile.jobs for tile in waiting)
        part = int(planned.descriptor["destination"] is Destination.KEY_VALUES)
        rows = dict(self.expect(number, ATTENTION_PARTS[part]).words)
        written, sums, logits = {}, {}, []
        begin, limit = cycles.count, cycles.count + 2000 + 400 * self.jobs
        late, tile = 0, {"tiles__begins": 0}
        while True:
            room = int(not rng.random() < self.stall)
            slot = pulse(rng, self.slot) & ~cycles.get("own")
            # Steps still come when the queue is full, but not too many.
            late = late + 1 if cycles.get("full") else 0
            # A tile that begins is known to wait a cycle later.
            held = tile["tiles__begins"] or cycles.get("tiles__waits") or cycles.count < begin + 2
            held = held or (fills and fills[0][1].again and cycles.get("tiles__open"))
            tile["tiles__begins"] = 0
            if waiting and not (steps or held):
                following = waiting.popleft()
                self.fill(*fills.popleft())
                tile = {"tiles__begins": 1, "tiles__first": following.result}
                steps.extend(following.steps)
            step = 0
            # Words that are on their way to the queue come, too.
            if steps and late < STEPS_LATE and not rng.random() < self.stall:
                step = steps.popleft()
            await cycles.step(
                layer=layer_word(planned, self.sizes),
                step=step,
                slot=slot,
                logits_room=room,
                **tile,
                **self.data,
            )
            done = cycles.get("idle") and not waiting and not steps
            self.additions += cycles.get("additions")
            address, word = cycles.get("stored__address"), cycles.get("stored__data")
            if cycles.get("stored__spikes"):
                self.compare_spikes(planned, spikes, address, word, written)
            if cycles.get("stored__attention"):
                golden_word = rows.pop(address, None)
                assert word == golden_word, (
                    f"{planned.name}: row {address} is {word:x}, golden {golden_word}"
                )
                self.digits[part][address] = word
            self.take_sums(cycles, sums)
            if cycles.get("logits_valid"):
                logits.append(cycles.get_signed("logits"))
            self.fetch()
            if done:
                break
            assert cycles.count < limit, f"{planned.name}: {len(waiting)} tiles are left"
        assert len(written) == len(spikes.words), f"{planned.name}: a spike word was not stored"
        assert not rows, f"{planned.name}: {len(rows)} words of rows were not stored"
        self.compare_sums(number, planned.name, sums)
        if planned.descriptor["destination"] is Destination.LOGITS:
            assert logits == self.golden.logits[0].tolist(), f"logits {logits}"
        self.compare_stream(number, planned)
        return cycles.count - begin

    def compare_spikes(self, planned, spikes, address, word, written):
        """Compares one stored spike word, which must be stored only once."""
        assert address in spikes.words, f"{planned.name}: spike word {address} is no one's"
        assert address not in written, f"{planned.name}: spike word {address} was stored twice"
        if word != spikes.words[address]:
            channel, position = spikes.locate(spikes.addresses.index(address), word)
            raise AssertionError(f"{spikes.tensor}: channel {channel}, position {position} differs")
        written[address] = word
        self.spikes[address] = word

    def compare_stream(self, number, planned):
        """Compares what the residual memory of the readout holds after a layer."""
        expected = self.expect(number, "stream.0")
        for index, (address, word) in enumerate(expected.words.items()):
            actual = int(self.stream[address].value)
            if actual != word:
                where = "channel {}, position {}".format(*expected.locate(index, actual))
                raise AssertionError(
                    f"{planned.name}: stream of {where} is {actual:x}, golden {word:x}"
                )


async def run_network(dut, model, *, stall, slot):
    """Runs all layers on one image; returns the harness and the cycles of each layer."""
    harness = Harness(dut, model, stall=stall, slot=slot)
    tiles = [f"tiles__{name}" for name in ("begins", "first", "offset")]
    quiet = ("layer", "step", "base", *tiles, "slot", "logits_room", "tag")
    await harness.cycles.reset(**dict.fromkeys(quiet, 0), **harness.data)
    cycles = {}
    for number, planned in enumerate(harness.given.layers):
        if planned.descriptor["token_sum"]:
            harness.preload(number)
        else:
            cycles[planned.name] = await harness.run_layer(number, planned)
    return harness, cycles


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(model=parameters()["models"])
async def networks_match_golden(dut, model):
    """Every stored word, logit and addition of one image, whoever stalls."""
    harness, _ = await run_network(dut, model, stall=0.5, slot=0.25)
    executed = sum(harness.executed().values())
    assert harness.additions == executed, f"{harness.additions} additions, golden {executed}"


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def layers_take_a_cycle_per_event(dut):
    """Finding, fetching and firing hide behind events, where a position has more than lanes."""
    harness, cycles = await run_network(dut, "saturated.safetensors", stall=0.0, slot=1.0)
    executed = harness.executed()
    compared = 0
    for planned in harness.plan.layers[1:]:
        if (
            planned.source is None
            or planned.descriptor["depthwise"]
            or planned.descriptor["destination"] is Destination.KEY_VALUES
        ):
            continue
        # All tiles see the same spikes, or heads that all fire, in all planes.
        descriptor = planned.descriptor
        passes = (descriptor["passes"] + 1) * (descriptor["digits"] + 1)
        shift = descriptor["shift"].bit_length()
        doublings = planned.jobs * ((passes - 1) * SIZES.doublings + shift)
        additions = executed[planned.name] * (descriptor["digits"] + 1) // SIZES.banks
        events = additions * len(planned.channels) // (planned.channels >= 0).sum() + doublings
        if events > planned.jobs * 2 * SIZES.lanes:
            compared += 1
            spent, waits = cycles[planned.name], FILLING + (len(planned.tiles) - 1) * HANDOVER
            assert spent <= events + waits, f"{planned.name}: {spent} cycles, {events} events"
    assert compared, "no layer has enough events"


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def silence_takes_no_events(dut):
    """Without spikes, a position takes as long as its words are read or its lanes are read out."""
    harness, cycles = await run_network(dut, "silent.safetensors", stall=0.0, slot=1.0)
    for planned in harness.plan.layers[1:]:
        # Potentials leave digit by digit.
        if planned.source is None or planned.descriptor["destination"] is Destination.KEY_VALUES:
            continue
        words = max(tile["tap_rows"] + 1 for tile in planned.tiles) * (
            max(position.steps + 1 for position in harness.plan.tap_positions(planned))
            + max(tile["words"] for tile in planned.tiles)
        )
        passes = (planned.descriptor["passes"] + 1) * (planned.descriptor["digits"] + 1)
        reads = passes * (words + 1 + SIZES.doublings) + planned.descriptor["shift"].bit_length()
        spent, bound = cycles[planned.name], planned.jobs * max(reads, SIZES.pairs + 1) + FILLING
        assert spent <= bound, f"{planned.name}: {spent} cycles, not {bound}"
