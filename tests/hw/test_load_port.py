"""The load port under Verilator: alone, and on cores that begin with a model or without one."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import golden
from hw import load
from hw.emit.build_directory import read_description
from hw.emit.load_packets import LAST, closing_packet, packets
from hw.emit.memory_images import beats
from hw.isa.status import Status
from hw.rtl.load_port import PATIENCE, LoadPort
from sim.loading import load_step
from sim.runner import Design, simulate
from sim.runner import build as build_simulator
from sim.verify import verify
from tests.engines import run_testbench
from tests.small_core import build_small_core, run_steps, simulator_of


pytestmark = pytest.mark.sim


#: Words of memory 0 take one beat, those of the last memory several.
MEMORIES = {"narrow": (5, 8), "beat": (32, 40), "wide": (150, 17)}


@pytest.mark.parametrize("filled", [True, False])
def test_the_port_knows_what_is_a_model(project_root, tmp_path, filled):
    parameters = {"fingerprint": 0x1234ABCD, "patience": 20, "filled": filled}
    run_testbench(
        LoadPort(MEMORIES, **parameters),
        "sim.testbenches.tb_load_port",
        parameters | {"memories": list(MEMORIES.values())},
        folder=tmp_path,
        cache=project_root / "build" / "sim",
    )


def test_a_packet_is_ended_after_two_to_the_24_cycles(project_root, tmp_path):
    assert PATIENCE == 2**24
    port = LoadPort(MEMORIES, fingerprint=1, filled=False)
    executable = build_simulator(
        replace(Design.of(port), clock="clk"), project_root / "build" / "sim", fast=True
    )
    simulate(executable, "sim.testbenches.tb_patience", tmp_path)


@pytest.fixture(scope="module")
def core(tmp_path_factory, project_root):
    """Function that builds a core for a small model; what it returns runs steps on it."""

    def make(**options):
        folder = tmp_path_factory.mktemp("core")
        made = build_small_core(folder, n_images=4, **options)
        executable = simulator_of(folder, project_root)
        np.save(folder / "images.npy", made.images)
        np.save(folder / "one.npy", made.images[:1])
        return SimpleNamespace(
            run=lambda steps: run_steps(executable, folder, steps),
            folder=folder,
            model=made.model,
            plan=made.plan,
            config=made.config,
            logits=golden.run(made.model, made.images).logits.tolist(),
            images={"images": "images.npy", "stall": 0.1, "classes": made.model.classes},
        )

    return make


@pytest.fixture(scope="module")
def empty(core):
    """A core that begins without a model, and ends packets soon."""
    return core(readmemh=False, load_patience=300)


@pytest.fixture(scope="module")
def filled(core):
    """A core that begins with a model."""
    return core(readmemh=True)


ONE = {"failing": "one.npy", "stall": 0.1}
RESET = {"interrupted": "one.npy", "reset_after": 3, "stall": 0.0}
WATCH = {"watch": 10, "stall": 0.0}
WAIT = {"watch": 310, "stall": 0.0}


def sends(core, name, packets, **options):
    """Step that sends packets; those without ``LAST`` stay open."""
    beats = [beat for packet in packets for beat in packet]
    np.save(core.folder / f"{name}.npy", np.array(beats, np.int64))
    return {"load": f"{name}.npy", "stall": 0.0, **options}


def closed(packet):
    """The packet with ``LAST`` on its last beat."""
    return [*packet[:-1], packet[-1] | LAST]


def statuses(outcomes):
    """What the core said after each step; none of them has a logit."""
    assert all(outcome["error"] == (outcome["status"] != 0) for outcome in outcomes)
    assert not any(outcome["busy"] or outcome.get("received") for outcome in outcomes)
    return [Status(outcome["status"]) for outcome in outcomes]


def assert_right(core, outcomes):
    """Outcomes of the core's images."""
    assert [outcome["logits"] for outcome in outcomes] == core.logits
    assert [outcome["error"] for outcome in outcomes] == [0] * len(core.logits)


def test_only_a_core_with_readmemh_names_images(empty, filled):
    for core, readmemh in ((empty, False), (filled, True)):
        text = (core.folder / "rtl" / "accelerator.v").read_text()
        assert ('.hex"' in text) == readmemh
        assert read_description(core.folder)["readmemh"] == readmemh


def test_a_core_without_readmemh_stores_every_tensor_of_golden(empty, project_root):
    figures = verify(
        empty.folder,
        empty.model,
        np.load(empty.folder / "images.npy"),
        cache=project_root / "build" / "sim",
    )
    assert figures["first_mismatch"] is None
    assert figures["images"] == 4


