"""Testbench of the whole accelerator: images and load packets in, logits and counters out.

It takes a list of steps and leaves ``outcome.json``; what memories stored is in the captured logs,
and ``sim.compare`` holds both against the golden model.
"""

import json
from itertools import pairwise
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, RisingEdge, SimTimeoutError, Timer, with_timeout
from cocotb.utils import get_sim_time

from golden.data.arrays import open_array

from ..harness import FAULTS
from .base import CYCLE_NS, generators, parameters
from .stream import Sink, Source, axis_port


#: Cycles for which reset is held.
RESET_CYCLES = 4

#: Kinds of steps.
KINDS = ("load", "watch", "failing", "reset_after", "malformed", "images")


@cocotb.test
async def run_steps(dut):
    """Runs every step: packets, images, pixel beats that are no image, waiting, resets."""
    # Inputs that only some simulators have.
    for name, value in parameters().get("inputs", {}).items():
        getattr(dut, name).value = value
    deadline = parameters().get("deadline")
    try:
        running = _run(dut)
        outcome = await (with_timeout(running, deadline * CYCLE_NS, "ns") if deadline else running)
    except SimTimeoutError:
        raise AssertionError(f"the accelerator must be done within {deadline} cycles") from None
    Path("outcome.json").write_text(json.dumps(outcome))


async def _run(dut):
    """Outcomes of all steps, in order."""
    bench = _Bench(dut)
    await _reset(dut)
    cocotb.start_soon(bench.watch_layers())
    for step in parameters()["steps"]:
        await bench.run(step)
    return bench.outcome


class _Bench:
    """Drivers of all ports, and what came of the steps so far."""

    def __init__(self, dut):
        rng, _ = generators()
        self.dut = dut
        self.external = hasattr(dut, "weights_base")
        self.pixels = Source(axis_port(dut, "s_axis_pixels"), rng=rng)
        self.load = None if self.external else Source(axis_port(dut, "s_axis_load"), rng=rng)
        self.logits = Sink(axis_port(dut, "m_axis_logits"), rng=rng)
        self.loading = None
        self.outcome = []
        # When each layer began, with the additions until then; and each image, with its first beat.
        self.layers, self.images = [], []
        if self.external:
            _steer_memory(dut, {"stall": 0.0})

    async def run(self, step):
        """Runs a step, whose kind is named by the key that it has."""
        self.pixels.stall = self.logits.stall = step["stall"]
        if self.external:
            _steer_memory(self.dut, step)
        kind = next(kind for kind in KINDS if kind in step)
        await getattr(self, f"_{kind}")(step)

    async def _load(self, step):
        """Packets for the load port, offered ``load_after`` cycles from now.

        The next step does not wait for them if they are sent in the ``background``; packets do.
        """
        if self.loading is not None:
            await self.loading
        self.load.stall = step["stall"]
        beats = open_array(step["load"]).read().tolist()
        self.loading = cocotb.start_soon(self._send_packets(beats, step.get("load_after", 0)))
        if not step.get("background"):
            await self.loading

    async def _send_packets(self, beats, after):
        await _pass(self.dut, after)
        await self.load.send_all(beats)

    async def _watch(self, step):
        """What the core says after some cycles."""
        await _pass(self.dut, step["watch"])
        self.outcome.append(_said(self.dut))

    async def _failing(self, step):
        """Images of which each must fail."""
        batches = _batches(open_array(step["failing"]).read(), step)
        self.outcome.append(await _fail(self.dut, self._feed, self.logits, batches))

    async def _reset_after(self, step):
        """An image, and reset in the middle of it."""
        feeding = cocotb.start_soon(self._feed(open_array(step["interrupted"]).read()))
        await _pass(self.dut, step["reset_after"])
        feeding.cancel()
        self.pixels.idle()
        if self.loading is not None:
            self.loading.cancel()
            self.loading = None
            self.load.idle()
        await _reset(self.dut)

    async def _malformed(self, step):
        """Pixel beats that are no image, or not all of one: these the next step does not await."""
        await self.pixels.send_all(_pixel_beats(open_array(step["malformed"]).read()))
        if not step.get("unfinished"):
            await _until_idle(self.dut)
            self.outcome.append(_said(self.dut))

    async def _images(self, step):
        """Images of which each must have logits."""
        dut, classes = self.dut, step["classes"]
        for batch in _batches(open_array(step["images"]).read(), step):
            self.images.clear()
            feeding = cocotb.start_soon(self._feed(batch, between=step.get("between")))
            for number in range(len(batch)):
                self.layers.clear()
                words = await self.logits.receive_all(classes)
                ended = cycle_now()
                await _until_idle(dut)
                additions, cycles = int(dut.additions.value), int(dut.cycles.value)
                self.outcome.append({
                    "logits": _signed_logits(words, classes),
                    "begun": self.images[number],
                    "ended": ended,
                    "cycles": cycles,
                    "additions": additions,
                    "stalls": int(dut.stalls.value) if self.external else 0,
                    "layers": _layers(self.layers, ended, additions),
                    **_said(dut),
                })
                await RisingEdge(dut.aclk)
                assert int(dut.cycles.value) == cycles, "the cycles of an image must stay"
            await feeding

    async def _feed(self, images, *, between=None):
        """Sends images back to back; the accelerator takes the next one when it is ready.

        ``between`` is a file of beats that are no image, and are sent behind the first one.
        """
        for number, image in enumerate(images):
            if number == 1 and between is not None:
                await self.pixels.send_all(_pixel_beats(open_array(between).read()))
            first, *further = _pixel_beats(image.reshape(-1, image.shape[-1]))
            await self.pixels.send(first)
            self.images.append(cycle_now())
            await self.pixels.send_all(further)

    async def watch_layers(self):
        """Notes when each layer begins, and the additions until then."""
        while True:
            await self.dut.layer.value_change
            self.layers.append((
                int(self.dut.layer.value),
                cycle_now(),
                int(self.dut.additions.value),
            ))


