"""What a simulated netlist stores and sends, held against the second executor."""

import json
import shutil
from pathlib import Path

import numpy as np

import golden
from golden import Result
from hw.build import build
from hw.emit.memory_images import image_words, write_hex
from hw.estimate.cycles import predict
from sim.compare import Comparison, compare_image, read_captures
from sim.harness import harness, memory_text
from sim.loading import load_step
from sim.runner import SimulationError, simulate
from sim.runner import build as build_simulator

from .cores import lay_out_on
from .reference import Reference


__all__ = ["Netlist"]


#: Probability of each stalled cycle in the last step of a model.
STALL = 0.3

#: Stalls, and whether images come back to back, of each of `_parts`.
_MANNERS = ((0.0, False), (0.0, True), (STALL, True))

#: Wall-clock seconds of a simulation.
LIMIT = 600


class Netlist:
    """The simulator of a group's core.

    Parameters
    ----------
    group : Group
    folder : Path
        Where the core is built and simulated.
    cache : Path
        Folder that keeps simulators.
    """

    def __init__(self, group, folder, cache):
        self.config = group.config
        self.folder = Path(folder)
        plans = [lay_out_on(member.model, group.config) for member in group.members]
        build(plans[0], self.folder / "core")
        room = _room(plans, group.config) if group.config.external else 1
        self.executable = build_simulator(
            harness(self.folder / "core", room=room), cache, fast=True, capture=True
        )

    def differences(self, runs, plans=None):
        """First difference of each model, or None, where all of them run one after the other.

        Parameters
        ----------
        runs : list of (Path, IntegerModel, images)
            Each with its model file.
        plans : list of Plan, optional
            Their layouts on this core; those of the compiler, if not given.

        Returns
        -------
        list of (str or None)
        """
        plans = plans or [lay_out_on(model, self.config) for _, model, _ in runs]
        work = self.folder / "run"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        shutil.copytree(self.folder / "core" / "rom", work / "rom")
        steps = self._steps(work, runs, plans)
        try:
            simulate(
                self.executable,
                "sim.testbenches.tb_accelerator",
                work,
                parameters={"steps": steps},
                limit=LIMIT,
            )
        except SimulationError as error:
            if len(runs) == 1:
                return [f"the simulation does not end well: {error}"]
            return [
                self.differences([run], [plan])[0] for run, plan in zip(runs, plans, strict=True)
            ]
        outcomes = json.loads((work / "outcome.json").read_text())
        captures = read_captures(work)
        found, number = [], 0
        for (path, _, images), plan in zip(runs, plans, strict=True):
            shown = _parts(images)
            taken = outcomes[number : number + sum(map(len, shown))]
            found.append(self._compare(path, plan, shown, taken, captures, number))
            number += len(taken)
        return found

    def difference(self, path, images):
        """First difference of one model alone, or None, also where the netlist cannot hold it."""
        try:
            return self.differences([(path, golden.load(path), images)])[0]
        except ValueError:
            return None

    def _steps(self, work, runs, plans):
        steps, memory, at = [], {}, 0
        for number, ((_, model, images), plan) in enumerate(zip(runs, plans, strict=True)):
            where = {}
            if self.config.external:
                beats = image_words(plan, self.config)["external"]
                memory[at] = write_hex(beats, self.config.bus_width)
                where = {"base": at * self.config.bus_width // 8}
                at += len(beats)
            else:
                steps.append(load_step(work, plan, self.config, stall=0.1, name=f"load{number}"))
            for part, (stall, back_to_back) in zip(_parts(images), _MANNERS, strict=True):
                name = f"images{len(steps)}.npy"
                np.save(work / name, part)
                steps.append({
                    "images": name,
                    "stall": stall,
                    "classes": model.classes,
                    "back_to_back": back_to_back,
                    **where,
                })
        if memory:
            (work / "memory.hex").write_text(memory_text(memory))
        return steps

    def _compare(self, path, plan, parts, outcomes, captures, first):
        """First difference of one model's images."""
        reference = Reference(path)
        tensors = reference.public(reference.run(np.concatenate(parts)))
        result = Result({name: tensors[name] for name in plan.model.outputs}, tensors)
        additions = plan.additions(tensors)
        comparison = Comparison()
        for image, outcome in enumerate(outcomes):
            compare_image(
                comparison, plan, result, image, captures, outcome, captured_as=first + image
            )
            for layer, counted in zip(plan.layers, outcome["layers"], strict=True):
                wanted = int(additions[layer.name][image])
                if counted["additions"] != wanted:
                    comparison.note(
                        "additions",
                        image,
                        f"layer {layer.name}: {counted['additions']} additions, golden {wanted}",
                    )
            if outcome["error"]:
                comparison.note("error", image, f"error is {outcome['error']}")
        if not self.config.external:
            _compare_cycles(comparison, plan, tensors, outcomes, list(map(len, parts)))
        return comparison.first


def _room(plans, config):
    """Times the weight image of the first plan that an external memory holds all of them."""
    beats = [len(image_words(plan, config)["external"]) for plan in plans]
    return -(-sum(beats) // beats[0])


def _parts(images):
    """Images that run freely, those that come back to back, and those that do so with stalls."""
    return images[-2:], images[:2], images[-2:]


def _compare_cycles(comparison, plan, tensors, outcomes, sizes):
    """Latency of the images that ran freely, and period of the one behind another."""
    free, together, _ = sizes
    for image in range(free):
        predicted = predict(plan, tensors, image)
        for layer, counted, cycles in zip(
            plan.layers, outcomes[image]["layers"], predicted.layers, strict=True
        ):
            if counted["cycles"] != cycles:
                comparison.note(
                    "cycles",
                    image,
                    f"layer {layer.name}: {counted['cycles']} cycles, predicted {cycles}",
                )
        if outcomes[image]["cycles"] != predicted.total:
            comparison.note(
                "cycles", image, f"{outcomes[image]['cycles']} cycles, predicted {predicted.total}"
            )
    if together > 1:
        first, second = (predict(plan, tensors, free + image) for image in (0, 1))
        period = outcomes[free + 1]["ended"] - outcomes[free]["ended"]
        if period != second.behind(first):
            comparison.note(
                "cycles",
                free + 1,
                f"{period} cycles behind the image before, predicted {second.behind(first)}",
            )
