"""Testbench of the sequencer: every tile of a network, layer by layer."""

import cocotb

import golden
from hw.compiler import compile_model
from hw.emit.memory_images import memory_words
from hw.isa.fields import DISTANCES
from hw.isa.plan import Fill

from .base import Cycles, config, generators, parameters, pulse
from .stream import pack, unpack


SIZES = config()


class Expected:
    """What a layer's run must show."""

    def __init__(self, planned):
        self.name = planned.name
        self.descriptor = {
            name: int(getattr(value, "value", value)) for name, value in planned.descriptor.items()
        }
        self.thresholds = [threshold & 0xFFFFFFFF for threshold in planned.thresholds]
        self.tiles = [pack(SIZES.tile, **tile) for tile in planned.tiles]


class Image:
    """One image on its way through the table."""

    def __init__(self, cycles, words, fills, *, stall):
        self.cycles, self.rng, self.stall = cycles, cycles.rng, stall
        self.words, self.fills = words, fills
        self.inputs = {"program__data": 0}
        # Number of the next tile of the image, and of all tiles.
        self.tile = self.n_tiles = 0

    async def step(self, **inputs):
        """One cycle, in which the memory answers what was asked in the cycle before."""
        cycles = self.cycles
        await cycles.step(**self.inputs, **inputs)
        address, words = cycles.get("program__address"), self.words["program"]
        # Beyond its last word a memory holds anything.
        self.inputs["program__data"] = (
            words[address] if address < len(words) else cycles.noise("program__data")
        )

    async def receive(self, *, malformed):
        """From the first look at the image to its last pixel."""
        cycles, self.tile = self.cycles, 0
        assert not cycles.get("busy")
        await self.step(start=1)
        assert cycles.get("starts")
        if SIZES.external:
            await self.await_table()
        while not cycles.get("receive"):
            await self.step(start=self.rng.getrandbits(1))
            assert cycles.get("busy")
            assert not cycles.get("starts")
        for _ in range(self.rng.randrange(5)):
            await self.step(settled=self.rng.getrandbits(1))
            assert cycles.get("receive"), "reception ended too early"
        assert cycles.get("number") == 2**12 - 1
        self.compare_fill(self.fills[0])
        # A good image waits until token sums are clear, which is known a cycle later, and until its
        # first tile is there.
        await self.step(settled=0, tile_ready=1)
        await self.step(stored=int(not malformed), dropped=int(malformed), settled=0)
        assert not cycles.get("computes")
        if malformed:
            await self.step(dropped=0, start=0)
            assert not cycles.get("receive")
        else:
            await self.step(settled=1)
            assert not cycles.get("computes")
            await self.step(settled=1, tile_ready=0)
            assert not cycles.get("computes"), "begun without a tile"
            await self.step(settled=0, tile_ready=1)
            assert cycles.get("computes")
            await self.step(start=0)
            assert cycles.get("receive"), "the next image may come"

    async def await_table(self):
        """The weight image is asked for, and nothing goes on before its table is there."""
        cycles = self.cycles
        for inputs in ({"fetching": 1}, {"table": 1}):
            for _ in range(self.rng.randrange(1, 9)):
                await self.step()
                assert cycles.get("fetch") == ("fetching" in inputs)
                assert not cycles.get("receive")
            await self.step(**inputs)
            await self.step(**dict.fromkeys(inputs, 0))

    async def give_up(self, *, discarding):
        """Reading fails: of the table, or of the tile that is waited for."""
        cycles = self.cycles
        await self.step(failed=1)
        await self.step(failed=0, settled=0, tile__ready=1)
        assert not cycles.get("release")
        for _ in range(self.rng.randrange(3, 12)):
            await self.step()
            assert not cycles.get("given_up"), "aborted before everything was stored"
            assert cycles.get("discard") == int(discarding)
            assert cycles.get("busy")
        if discarding:
            await self.step(dropped=1)
        else:
            await self.step(settled=1)
            await self.step(settled=0)
        assert cycles.get("given_up")
        # This image had pixels, which no layer will read.
        assert cycles.get("release") == int(not discarding)
        await self.step(dropped=0, start=0, stored=0)
        assert not cycles.get("busy")

    async def run_layer(self, number, expected):
        """All tiles of a layer, then the time until everything is stored."""
        cycles, waiting, thresholds, fired = self.cycles, list(expected.tiles), [], 0
        limit = cycles.count + 500 + 60 * len(waiting)
        while waiting or fired < expected.descriptor["token_sum"]:
            ready = pulse(self.rng, 1 - self.stall)
            there = pulse(self.rng, 1 - self.stall)
            # All may be idle until the last tile is taken.
            await self.step(
                tile__ready=ready,
                settled=pulse(self.rng, 0.5) if waiting and not ready else 0,
                tile_ready=there,
            )
            if cycles.get("threshold_valid"):
                thresholds.append(cycles.get("program__data"))
            fired += cycles.get("fire_sums")
            if cycles.get("tile__valid"):
                assert there, f"{expected.name}: the tile is not there"
                assert waiting, f"{expected.name}: a tile after the last one"
                self.compare_tile(number, expected, waiting[0])
                self.compare_fill(self.fills[self.tile + 1])
                if ready:
                    waiting.pop(0)
                    self.tile += 1
                    self.n_tiles += 1
            assert cycles.count < limit, f"{expected.name}: {len(waiting)} tiles did not come"
        assert thresholds == expected.thresholds
        assert fired == expected.descriptor["token_sum"]
        for _ in range(self.rng.randrange(8)):
            await self.step(tile__ready=1, settled=0)
            assert not cycles.get("tile__valid"), "a tile before the last layer has settled"
            assert cycles.get("busy")
            assert not cycles.get("release"), "pixels are given away before they were read"
        await self.step(settled=1)
        await self.step(settled=0)
        assert cycles.get("release") == expected.descriptor.get("releases", 0)
        await self.step(stored=0)

    def compare_fill(self, fill):
        """Compares what the next tile is filled with."""
        if not SIZES.external:
            assert unpack(SIZES.fill, self.cycles.get("fill")) == vars(
                fill.in_words(SIZES.rows_at_once)
            )

    def compare_tile(self, number, expected, word):
        """Compares a tile that is offered, and the layer's descriptor."""
        name = f"{expected.name}, tile {len(expected.tiles)}"
        actual = self.cycles.get("tile__payload")
        if actual != word:
            raise AssertionError(
                f"{name}: {unpack(SIZES.tile, actual)}, not {unpack(SIZES.tile, word)}"
            )
        assert self.cycles.get("number") == number
        descriptor = unpack(SIZES.layer, self.cycles.get("layer"))
        wrong = {
            key
            for key, value in expected.descriptor.items()
            if descriptor[key]
            != (value % (1 << SIZES.layer[key].width) if key in DISTANCES else value)
        }
        assert not wrong, f"{name}: {wrong} of the layer's descriptor differ"


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.7])
async def every_tile_is_offered(dut, stall):
    """Two images, a malformed one between them."""
    rng, _ = generators()
    model = golden.load(parameters()["model"])
    plan = compile_model(model, **SIZES.array, bus_width=SIZES.bus_width)
    layers = [Expected(planned) for planned in plan.layers]
    cycles = Cycles(dut, rng)
    await cycles.reset(
        start=0,
        refuse=0,
        stored=0,
        dropped=0,
        program__data=0,
        tile__ready=0,
        settled=0,
        fetching=0,
        table=0,
        failed=0,
        tile_ready=0,
    )
    fills = [*plan.fills, Fill(0, 0, 0, 0, False)]
    image = Image(cycles, memory_words(plan, SIZES), fills, stall=stall)
    await image.step()
    for malformed in (False, True, False):
        await image.receive(malformed=malformed)
        if not malformed:
            for number, expected in enumerate(layers):
                await image.run_layer(number, expected)
            header = unpack(SIZES.header, cycles.get("header"))
            assert header == {
                "last_pixel": model.image_shape[0] * model.image_shape[1] - 1,
                "layers": len(layers),
                "classes": model.classes,
            }
        await image.step()
        assert not cycles.get("busy"), "still busy after the last layer"
    assert image.n_tiles == 2 * sum(len(layer.tiles) for layer in layers)
    if not SIZES.external:
        return
    # The table cannot be read, then a tile cannot; then everything can.
    await image.step(start=1)
    await image.step(start=0)
    await image.give_up(discarding=True)
    await image.receive(malformed=False)
    await image.step(tile_ready=0)
    for _ in range(100):
        await image.step()
    assert cycles.get("waiting")
    await image.give_up(discarding=False)
    await image.receive(malformed=False)
    for number, expected in enumerate(layers):
        await image.run_layer(number, expected)
