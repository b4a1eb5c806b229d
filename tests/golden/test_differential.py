"""Random legal models: golden computes what a second executor of the file format computes."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import golden
from golden.ops.convolve import convolve
from golden.tensor_info import TensorInfo
from tests.differential.__main__ import main
from tests.differential.draw import draw
from tests.differential.failure import describe
from tests.differential.properties import PROPERTIES, properties
from tests.differential.versus_golden import golden_difference


#: Models for each spike code in make test, and in make soak.
MODELS, SOAK_MODELS = 210, 2010


@pytest.mark.soak
def test_golden_equals_the_second_executor(seed, soak, tmp_path, record_property):
    wanted = SOAK_MODELS if soak else MODELS
    met, index, failures = Counter(), 0, []
    # Rare properties may need a few models more.
    while index < wanted or (set(PROPERTIES) - set(met) and index < 3 * wanted):
        model, images = draw(seed, index)
        path = tmp_path / "model.safetensors"
        golden.save(model, path)
        difference = golden_difference(path, images)
        if difference:
            failures.append(
                describe(
                    model.name,
                    model,
                    images,
                    difference,
                    command=f"--seed {seed} --index {index}",
                    compare=golden_difference,
                )
            )
            print(failures[-1])
        met.update(properties(model, golden.run(model, images, trace=True).tensors))
        index += 1
    record_property(
        "printed",
        counted(
            f"golden: {index} models of seed {seed}, each in {len(golden.SpikeCode)} spike codes",
            met,
        ),
    )
    assert failures == []
    assert [name for name in PROPERTIES if not met[name]] == []


def counted(title, met):
    """How many models had each property."""
    return f"{title}: " + ", ".join(f"{name} {met[name]}" for name in PROPERTIES)


def strict(potential, thresholds, axis):
    """Firing that misses ties."""
    across = (-1, *[1] * (potential.ndim - 1 - axis))
    return sum(
        (potential > thresholds[:, step].reshape(across)).astype(np.int64)
        for step in range(thresholds.shape[1])
    )


def forgetful(model):
    """The first readers of tensors, as if they were the last."""
    first = {}
    for index, layer in enumerate(model.layers):
        for name in layer.reads:
            first.setdefault(name, index)
    return first


def restarted(potential, *, previous, shift, bias, combine):
    """A write that leaves its previous version out."""
    return (potential << shift) + bias[:, np.newaxis, np.newaxis]


def without_leak(membrane, state):
    """A membrane that keeps its state."""
    return state


def one_more(kind, channels, size, steps=1, levels=None, **more):
    """A tensor whose D is one too large."""
    return TensorInfo(kind, channels, size, steps, levels and levels + 1, **more)


def beyond_the_border(counts, weight, axes, groups):
    """A convolution whose padding repeats the border where it should be zero."""
    padding = [(axis.before, axis.after) for axis in axes]
    counts = np.pad(counts, [(0, 0)] * (counts.ndim - 2) + padding, "edge")
    return convolve(counts, weight, [replace(axis, before=0, after=0) for axis in axes], groups)


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("golden.neuron.spike_count", strict),
        ("golden.model.executor.last_readers", forgetful),
        ("golden.ops.write.add", restarted),
        ("golden.ops.conv.convolve", beyond_the_border),
        ("golden.membrane.Membrane.leaked", without_leak),
        ("golden.ops.firing.TensorInfo", one_more),
    ],
)
def test_a_fault_in_golden_is_found_reduced_and_reproduced(
    monkeypatch, tmp_path, seed, place, fault
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, fault)
    for index in range(60):
        model, images = draw(seed, index)
        golden.save(model, "model.safetensors")
        difference = golden_difference("model.safetensors", images)
        if difference:
            break
    command = f"--seed {seed} --index {index}"
    line = describe(
        "reduced", model, images, difference, command=command, compare=golden_difference
    )
    assert "\n" not in line
    reproduce, reduced = re.findall(r"python -m tests.differential ([^;]*)", line)
    assert main(reproduce.split()) == 1
    assert main(reduced.split()) == 1
    assert len(golden.load(reduced.split()[1]).layers) <= min(8, len(model.layers))
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main(reproduce.split()) == 0
    assert main(reduced.split()) == 0
