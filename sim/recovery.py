"""What a core must come back from: resets, broken images, refused packets, other contents."""

import random
from dataclasses import dataclass

import numpy as np

import golden
from hw.emit.load_packets import LAST, packets
from hw.isa.status import Status
from hw.rtl.loader import BEAT_WIDTH

from .compare import compare_counters
from .loading import load_step, small_load_step, spoilt_step


__all__ = ["compare_recovery", "recovery"]


@dataclass(frozen=True)
class Silence:
    """What must have no logits.

    Parameters
    ----------
    said : tuple of Status
        What the core may say of it.
    """

    said: tuple


@dataclass(frozen=True)
class Image:
    """What must have logits.

    Parameters
    ----------
    logits : list of int
    said : tuple of Status
        What the core may say when they have left.
    """

    logits: list
    said: tuple = (Status.OK,)


#: Probability of each idle cycle of broken images and of packets.
STALL = 0.2

#: Cycles by which it is looked earlier and later whether a packet was ended.
NEARLY = 4

#: Cycles after which an image that waited has begun.
BEGUN = 8


def recovery(trial, work):
    """Steps that disturb a core, and what must come of each.

    Resets come among the pixels and among the layers; images end too early and too late. Where
    weights lie on chip, a packet is refused, and other contents with a wrong signature are offered
    while an image is computed, which then must be right; the next one fails, and the model is
    loaded again. Small loads follow, each of the first words of all memories: with signatures of
    which one bit is wrong, and with right ones, one of them right behind a reset; at last a network
    that the core was not made for, if there is room for one. If it is known how long the load port
    waits for a packet, one is ended by that.

    Parameters
    ----------
    trial : sim.trial.Trial
    work : Path
        Folder that the steps' files are written to.

    Returns
    -------
    steps : list of dict
        For ``sim.testbenches.tb_accelerator``.
    expected : list of Silence or Image
        Of each outcome.
    """
    rng, noise = random.Random(trial.seed), np.random.default_rng(trial.seed)
    images, logits = trial.images[:2], trial.result.logits[:2].tolist()
    np.save(work / "first.npy", images[:1])
    np.save(work / "both.npy", images)
    n_pixels, longest = images[0, ..., 0].size, max(trial.n_cycles)
    run = {"stall": 0.0, "classes": trial.model.classes}
    steps, expected = [], []

    for begin, end in ((1, n_pixels), (n_pixels, longest), (longest // 2, longest)):
        steps.append({
            "interrupted": "first.npy",
            "reset_after": rng.randint(begin, end),
            "stall": 0.0,
        })
    if not trial.filled:
        steps.append(load_step(work, trial.plan, trial.config))
    for name, length in (("short", n_pixels - 1), ("long", n_pixels + 1)):
        if length:
            beats = noise.integers(0, 256, (length, images.shape[-1]), np.uint8)
            np.save(work / f"{name}.npy", beats)
            steps.append({"malformed": f"{name}.npy", "stall": STALL})
            expected.append(Silence((Status.PIXELS,)))
    steps.append(run | {"images": "both.npy", "back_to_back": True, "between": "long.npy"})
    # What is no image comes while the first one is computed, or behind it.
    expected += [Image(logits[0], (Status.OK, Status.PIXELS)), Image(logits[1])]
    if not trial.config.external:
        _load(trial, work, rng, run, steps, expected)
    return steps, expected


def _load(trial, work, rng, run, steps, expected):
    """Adds the steps of the load port."""
    plan, config = trial.plan, trial.config
    unknown = [len(config.memories) << 28, rng.getrandbits(32), rng.getrandbits(32) | LAST]
    np.save(work / "unknown.npy", np.array(unknown, np.int64))
    np.save(work / "nothing.npy", np.zeros(0, np.int64))
    # When the image has begun: a packet that waits with it comes first.
    after = rng.randint(BEGUN, max(BEGUN, max(trial.n_cycles) // 2))
    spoilt = spoilt_step(work, plan, config, name="spoilt")
    if trial.patience is not None:
        np.save(work / "header.npy", np.zeros(1, np.int64))
        steps += [
            {"load": "header.npy", "stall": 0.0},
            {"watch": trial.patience - NEARLY, "stall": 0.0},
            {"watch": 2 * NEARLY, "stall": 0.0},
        ]
        expected += [Silence((Status.OK,)), Silence((Status.TIMEOUT,))]
    steps += [
        {"load": "unknown.npy", "stall": STALL},
        {"watch": 4, "stall": 0.0},
        spoilt | {"background": True, "load_after": after},
        run | {"images": "first.npy"},
        # Nothing, behind what was loaded.
        {"load": "nothing.npy", "stall": 0.0},
        {"failing": "first.npy", "stall": 0.0},
        load_step(work, plan, config, stall=STALL),
        run | {"images": "both.npy"},
    ]
    first, second = map(Image, trial.result.logits[:2].tolist())
    expected += [Silence((Status.PACKET,)), first, Silence((Status.MODEL,)), first, second]
    loaded = packets(plan, config)
    for bit in range(BEAT_WIDTH):
        for flipped, status in ((1 << bit, Status.MODEL), (0, Status.OK)):
            steps += [
                small_load_step(work, loaded, config, 1 + bit % 8, flipped),
                {"watch": 4, "stall": 0.0},
            ]
            expected.append(Silence((status,)))
    steps.append(run | {"images": "first.npy"})
    expected.append(first)
    _reload(trial, work, loaded, steps, expected)


def _reload(trial, work, loaded, steps, expected):
    """Adds a small load right behind reset, and a network that the core was not made for."""
    config = trial.config
    steps += [
        {"interrupted": "first.npy", "reset_after": 1, "stall": 0.0},
        small_load_step(work, loaded, config, 1, 0),
        {"watch": 4, "stall": 0.0},
    ]
    expected.append(Silence((Status.OK,)))
    if trial.stranger is None:
        return
    model, plan, images = trial.stranger
    np.save(work / "stranger.npy", images)
    steps += [
        load_step(work, plan, config, name="stranger-load"),
        {"images": "stranger.npy", "stall": 0.0, "classes": model.classes},
    ]
    expected += map(Image, golden.run(model, images).logits.tolist())


def compare_recovery(comparison, expected, outcomes):
    """Adds what came of the steps of ``recovery`` to a comparison.

    Parameters
    ----------
    comparison : sim.compare.Comparison
    expected : list of Silence or Image
    outcomes : list of dict
        From ``sim.testbenches.tb_accelerator``.
    """
    previous = None
    for number, (outcome, wanted) in enumerate(zip(outcomes, expected, strict=True)):
        if outcome["status"] not in [status.value for status in wanted.said] or outcome[
            "error"
        ] != int(outcome["status"] != 0):
            comparison.note(
                "recovery",
                number,
                f"status {outcome['status']} and error "
                f"{outcome['error']} after what must be {wanted}",
            )
        if isinstance(wanted, Image):
            if outcome["logits"] != wanted.logits:
                comparison.note(
                    "recovery",
                    number,
                    f"logits {outcome['logits']} after faults, golden {wanted.logits}",
                )
            compare_counters(comparison, number, outcome, previous)
            previous = outcome
        elif outcome["busy"] or outcome.get("received"):
            comparison.note("recovery", number, "busy, or with logits, after a fault")
