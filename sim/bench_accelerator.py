"""Bench of the whole accelerator: images and load packets in, logits and counters out.

It takes a list of steps and leaves ``outcome.json``; what memories stored is in the captured logs,
and ``sim.compare`` holds both against the golden model.
"""

import json
from itertools import pairwise
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time

from golden.arrays import open_array

from .bench import CYCLE_NS, generators, parameters
from .board import FAULTS
from .stream import Sink, Source, axis_port


#: Cycles for which reset is held.
RESET_CYCLES = 4


@cocotb.test
async def run_steps(dut):
    """Runs every step: packets, images, pixel beats that are no image, waiting, resets."""
    rng, _ = generators()
    external = hasattr(dut, "weights_base")
    pixels = Source(axis_port(dut, "s_axis_pixels"), rng=rng)
    load = None if external else Source(axis_port(dut, "s_axis_load"), rng=rng)
    logits = Sink(axis_port(dut, "m_axis_logits"), rng=rng)
    if external:
        _steer_memory(dut, {"stall": 0.0})
    await _reset(dut)

    begins = []
    cocotb.start_soon(_watch_layers(dut, begins))
    outcome = []
    for step in parameters()["steps"]:
        pixels.stall = logits.stall = step["stall"]
        if external:
            _steer_memory(dut, step)
        if "load" in step:
            load.stall = step["stall"]
            loading = cocotb.start_soon(load.send_all(open_array(step["load"]).read().tolist()))
            if not step.get("background"):
                await loading
            continue
        if "watch" in step:
            await ClockCycles(dut.aclk, step["watch"])
            outcome.append(_said(dut))
            continue
        if "failing" in step:
            batches = _batches(open_array(step["failing"]).read(), step)
            outcome.append(await _fail(dut, pixels, logits, batches))
            continue
        if "reset_after" in step:
            feeding = cocotb.start_soon(_feed(pixels, open_array(step["interrupted"]).read()))
            await ClockCycles(dut.aclk, step["reset_after"])
            feeding.cancel()
            pixels.idle()
            await _reset(dut)
            continue
        if "malformed" in step:
            await pixels.send_all(open_array(step["malformed"]).read().tolist())
            if step.get("unfinished"):
                continue
            await _until_idle(dut)
            outcome.append({"error": int(dut.error.value)})
            continue
        outcome += await _run_images(dut, pixels, logits, step, begins)
    Path("outcome.json").write_text(json.dumps(outcome))


async def _run_images(dut, pixels, logits, step, begins):
    """Runs images of which each must have logits; what came of them."""
    outcome = []
    for batch in _batches(open_array(step["images"]).read(), step):
        feeding = cocotb.start_soon(_feed(pixels, batch, between=step.get("between")))
        for _ in batch:
            begins.clear()
            words = await logits.receive_all(step["classes"])
            ended = cycle_now()
            outcome.append(_signed_logits(words, step["classes"]))
            await _until_idle(dut)
            stalls = int(dut.stalls.value) if hasattr(dut, "stalls") else 0
            outcome[-1] |= {"ended": ended, "cycles": int(dut.cycles.value),
                            "error": int(dut.error.value),
                            "additions": int(dut.additions.value), "stalls": stalls,
                            "layers": _layers(begins, ended, int(dut.additions.value))}
        await feeding
    return outcome


async def _reset(dut):
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, RESET_CYCLES)
    dut.aresetn.value = 1


def _steer_memory(dut, step):
    """Base address, pauses and faults of the external memory."""
    kind, beat = step.get("fault", ("none", 0))
    dut.weights_base.value = step.get("base", 0)
    dut.memory_stall.value = round(256 * step["stall"])
    dut.memory_fault.value = FAULTS[kind]
    dut.memory_fault_beat.value = beat


async def _fail(dut, pixels, logits, batches):
    """Runs images of which each must fail; what came of the last batch."""
    for batch in batches:
        received = []
        receiving = cocotb.start_soon(_receive_until_cancelled(logits, received))
        await _feed(pixels, batch)
        await _until_idle(dut, cycles=3)
        receiving.cancel()
        logits.idle()
    return {**_said(dut), "received": len(received),
            "closed": bool(received and received[-1] >> 32)}


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
    return [images] if step.get("streamed") else np.split(images, len(images))


async def _feed(source, images, *, between=None):
    """Sends images back to back; the accelerator takes the next one when it is ready.

    ``between`` is a file of beats that are no image, and are sent behind the first one.
    """
    for number, image in enumerate(images):
        if number == 1 and between is not None:
            await source.send_all(open_array(between).read().tolist())
        beats = image.reshape(-1, image.shape[-1])
        words = [int.from_bytes(bytes(beat), "little") for beat in beats.tolist()]
        await source.send_all(_with_last(words, width=8 * image.shape[-1]))


def _with_last(words, *, width):
    """Beats of a packet: ``tlast`` above the data of the last one."""
    return [*words[:-1], words[-1] | 1 << width]


def _signed_logits(words, classes):
    """Logits of one image; ``tlast`` must come with the last class only."""
    last = [word >> 32 for word in words]
    assert last == [0] * (classes - 1) + [1], f"tlast must come with the last logit, not {last}"
    return {"logits": [((word & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000 for word in words]}


async def _watch_layers(dut, begins):
    """Notes when each layer begins, and the additions until then."""
    while True:
        await dut.layer.value_change
        begins.append((int(dut.layer.value), cycle_now(), int(dut.additions.value)))


def _layers(begins, ended, additions):
    """Cycles and additions per layer; pixels and idling have a number above all layers."""
    marks = [mark for mark in begins if mark[0] < 0xFFF] + [(None, ended, additions)]
    return [{"number": number, "cycles": after - begin, "additions": later - before}
            for (number, begin, before), (_, after, later) in pairwise(marks)]


def cycle_now():
    """Clock cycles since the simulation began."""
    return round(get_sim_time("ns") / CYCLE_NS)
