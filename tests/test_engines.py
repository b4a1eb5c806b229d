"""Engines under Verilator, each beside the golden model: the benches of ``sim`` do the work."""

from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import Rounding, SpikeCode
from golden.ranges import analyse
from hw.capacities import Capacities
from hw.column import Column
from hw.compiler import compile_model
from hw.finder import Finder
from hw.firing import FiringUnit
from hw.lane import Lane
from hw.loader import Loader
from hw.packer import SpikePacker
from hw.pixels import PixelWriter
from hw.shadows import Lanes
from hw.token_sum import TokenSum
from hw.walker import Walker
from sim.runner import Design, build, simulate
from tests.models import changed, random_model


pytestmark = pytest.mark.sim


@pytest.fixture
def bench(project_root, tmp_path):
    """Function that builds a component and runs a bench on it."""
    def run(component, module, parameters, **options):
        executable = build(Design.of(component), project_root / "build" / "sim")
        return simulate(executable, module, tmp_path, parameters=parameters, **options)

    return run


def full(*values, **options):
    """Parameter set of the complete regression only."""
    return pytest.param(*values, marks=pytest.mark.full, **options)


def sizes(*, lanes=8, code=SpikeCode.BITPLANE, max_count=4, **changes):
    """Capacities of a core that is small, and whose numbers are all different."""
    return Capacities(**{
        "columns": 2, "lanes": lanes, "spike_code": code, "max_count": max_count,
        "pixel_channels": 3, "weight_width": 4, "accumulator_width": 15, "stream_width": 17,
        "entry_width": 9, "sum_width": 22, "shift_width": 3, "weight_depth": 3000,
        "neuron_depth": 100, "program_depth": 200, "window_depth": 60, "spike_depth": 2000,
        "stream_depth": 300, "attention_depth": 150, "sum_depth": 3 * lanes} | changes)


CORES = [
    pytest.param(sizes(), id="bitplane-8"),
    pytest.param(sizes(lanes=12, code=SpikeCode.THERMOMETER), id="thermometer-12"),
    full(sizes(lanes=16, code=SpikeCode.BITPLANE, max_count=15), id="bitplane-16-15"),
    full(sizes(code=SpikeCode.THERMOMETER, max_count=15), id="thermometer-8-15"),
    full(sizes(lanes=12, max_count=1), id="bitplane-12-1"),
    full(sizes(lanes=16, code=SpikeCode.THERMOMETER, max_count=2), id="thermometer-16-2"),
]


@pytest.mark.parametrize("widths", [
    {"weight_width": 4, "entry_width": 7, "width": 12},
    full({"weight_width": 2, "entry_width": 2, "width": 3}),
    full({"weight_width": 8, "entry_width": 13, "width": 22}),
])
def test_lane_sums_match_golden(bench, widths):
    bench(Lane(**widths), "sim.bench_lane", widths)


@pytest.mark.parametrize("sizes", [
    {"lanes": 12, "weight_width": 4, "entry_width": 7, "width": 12},
    full({"lanes": 2, "weight_width": 2, "entry_width": 1, "width": 5}),
    full({"lanes": 16, "weight_width": 8, "entry_width": 13, "width": 22}),
])
def test_drain_gives_every_sum(bench, sizes):
    bench(Lanes(**sizes), "sim.bench_shadows", sizes)


@pytest.mark.parametrize("capacities", CORES)
def test_walker_reads_the_taps_of_golden(bench, capacities):
    bench(Walker(capacities), "sim.bench_walker", {"capacities": capacities.as_dict()})


@pytest.mark.parametrize("capacities", CORES)
def test_finder_sends_an_event_per_spike(bench, capacities):
    bench(Finder(capacities), "sim.bench_finder", {"capacities": capacities.as_dict()})


@pytest.mark.parametrize("capacities", CORES)
def test_firing_matches_golden(bench, capacities):
    bench(FiringUnit(capacities), "sim.bench_firing", {"capacities": capacities.as_dict()})


@pytest.mark.parametrize("capacities", CORES)
def test_packer_stores_the_words_of_golden(bench, capacities):
    bench(SpikePacker(capacities), "sim.bench_packer", {"capacities": capacities.as_dict()})


@pytest.mark.parametrize("capacities", CORES)
def test_token_sum_matches_golden(bench, capacities):
    bench(TokenSum(capacities), "sim.bench_token_sum", {"capacities": capacities.as_dict()})


@pytest.mark.parametrize("capacities", [sizes(), full(sizes(pixel_channels=1))])
def test_pixels_become_planes(bench, capacities):
    bench(PixelWriter(capacities), "sim.bench_pixels", {"capacities": capacities.as_dict()})


def test_loader_fills_memories(bench):
    memories = {"narrow": (5, 3), "beat": (32, 40), "wide": (33, 9), "widest": (150, 17)}
    bench(Loader(memories), "sim.bench_loader", {"memories": list(memories.values())})


NETWORKS = [
    pytest.param(8, SpikeCode.BITPLANE, {}, id="bitplane-8"),
    pytest.param(12, SpikeCode.THERMOMETER, {"dims": (4, 4, 12, 12)}, id="thermometer-12"),
    full(8, SpikeCode.THERMOMETER, {"max_count": 2}, id="thermometer-8-2"),
    full(4, SpikeCode.BITPLANE, {"max_count": 15, "dims": (4, 6, 6, 10)}, id="bitplane-4-15"),
    full(16, SpikeCode.BITPLANE, {"max_count": 1, "weight_bits": 2}, id="bitplane-16-1"),
    full(5, SpikeCode.THERMOMETER, {"weight_bits": 8, "rounding": Rounding.HALF_UP},
         id="thermometer-5"),
]


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
        match getattr(layer, "drain", None):
            case golden.Fire() if not isinstance(layer, golden.TokenSum):
                threshold = np.full_like(layer.drain.neuron.thresholds.T, 1)
                at = low if fires else high + 1
                at = at if threshold.shape[1] > 1 else at.min() if fires else at.max()
                model = changed(model, layer.name, neuron={"thresholds": (threshold * at).T})
            case golden.Write(previous=previous, shift=shift, fraction_bits=bits):
                bias = -(low if fires else high) << shift
                if previous is None:
                    bias += (model.max_count << bits) * (1 if fires else -1)
                model = changed(model, layer.name, drain={"bias": bias})
    return replace(model, widths={}, mean_counts={})


def largest(plans):
    """Capacities that hold all plans."""
    needed = [plan.needed.as_dict() for plan in plans]
    return Capacities.from_dict({key: value if isinstance(value, str)
                                 else max(sizes[key] for sizes in needed)
                                 for key, value in needed[0].items()})


@pytest.mark.parametrize(("lanes", "code", "options"), NETWORKS)
def test_column_runs_whole_networks(bench, tmp_path, lanes, code, options):
    model = random_model(5, **{"image_shape": (4, 4, 2), "dims": (4, 4, 8, 8),
                               "strides": (1, 2, 1, 2, 1)} | options)
    models = {"random": model, "silent": extreme(model, fires=False),
              "saturated": extreme(model, fires=True)}
    for name, variant in models.items():
        golden.save(variant, tmp_path / f"{name}.safetensors")
    capacities = largest(compile_model(variant, columns=1, lanes=lanes, spike_code=code)
                         for variant in models.values())
    bench(Column(capacities, name="0"), "sim.bench_column",
          {"models": [f"{name}.safetensors" for name in models],
           "capacities": capacities.as_dict()})
