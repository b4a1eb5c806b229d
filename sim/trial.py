"""A built core put through images, loads and faults, and what golden says must come of them."""

import shutil
from functools import cached_property
from pathlib import Path

import numpy as np

import golden
from golden.data.arrays import open_array
from golden.data.description import read_json
from hw.compiler import compile_model
from hw.emit.build_directory import check_memory_images, read_description
from hw.emit.memory_images import digest, image_words
from hw.estimate.cycles import predict
from hw.estimate.mean_cycles import estimate
from hw.isa.core_config import CoreConfig

from .compare import Comparison, compare_counters, compare_image, read_captures
from .harness import memory_text
from .loading import load_step
from .recovery import compare_recovery, recovery
from .runner import simulate
from .stranger import stranger


__all__ = ["STALL", "Trial"]


#: Probability of each stalled cycle, on both sides, in the second half of the images.
STALL = 0.3

#: How many times the predicted cycles a simulation may take, for stalls.
PATIENCE = 4


class Trial:
    """All that ``sim.verify`` checks of a core, for one simulator or for several.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    seed : int
        Of stalls and of the moments of resets.
    stalled : bool
        Whether there is a second half that is stalled; all images run freely if not.
    patience : int, optional
        Cycles after which the core's load port ends a packet, if a simulation can wait for them.

    Raises
    ------
    ValueError
        If the folder was not built from this model, or an image of its memories was changed.
    """

    def __init__(self, folder, model, images, *, seed=1, stalled=True, patience=None):
        if len(images) < 1:
            raise ValueError("Images must be at least one")
        self.folder, self.model, self.images = Path(folder), model, images
        self.seed, self.patience = seed, patience
        #: Whether memories hold the model from the beginning, and after every reset.
        self.config, self.plan, self.filled = _plan(self.folder, model)
        self.n_free = -(-len(images) // 2) if stalled else len(images)
        self.n_again = 2 if self.n_free > 1 else 0
        #: Whether resets, faults and loads come after the images.
        self.recovers = stalled and len(images) > 1

    @cached_property
    def result(self):
        """The golden run, with trace."""
        return golden.run(self.model, self.images, trace=True)

    @cached_property
    def stranger(self):
        """A network that the core was not made for, with its plan and images; None if none fits."""
        return stranger(self.config, self.seed)

    @cached_property
    def additions(self):
        """Additions of each layer, by image."""
        return self.plan.additions(self.result.tensors)

    @cached_property
    def predicted(self):
        """Cycles of each image that runs freely; none where weights are external."""
        if self.config.external:
            return []
        return [predict(self.plan, self.result.tensors, image) for image in range(self.n_free)]

    @cached_property
    def n_cycles(self):
        """Cycles of each image that runs freely; estimated where weights are external."""
        if self.config.external:
            return [int(estimate(self.plan).total)]
        return [cycles.total for cycles in self.predicted]

    def run(self, executable, work, *, inputs=None, limit=3600):
        """Simulates the core, and compares all that it did.

        Parameters
        ----------
        executable : Path
            From ``sim.runner.build``, with captures.
        work : Path
            Folder to run in, which is emptied first.
        inputs : dict of str to int, optional
            Values of further inputs of the simulator.
        limit : float
            Wall-clock seconds of each simulation.

        Returns
        -------
        comparison : Comparison
        outcomes : list of dict
            Of every image, from ``tb_accelerator``; those of faults and loads aside.
        seconds : float
            Of the simulation of these images.

        Raises
        ------
        SimulationError
            If a simulation does not come to an end, or a port breaks its protocol.
        """

        def simulated(steps, n_images):
            parameters = {"steps": steps, "inputs": inputs or {}}
            if not self.config.external:
                parameters["deadline"] = self._deadline(work, steps, n_images)
            passed = simulate(
                executable,
                "sim.testbenches.tb_accelerator",
                work,
                parameters=parameters,
                seed=self.seed,
                limit=limit,
            )
            outcomes = read_json(work / "outcome.json", "the outcome", kind=list)
            return outcomes, sum(passed.values())

        self._prepare(work)
        outcomes, seconds = simulated(self._steps(work), len(self.images) + self.n_again)
        comparison = self._compare(outcomes, read_captures(work))
        if self.recovers and not comparison.mismatches:
            self._prepare(work)
            steps, expected = recovery(self, work)
            recovered, _ = simulated(steps, len(steps))
            compare_recovery(comparison, expected, recovered)
        return comparison, outcomes, seconds

    def _deadline(self, work, steps, n_images):
        """Cycles within which steps must be done."""
        beats = sum(open_array(work / step["load"]).shape[0] for step in steps if "load" in step)
        return PATIENCE * (n_images * max(self.n_cycles) + beats)

    def _prepare(self, work):
        """An empty folder to run in, with the memory images where the Verilog looks for them."""
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        # Files alone: somebody else's build may be closed, and a copy of its folder would be, too.
        (work / "rom").mkdir()
        for image in sorted((self.folder / "rom").glob("*.hex")):
            shutil.copyfile(image, work / "rom" / image.name)
        external = self.folder / "rom" / "external.hex"
        if external.exists():
            (work / "memory.hex").write_text(memory_text({0: external.read_text()}))

    def _steps(self, work):
        """Images that run freely, images that are stalled, and two of the first back to back."""
        steps = [] if self.filled else [load_step(work, self.plan, self.config)]
        for name, stall, part in (
            ("free", 0.0, self.images[: self.n_free]),
            ("stalled", STALL, self.images[self.n_free :]),
            ("back_to_back", 0.0, self.images[: self.n_again]),
        ):
            if len(part):
                np.save(work / f"{name}.npy", part)
                steps.append({
                    "images": f"{name}.npy",
                    "stall": stall,
                    "classes": self.model.classes,
                    "back_to_back": name != "free",
                })
        return steps

    def _compare(self, outcomes, captures):
        comparison, repeated = Comparison(), Comparison()
        for number, outcome in enumerate(outcomes):
            image = number % len(self.images)
            own = comparison if number == image else repeated
            compare_image(own, self.plan, self.result, image, captures, outcome, captured_as=number)
            self._compare_additions(own, number, image, outcome)
            compare_counters(own, number, outcome, outcomes[number - 1] if number else None)
            if outcome["status"] or outcome["error"]:
                own.note(
                    "status",
                    number,
                    f"status {outcome['status']} and error {outcome['error']}, not 0",
                )
            if number < len(self.predicted):
                self._compare_cycles(own, image, outcome)
        period = self.period(outcomes)
        if period is not None and self.predicted:
            first, second = self.predicted[:2]
            if period != second.behind(first):
                repeated.note(
                    "period", 1, f"{period} cycles after image 0, predicted {second.behind(first)}"
                )
        comparison.add_mismatches(repeated)
        return comparison

    def period(self, outcomes):
        """Cycles from the logits of the first image to those of the second, which waited for it."""
        if not self.n_again:
            return None
        return outcomes[-1]["ended"] - outcomes[-2]["ended"]

    def _compare_additions(self, comparison, number, image, outcome):
        found = [layer["number"] for layer in outcome["layers"]]
        if found != list(range(len(self.plan.layers))):
            comparison.note("layers", number, f"layers {found} were computed, not all in order")
            return
        for layer, counted in zip(self.plan.layers, outcome["layers"], strict=True):
            wanted = int(self.additions[layer.name][image])
            if counted["additions"] != wanted:
                comparison.note(
                    "additions",
                    number,
                    f"layer {layer.name}: "
                    f"{counted['additions']} additions counted, golden {wanted}",
                )

    def _compare_cycles(self, comparison, image, outcome):
        predicted = self.predicted[image]
        if outcome["cycles"] != predicted.total:
            comparison.note(
                "cycles", image, f"{outcome['cycles']} cycles, predicted {predicted.total}"
            )
        for layer, counted, cycles in zip(
            self.plan.layers, outcome["layers"], predicted.layers, strict=False
        ):
            if counted["cycles"] != cycles:
                comparison.note(
                    "cycles",
                    image,
                    f"layer {layer.name}: {counted['cycles']} cycles, predicted {cycles}",
                )


def _plan(folder, model):
    """Configuration of the core, the model's plan, and whether memories begin with it."""
    description = read_description(folder)
    check_memory_images(folder)
    config = CoreConfig.from_dict(description["config"])
    plan = compile_model(
        model, **config.array, weight_width=config.weight_width, bus_width=config.bus_width
    )
    words = image_words(plan, config)
    for name, memory in description["memories"].items():
        if digest(words[name], memory["width"]) != memory["sha256"]:
            raise ValueError(
                f"{folder} must be built from {model.name}, but its {name} are of another model"
            )
    return config, plan, description["readmemh"] or config.external
