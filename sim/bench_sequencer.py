"""Bench of the sequencer: every job of a network, for the right column, layer by layer."""

import cocotb

import golden
from hw.compiler import compile_model
from hw.images import memory_words

from .bench import Cycles, capacities, generators, parameters, pulse
from .jobs import jobs
from .stream import unpack


SIZES = capacities()


class Expected:
    """What a layer's run must show."""

    def __init__(self, planned):
        self.name = planned.name
        self.record = {name: int(getattr(value, "value", value))
                       for name, value in planned.record.items()}
        self.thresholds = [threshold & 0xFFFFFFFF for threshold in planned.thresholds]
        self.jobs = [] if self.record["token_sum"] else list(jobs(planned, SIZES))


class Image:
    """One image on its way through the table."""

    def __init__(self, cycles, words, *, stall):
        self.cycles, self.rng, self.stall = cycles, cycles.rng, stall
        self.words = words
        self.inputs = {"program": 0, "window": 0}
        self.n_jobs = 0

    async def step(self, **inputs):
        """One cycle, in which the memories answer what was asked in the cycle before."""
        cycles = self.cycles
        await cycles.step(**self.inputs, **inputs)
        for port, memory in (("program", "program"), ("window", "windows")):
            address = cycles.get(f"{port}_address")
            words = self.words[memory]
            # Beyond its last word a memory holds anything.
            self.inputs[port] = words[address] if address < len(words) else cycles.noise(port)

    async def receive(self, *, malformed):
        """From the first look at the image to its last pixel."""
        cycles = self.cycles
        assert not cycles.get("busy")
        await self.step(start=1)
        while not cycles.get("receive"):
            await self.step(start=self.rng.getrandbits(1))
            assert cycles.get("busy")
        for _ in range(self.rng.randrange(5)):
            await self.step()
            assert cycles.get("receive"), "reception ended too early"
        assert cycles.get("number") == 2**12 - 1
        await self.step(received=int(not malformed), dropped=int(malformed))
        await self.step(received=0, dropped=0, start=0)
        assert not cycles.get("receive")

    async def run_layer(self, number, expected):
        """All jobs of a layer, then the time until everything is stored."""
        cycles, waiting, thresholds, fired = self.cycles, list(expected.jobs), [], 0
        limit = cycles.count + 500 + 60 * len(waiting)
        while waiting or fired < expected.record["token_sum"]:
            ready = sum(pulse(self.rng, 1 - self.stall) << column
                        for column in range(SIZES.columns))
            # Columns may be idle before they take the last job.
            await self.step(job_ready=ready, settled=pulse(self.rng, 0.5) if waiting else 0)
            if cycles.get("threshold_valid"):
                thresholds.append(cycles.get("program"))
            fired += cycles.get("fire_sums")
            if valid := cycles.get("job_valid"):
                assert waiting, f"{expected.name}: a job after the last one"
                self.compare_job(number, expected, len(expected.jobs) - len(waiting), valid)
                if valid & ready:
                    waiting.pop(0)
                    self.n_jobs += 1
            assert cycles.count < limit, f"{expected.name}: {len(waiting)} jobs did not come"
        assert thresholds == expected.thresholds
        assert fired == expected.record["token_sum"]
        for _ in range(self.rng.randrange(8)):
            await self.step(job_ready=-1 % (1 << SIZES.columns), settled=0)
            assert not cycles.get("job_valid"), "a job before the last layer has settled"
            assert cycles.get("busy")
        await self.step(settled=1)
        await self.step(settled=0)

    def compare_job(self, number, expected, index, valid):
        """Compares column, job and layer record of an offered job."""
        column, word = expected.jobs[index]
        name = f"{expected.name}, job {index}"
        assert valid == 1 << column, f"{name}: columns {valid:b}, not column {column}"
        actual = self.cycles.get("job")
        if actual != word:
            raise AssertionError(f"{name}: {unpack(SIZES.job, actual)}, "
                                 f"not {unpack(SIZES.job, word)}")
        assert self.cycles.get("number") == number
        record = unpack(SIZES.layer, self.cycles.get("layer"))
        wrong = {key for key, value in expected.record.items()
                 if record[key] != value & ((1 << SIZES.layer[key].width) - 1)}
        assert not wrong, f"{name}: {wrong} of the layer's record differ"


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.7])
async def every_job_is_dealt_out(dut, stall):
    """Two images, a malformed one between them."""
    rng, _ = generators()
    model = golden.load(parameters()["model"])
    plan = compile_model(model, columns=SIZES.columns, lanes=SIZES.lanes,
                         spike_code=SIZES.spike_code)
    layers = [Expected(planned) for planned in plan.layers]
    cycles = Cycles(dut, rng)
    await cycles.reset(start=0, received=0, dropped=0, program=0, window=0, job_ready=0, settled=0)
    image = Image(cycles, memory_words(plan, SIZES), stall=stall)
    await image.step()
    for malformed in (False, True, False):
        await image.receive(malformed=malformed)
        if not malformed:
            for number, expected in enumerate(layers):
                await image.run_layer(number, expected)
            header = unpack(SIZES.header, cycles.get("header"))
            assert header == {"pixels": model.image_shape[0] * model.image_shape[1],
                              "layers": len(layers), "classes": model.classes}
        await image.step()
        assert not cycles.get("busy"), "still busy after the last layer"
    assert image.n_jobs == 2 * sum(len(layer.jobs) for layer in layers)
