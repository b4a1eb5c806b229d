"""The complete dense core: a small network on it in Amaranth's simulator, against NumPy."""

import numpy as np
import pytest
from amaranth.sim import Simulator

import golden
from hw.baseline import dense_core, operands, results
from hw.baseline.dense_core import DenseCore
from hw.baseline.dense_engine import DenseSize
from hw.baseline.dense_shape import DenseShape
from hw.baseline.results import Destination
from tests.twins import Twin


SIDE, CHANNELS, INPUTS, D = 5, 8, 4, 4
WORDS = CHANNELS // INPUTS
SHAPE = {
    "engine": DenseSize(outputs=INPUTS, inputs=INPUTS, weight_width=4),
    "max_count": D,
    "pixel_channels": 3,
    "residual_width": 14,
    "threshold_width": 15,
    "weight_depth": 512,
    "count_depth": 256,
    "pixel_depth": SIDE * SIDE,
    "neuron_depth": 256,
    "residual_depth": SIDE * SIDE * CHANNELS,
    "program_depth": 128,
}


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    for module in (dense_core, operands, results):
        monkeypatch.setattr(module, "Memory", Twin)


class Program:
    """Layers of a core, and what its memories hold."""

    def __init__(self, shape, rng):
        self.shape, self.rng = shape, rng
        self.layers, self.weights, self.neurons = [], [], []

    def ladder(self, channels):
        """Bias, and thresholds that do not decrease."""
        ladder = np.sort(self.rng.integers(-30, 60, (channels, D)), axis=1)
        return self.rng.integers(-9, 10, channels), ladder

    def store_weights(self, weight):
        """(outputs, words, inputs), in the order in which they are taken."""
        outputs, words, _ = weight.shape
        tiles = weight.reshape(outputs // INPUTS, INPUTS, words, INPUTS)
        for tile in tiles.transpose(0, 2, 3, 1).reshape(-1, INPUTS):
            self.weights.append(sum((int(one) & 15) << 4 * at for at, one in enumerate(tile)))

    def layer(self, weight, bias, ladder, **fields):
        """Appends a layer; a tile for each of the outputs' groups."""
        tiles = len(weight) // INPUTS
        unset = {
            "weight": len(self.weights) // INPUTS,
            "neuron": len(self.neurons),
            "width": SIDE,
            "height": SIDE,
            "stride": 1,
            "limits": {},
            "steps": [0] * 6,
            "out_steps": [1, 1, 1],
        }
        fields = unset | fields
        fields["limits"] = {"tiles": tiles - 1} | fields["limits"]
        self.store_weights(weight)
        width = self.shape.threshold_width
        mask = (1 << width) - 1
        units = self.shape.units
        for low in range(0, len(weight), units):
            word = 0
            for channel in reversed(range(low, low + units)):
                for number in [*reversed(ladder[channel]), bias[channel]]:
                    word = word << width | int(number) & mask
            self.neurons.append(word)
        self.layers.append(self.pack(fields))

    def pack(self, fields):
        layout = self.shape.layer
        return (
            layout
            .const({
                key: [one & (1 << self.shape.count_address) - 1 for one in value]
                if key == "steps"
                else [one & (1 << self.shape.out_address) - 1 for one in value]
                if key == "out_steps"
                else value & (1 << layout[key].width) - 1
                if isinstance(value, int)
                else value
                for key, value in fields.items()
            })
            .as_value()
            .value
        )


def run(core, program, pixels, cycles=20_000):
    """Logits of an image, and the cycles from ``start`` on."""
    shape, taken = core.shape, []

    async def host(ctx):
        words = [
            layer >> 32 * word & 0xFFFFFFFF
            for layer in program.layers
            for word in range(shape.layer_words)
        ]
        for number, memory in enumerate((program.weights, program.neurons, words)):
            ctx.set(core.load_write, 1 << number)
            for address, word in enumerate(memory):
                ctx.set(core.load_address, address)
                ctx.set(core.load_data, word)
                await ctx.tick()
        ctx.set(core.load_write, 0)
        ctx.set(core.pixel_write, 1)
        for pixel in pixels.reshape(-1, 3).tolist():
            ctx.set(core.pixel_data, sum(value << 8 * at for at, value in enumerate(pixel)))
            await ctx.tick()
        ctx.set(core.pixel_write, 0)
        ctx.set(core.start, 1)
        await ctx.tick()
        ctx.set(core.start, 0)
        for _ in range(cycles):
            if ctx.get(core.logits_valid):
                word = ctx.get(core.logits)
                for unit in range(shape.units):
                    value = word >> shape.residual_width * unit & (1 << shape.residual_width) - 1
                    taken.append(
                        value - (value >> shape.residual_width - 1 << shape.residual_width)
                    )
            if ctx.get(core.idle):
                return
            await ctx.tick()
        raise AssertionError("The core must come to an end")

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(host)
    simulator.run()
    return taken


def fired(total, ladder):
    return (total[..., np.newaxis] >= ladder).sum(axis=-1)


def conv(counts, weight, stride=1):
    """(side, side, channels) by (outputs, 3, 3, channels); padded by 1."""
    padded = np.pad(counts, ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    return np.einsum("yxcij,oijc->yxo", windows[::stride, ::stride], weight)


@pytest.mark.parametrize("units", [2, 4])
def test_a_small_network_gives_the_logits_of_numpy(units):
    """Pixels, a residual, a depthwise layer, a stride, values as weights, and logits."""
    rng = np.random.default_rng(units)
    shape = DenseShape(units=units, **SHAPE)
    program = Program(shape, rng)
    row = SIDE * WORDS
    pixels = rng.integers(0, 8, (SIDE, SIDE, 3))

    def draw(*sizes):
        return rng.integers(-8, 8, sizes)

    def taps(step):
        """Address changes of a 3 x 3 convolution, and where it begins."""
        per, line = step, step * SIDE
        return per, line

    around = {"left": -1, "top": -1}
    # Pixels to counts, whose totals are the residual.
    stem, (bias, ladder) = draw(CHANNELS, 3, 3, 3), program.ladder(CHANNELS)
    words = np.pad(stem, ((0, 0), (0, 0), (0, 0), (0, 1))).reshape(CHANNELS, 9, INPUTS)
    program.layer(
        words,
        bias,
        ladder,
        pixels=1,
        **around,
        count=-1 - SIDE,
        limits={"taps_across": 2, "taps_down": 2, "across": SIDE - 1, "down": SIDE - 1},
        steps=[0, 1, SIDE - 2, -2 - 2 * SIDE, -1 - 2 * SIDE, -1 - 2 * SIDE],
    )
    residual = conv(pixels, stem) + bias
    counts = fired(residual, ladder)
    # A branch of as many channels, added to the residual; at 64 on.
    branch, (bias, ladder) = draw(CHANNELS, 3, 3, CHANNELS), program.ladder(CHANNELS)
    back = -(2 * WORDS + 2 * row) - (WORDS - 1)
    program.layer(
        branch.reshape(CHANNELS, 9 * WORDS, INPUTS),
        bias,
        ladder,
        **around,
        adds=1,
        shift=1,
        count=-WORDS - row,
        out=64,
        limits={
            "words": WORDS - 1,
            "taps_across": 2,
            "taps_down": 2,
            "across": SIDE - 1,
            "down": SIDE - 1,
        },
        steps=[1, 1, row - 2 * WORDS - (WORDS - 1), back, back + WORDS, back + WORDS],
    )
    residual = residual + (conv(counts, branch) << 1) + bias
    counts = fired(residual, ladder)
    # Depthwise, a program's layer for each tile; at 128 on.
    depthwise, (bias, ladder) = draw(CHANNELS, 3, 3), program.ladder(CHANNELS)
    for tile in range(WORDS):
        of = slice(tile * INPUTS, (tile + 1) * INPUTS)
        # The newest tap comes last: windows are as wide as the engine has inputs.
        words = np.pad(depthwise[of], ((0, 0), (0, 0), (INPUTS - 3, 0)))
        program.layer(
            words,
            bias[of],
            ladder[of],
            depthwise=1,
            left=0,
            top=-1,
            primes=1,
            count=64 + tile - row,
            out=128 + tile,
            residual=100,
            limits={"taps_down": 2, "across": SIDE, "down": SIDE - 1},
            steps=[0, 0, row, 0, WORDS - 2 * row, -SIDE * WORDS + row - 2 * row],
            out_steps=[0, 0, WORDS],
        )
    diagonal = np.einsum("oij,oc->oijc", depthwise, np.eye(CHANNELS, dtype=int))
    counts = fired(conv(counts, diagonal) + bias, ladder)
    # A stride of two, to logits.
    last, (bias, ladder) = draw(INPUTS, 3, 3, CHANNELS), program.ladder(INPUTS)
    program.layer(
        last.reshape(INPUTS, 9 * WORDS, INPUTS),
        bias,
        ladder,
        **around,
        stride=2,
        count=128 - WORDS - row,
        destination=Destination.LOGITS.value,
        final=1,
        residual=0,
        limits={"words": WORDS - 1, "taps_across": 2, "taps_down": 2, "across": 2, "down": 2},
        steps=[
            1,
            1,
            row - 2 * WORDS - (WORDS - 1),
            0,
            back + 2 * WORDS,
            back + 2 * row - 4 * WORDS,
        ],
    )
    expected = conv(counts, last, stride=2) + bias
    assert run(DenseCore(shape), program, pixels) == expected.ravel().tolist()


def test_a_shape_holds_what_a_model_needs():
    model = golden.load("tests/data/digits.safetensors")
    engine = DenseSize(outputs=8, inputs=8, weight_width=4)
    shape = DenseShape.of(model, engine, units=2)
    weights = sum(layer.weight.size for layer in model.layers if isinstance(layer, golden.Conv))
    assert shape.weight_depth * engine.operations >= weights
    assert shape.max_count == model.max_count
    with pytest.raises(ValueError, match="Firing units must divide the 8 outputs, not be 3"):
        DenseShape.of(model, engine, units=3)
    with pytest.raises(ValueError, match="Inputs must be as many as outputs, 8, not 4"):
        DenseShape.of(model, DenseSize(outputs=8, inputs=4), units=2)
