"""Testbench of the sequencer: every job of a network, for the right column, layer by layer."""

import cocotb

import golden
from hw.compiler import compile_model
from hw.emit.memory_images import memory_words
from hw.isa.fields import DISTANCES

from .base import Cycles, config, generators, parameters, pulse
from .jobs import jobs
from .stream import unpack


SIZES = config()


class Expected:
    """What a layer's run must show."""

    def __init__(self, planned, first_tile):
        self.name = planned.name
        self.descriptor = {
            name: int(getattr(value, "value", value)) for name, value in planned.descriptor.items()
        }
        self.thresholds = [threshold & 0xFFFFFFFF for threshold in planned.thresholds]
        self.jobs = (
            []
            if self.descriptor["token_sum"]
            else list(jobs(planned, SIZES, first_tile=first_tile))
        )
        self.tiles = len(planned.tiles)


class Image:
    """One image on its way through the table."""

    def __init__(self, cycles, words, *, stall):
        self.cycles, self.rng, self.stall = cycles, cycles.rng, stall
        self.words = words
        self.inputs, self.next_window = {"program": 0, "window": 0}, 0
        self.n_jobs = 0
        self.n_tiles = 0

    async def step(self, **inputs):
        """One cycle, in which the memories answer what was asked in the cycle before."""
        cycles = self.cycles
        await cycles.step(**self.inputs, **inputs)
        for port, memory in (("program", "program"), ("window", "windows")):
            if port == "window":
                if not cycles.get("window_read"):
                    continue
                self.inputs["window"] = self.next_window
            address = cycles.get(f"{port}_address")
            words = self.words[memory]
            # Beyond its last word a memory holds anything.
            word = words[address] if address < len(words) else cycles.noise(port)
            if port == "window":
                self.next_window = word
            else:
                self.inputs[port] = word

    async def receive(self, *, malformed):
        """From the first look at the image to its last pixel."""
        cycles = self.cycles
        assert not cycles.get("busy")
        await self.step(start=1)
        assert cycles.get("starts")
        self.n_tiles = 0
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
        # A good image waits until token sums are clear, which is known a cycle later.
        await self.step(settled=0)
        await self.step(stored=int(not malformed), dropped=int(malformed), settled=0)
        assert not cycles.get("computes")
        if malformed:
            await self.step(dropped=0, start=0)
            assert not cycles.get("receive")
        else:
            await self.step(settled=1)
            assert not cycles.get("computes")
            await self.step(settled=0)
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
        await self.step(failed=0, settled=0, job_ready=-1 % (1 << SIZES.columns))
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
        """All jobs of a layer, then the time until everything is stored."""
        cycles, waiting, thresholds, fired = self.cycles, list(expected.jobs), [], 0
        limit = cycles.count + 500 + 60 * len(waiting)
        dispatched = 0
        while waiting or fired < expected.descriptor["token_sum"]:
            ready = sum(
                pulse(self.rng, 1 - self.stall) << column for column in range(SIZES.columns)
            )
            # Columns may be idle before they take the last job.
            await self.step(
                job_ready=ready,
                settled=pulse(self.rng, 0.5) if waiting else 0,
                tile_ready=pulse(self.rng, 1 - self.stall),
                tile_half=(self.n_tiles + dispatched) % 2,
            )
            dispatched += cycles.get("tile_dealt")
            if cycles.get("threshold_valid"):
                thresholds.append(cycles.get("program"))
            fired += cycles.get("fire_sums")
            if valid := cycles.get("job_valid"):
                assert waiting, f"{expected.name}: a job after the last one"
                self.compare_job(number, expected, len(expected.jobs) - len(waiting), valid, ready)
                waiting.pop(0)
                self.n_jobs += 1
            assert cycles.count < limit, f"{expected.name}: {len(waiting)} jobs did not come"
        assert dispatched == expected.tiles
        self.n_tiles += dispatched
        assert thresholds == expected.thresholds
        assert fired == expected.descriptor["token_sum"]
        for _ in range(self.rng.randrange(8)):
            await self.step(job_ready=-1 % (1 << SIZES.columns), settled=0)
            assert not cycles.get("job_valid"), "a job before the last layer has settled"
            assert cycles.get("busy")
            assert not cycles.get("release"), "pixels are given away before they were read"
        await self.step(settled=1)
        await self.step(settled=0)
        assert cycles.get("release") == expected.descriptor.get("releases", 0)
        await self.step(stored=0)

    def compare_job(self, number, expected, index, valid, ready):
        """Compares column, job and layer descriptor of a job that a column takes."""
        allowed, word = expected.jobs[index]
        name = f"{expected.name}, job {index}"
        first = next((column for column in allowed if ready >> column & 1), None)
        assert first is not None, f"{name}: columns {valid:b}, and none that may take it is ready"
        assert valid == 1 << first, f"{name}: columns {valid:b}, not column {first}"
        actual = self.cycles.get("job")
        if actual != word:
            raise AssertionError(
                f"{name}: {unpack(SIZES.job, actual)}, not {unpack(SIZES.job, word)}"
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
async def every_job_is_dispatched(dut, stall):
    """Two images, a malformed one between them."""
    rng, _ = generators()
    model = golden.load(parameters()["model"])
    plan = compile_model(model, **SIZES.array, bus_width=SIZES.bus_width)
    layers, tiles = [], 0
    for planned in plan.layers:
        layers.append(Expected(planned, tiles))
        tiles += len(planned.tiles)
    cycles = Cycles(dut, rng)
    await cycles.reset(
        start=0,
        refuse=0,
        stored=0,
        dropped=0,
        program=0,
        window=0,
        job_ready=0,
        settled=0,
        fetching=0,
        table=0,
        failed=0,
        tile_ready=0,
        tile_half=0,
    )
    image = Image(cycles, memory_words(plan, SIZES), stall=stall)
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
    assert image.n_jobs == 2 * sum(len(layer.jobs) for layer in layers)
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
