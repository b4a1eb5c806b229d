"""A small core that runs a random model, as a build folder, and steps of its simulation."""

import json
from types import SimpleNamespace

from golden import Rounding, SpikeCode
from golden.analysis.synthetic import random_images, random_model
from hw.build import build, main
from hw.compiler import compile_model
from sim.harness import harness
from sim.runner import build as build_simulator
from sim.runner import simulate


__all__ = ["build_by_command", "build_small_core", "run_steps", "simulator_of"]


def build_small_core(folder, *, n_images, bus_width=0, **options):
    """Builds the core in a folder, and draws images for it.

    Parameters
    ----------
    folder : Path
    n_images : int
    bus_width : int
        Bits of the bus to the weights; 0 where they lie on chip.
    **options
        Of ``hw.build.build``.

    Returns
    -------
    SimpleNamespace
        ``model``, ``images``, ``plan``, ``config`` and ``folder``.
    """
    model = random_model(1, weight_bits=6, rounding=Rounding.HALF_EVEN)
    plan = compile_model(
        model, columns=2, lanes=8, spike_code=SpikeCode.BIT_SERIAL, bus_width=bus_width
    )
    build(plan, folder, **options)
    return SimpleNamespace(
        model=model,
        images=random_images(1, n_images, model.image_shape),
        plan=plan,
        config=plan.required,
        folder=folder,
    )


def build_by_command(model_file, out):
    """Builds Verilog and memory images of a model file for one column of four lanes."""
    array = ["--columns", "1", "--lanes-per-column", "4"]
    assert main(["--target", "sim", "--model", str(model_file), *array, "--out", str(out)]) == 0


def simulator_of(folder, project_root, **options):
    """Simulator of a build folder, which captures what memories store.

    ``options`` are those of ``harness``.
    """
    return build_simulator(
        harness(folder, **options), project_root / "build" / "sim", fast=True, capture=True
    )


def run_steps(executable, folder, steps):
    """Outcomes of the steps that a simulator runs in a folder."""
    simulate(
        executable, "sim.testbenches.tb_accelerator", folder, parameters={"steps": steps}, limit=300
    )
    return json.loads((folder / "outcome.json").read_text())
