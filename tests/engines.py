"""What tests of engines share: configurations, extreme models, and how a testbench is run."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_model
from golden.model.ranges import analyse
from hw.compiler import compile_model
from hw.isa.core_config import CoreConfig
from hw.isa.pairs import pairs_of
from sim.runner import Design, build, simulate
from tests.models import changed


def run_testbench(component, module, parameters, *, folder, cache, **options):
    """Run a testbench on a component, in ``folder``; simulators are kept in ``cache``."""
    executable = build(Design.of(component), cache)
    return simulate(executable, module, folder, parameters=parameters, **options)


def sizes(*, lanes=8, code=SpikeCode.BIT_SERIAL, max_count=4, **changes):
    """Configuration of a core that is small, and whose numbers are all different."""
    return CoreConfig(
        **{
            "columns": 2,
            "lanes": lanes,
            "spike_code": code,
            "max_count": max_count,
            "pixel_channels": 3,
            "weight_width": 4,
            "accumulator_width": 15,
            "residual_width": 17,
            "digits": 3,
            "sum_width": 22,
            "shift_width": 3,
            "tile_rows": 200,
            "second_tile_rows": 150,
            "weight_depth": 3000,
            "neuron_depth": 100,
            "program_depth": 200,
            "window_depth": 60,
            "pixel_depth": 20,
            "spike_depth": 2000,
            "residual_depth": 300,
            "attention_depth": 150,
            "sum_depth": 3 * pairs_of(lanes),
        }
        | changes
    )


def extreme(model, *, fires):
    """Copy of a model whose neurons fire D spikes each on their tie, or never.

    The weights of a model that fires are the most negative ones.
    """
    if fires:
        for layer in [layer for layer in model.layers if isinstance(layer, golden.Conv)]:
            limit = 2 ** (layer.weight_bits - 1) - 1
            model = changed(model, layer.name, weight=np.full_like(layer.weight, -limit))
    for layer in model.layers:
        low, high = analyse(model).potential.get(layer.name, (None, None))
        match getattr(layer, "epilogue", None):
            case golden.Fire() if not isinstance(layer, golden.Sum):
                threshold = np.full_like(layer.epilogue.neuron.thresholds.T, 1)
                at = low if fires else high + 1
                at = at if threshold.shape[1] > 1 else at.min() if fires else at.max()
                model = changed(model, layer.name, neuron={"thresholds": (threshold * at).T})
            case golden.Write(previous=previous, shift=shift, fraction_bits=bits):
                bias = -(low if fires else high) << shift
                if previous is None:
                    bias += (model.max_count << bits) * (1 if fires else -1)
                model = changed(model, layer.name, epilogue={"bias": bias})
    return replace(model, widths={}, mean_counts={})


def largest(plans):
    """The configuration that holds all plans."""
    required = [plan.required.as_dict() for plan in plans]
    return CoreConfig.from_dict({
        key: value if isinstance(value, str) else max(sizes[key] for sizes in required)
        for key, value in required[0].items()
    })


def small_model(**options):
    """Network of every kind of layer that takes a few thousand cycles.

    ``options`` are those of ``random_model``.
    """
    return random_model(
        5, **{"image_shape": (4, 4, 2), "dims": (4, 4, 8, 8), "strides": (1, 2, 1, 2, 1)} | options
    )


def array_setting(folder, *, lanes, code, columns=1, **options):
    """Saves three models that an array runs; returns its configuration and the parameters.

    ``options`` are those of ``small_model``.
    """
    model = small_model(**options)
    models = {
        "random": model,
        "silent": extreme(model, fires=False),
        "saturated": extreme(model, fires=True),
    }
    for name, variant in models.items():
        golden.save(variant, folder / f"{name}.safetensors")
    config = largest(
        compile_model(
            variant,
            columns=columns,
            lanes=lanes,
            spike_code=code,
        )
        for variant in models.values()
    )
    return SimpleNamespace(
        config=config,
        parameters={
            "models": [f"{name}.safetensors" for name in models],
            "config": config.as_dict(),
        },
    )