async def _pass(dut, cycles):
    """Lets cycles pass, at the simulator's own speed."""
    if cycles > 1:
        await Timer((cycles - 1) * CYCLE_NS, "ns")
    await RisingEdge(dut.aclk)


async def _reset(dut):
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, RESET_CYCLES)
    for name in ("cycles", "additions"):
        assert int(getattr(dut, name).value) == 0, f"{name} must be 0 in reset"
    dut.aresetn.value = 1


def _steer_memory(dut, step):
    """Base address, pauses and faults of the external memory."""
    kind, beat = step.get("fault", ("none", 0))
    dut.weights_base.value = step.get("base", 0)
    dut.memory_stall.value = round(256 * step["stall"])
    dut.memory_fault.value = FAULTS[kind]
    dut.memory_fault_beat.value = beat


async def _fail(dut, feed, logits, batches):
    """Runs images of which each must fail; what came of the last batch."""
    for batch in batches:
        received = []
        receiving = cocotb.start_soon(_receive_until_cancelled(logits, received))
        await feed(batch)
        await _until_idle(dut, cycles=3)
        receiving.cancel()
        logits.idle()
    return {
        **_said(dut),
        "received": len(received),
        "closed": bool(received and received[-1] >> 32),
    }


def _said(dut):
    """What the core says of itself."""
    return {name: int(getattr(dut, name).value) for name in ("status", "error", "busy")}


async def _receive_until_cancelled(logits, received):
    while True:
        received.append(await logits.receive())


async def _until_idle(dut, *, cycles=1):
    """Waits until the accelerator was not busy for some cycles: for one, an image may wait."""
    idle = 0
    while idle < cycles:
        await RisingEdge(dut.aclk)
        idle = 0 if int(dut.busy.value) else idle + 1


def _batches(images, step):
    """Images that come back to back: all of them, or each when the one before is done."""
    return [images] if step.get("back_to_back") else np.split(images, len(images))


def _pixel_beats(pixels):
    """Beats of pixels, ``tlast`` above the data of the last one; or beats, as they are."""
    if pixels.ndim == 1:
        return pixels.tolist()
    *words, last = (int.from_bytes(bytes(pixel), "little") for pixel in pixels.tolist())
    return [*words, last | 1 << 8 * pixels.shape[1]]


def _signed_logits(words, classes):
    """Logits of one image; ``tlast`` must come with the last class only."""
    last = [word >> 32 for word in words]
    assert last == [0] * (classes - 1) + [1], f"tlast must come with the last logit, not {last}"
    return [((word & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000 for word in words]


def _layers(begins, ended, additions):
    """Cycles and additions per layer; pixels and idling have a number above all layers."""
    marks = [mark for mark in begins if mark[0] < 0xFFF] + [(None, ended, additions)]
    return [
        {"number": number, "cycles": after - begin, "additions": later - before}
        for (number, begin, before), (_, after, later) in pairwise(marks)
    ]


def cycle_now():
    """Clock cycles since the simulation began."""
    return round(get_sim_time("ns") / CYCLE_NS)