def test_a_core_without_readmemh_runs_what_load_writes(empty):
    golden.save(empty.model, empty.folder / "model.safetensors")
    text = empty.folder / "load.txt"
    assert (
        load.main([str(empty.folder), str(empty.folder / "model.safetensors"), "--out", str(text)])
        == 0
    )
    model = sends(empty, "model", [[int(line, 16) for line in text.read_text().split()]])
    outcomes = empty.run([
        WATCH,
        ONE,
        model,
        WATCH,
        empty.images,
        RESET,
        WATCH,
        ONE,
        model,
        empty.images,
    ])
    assert statuses(outcomes[:3]) == [Status.MODEL, Status.MODEL, Status.OK]
    assert_right(empty, outcomes[3:7])
    assert statuses(outcomes[7:9]) == [Status.MODEL, Status.MODEL]
    assert_right(empty, outcomes[9:])


def test_a_packet_without_beats_is_ended(empty):
    model = load_step(empty.folder, empty.plan, empty.config)
    header = sends(empty, "header", [[0]])
    width, _ = empty.config.memories["weights"]
    word = sends(empty, "word", [[0, *range(width // 32 + 1)]])
    steps = [
        model,
        header,
        WAIT,
        empty.images,
        # The image waits for the end of the packet.
        header,
        empty.images,
        # What was written is no model. The load that ends the account of the ended packet is
        # not one, either.
        word,
        ONE,
        WAIT,
        ONE,
        model,
        WATCH,
        model,
        WATCH,
        empty.images,
    ]
    outcomes = empty.run(steps)
    assert statuses(outcomes[:1]) == [Status.TIMEOUT]
    assert_right(empty, outcomes[1:5])
    assert_right(empty, outcomes[5:9])
    assert statuses(outcomes[9:14]) == [
        Status.MODEL,
        Status.TIMEOUT,
        Status.MODEL,
        Status.MODEL,
        Status.OK,
    ]
    assert_right(empty, outcomes[14:])


def test_images_do_not_hold_up_a_load(empty):
    """Neither many of them, nor one whose pixels do not go on."""
    behind = load_step(empty.folder, empty.plan, empty.config)
    n_beats = len(np.load(empty.folder / behind["load"]))
    np.save(empty.folder / "begun.npy", np.array([1, 2, 3]))
    last = 1 << empty.config.pixel_width
    np.save(empty.folder / "rest.npy", np.array([4, 5, 6 | last]))
    outcomes = empty.run([
        behind | {"background": True},
        ONE | {"failing": "images.npy", "back_to_back": True},
        {"watch": n_beats, "stall": 0.0},
        empty.images,
        RESET,
        {"malformed": "begun.npy", "unfinished": True, "stall": 0.0},
        behind,
        {"malformed": "rest.npy", "stall": 0.0},
        WATCH,
        empty.images,
    ])
    assert statuses(outcomes[:2]) == [Status.MODEL, Status.OK]
    assert_right(empty, outcomes[2:6])
    # The image was begun before there was a model.
    assert outcomes[6]["error"] == 1
    assert statuses(outcomes[6:8]) == [Status.MODEL, Status.MODEL]
    assert_right(empty, outcomes[8:])


def test_a_refused_packet_writes_nothing_from_there_on(filled):
    memories = list(filled.config.memories.values())
    wrapping = [
        closed(beats(number, [1, 2, 3], width, address=0xFFFFFF))
        for number, (width, _) in enumerate(memories)
    ]
    unknown = closed(beats(4, [1, 2, 3], 32))
    beyond = [
        closed(beats(number, [1, 2, 3], width, address=depth))
        for number, (width, depth) in enumerate(memories)
    ]
    steps = []
    for number, packet in enumerate([*wrapping, *beyond, unknown]):
        steps += [sends(filled, f"packet_{number}", [packet]), WATCH]
    outcomes = filled.run([WATCH, *steps, filled.images])
    assert statuses(outcomes[:10]) == [Status.OK, *[Status.PACKET] * 9]
    assert_right(filled, outcomes[10:])


def test_what_was_written_is_no_model_until_all_is_loaded(filled):
    """A packet that wrote before it was refused, reset, and loads that are not whole."""
    (width, depth), *_ = filled.config.memories.values()
    model = packets(filled.plan, filled.config)
    *parts, closing = model
    refused = sends(filled, "refused", [closed(beats(0, [1, 2], width, address=depth - 1))])
    good = sends(filled, "good", model)
    partial = sends(filled, "partial", [parts[0], closing_packet(parts[:1], filled.config)])
    wrong = sends(filled, "wrong", [*parts, [closing[0], closing[1] ^ 1]])
    first = sends(filled, "first", parts[:1])
    outcomes = filled.run([
        refused,
        WATCH,
        ONE,
        good,
        WATCH,
        RESET,
        WATCH,
        ONE,
        partial,
        WATCH,
        wrong,
        WATCH,
        ONE,
        good,
        WATCH,
        filled.images,
        RESET,
        filled.images,
        first,
        RESET,
        WATCH,
        ONE,
    ])
    assert statuses(outcomes[:9]) == [Status.PACKET, *[Status.MODEL] * 7, Status.OK]
    assert_right(filled, outcomes[9:13])
    assert_right(filled, outcomes[13:17])
    assert statuses(outcomes[17:]) == [Status.MODEL, Status.MODEL]
