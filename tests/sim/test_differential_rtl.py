"""Random legal models on odd arrays: the hardware computes what a second executor computes."""

from collections import Counter
from dataclasses import replace

import pytest

import golden
from hw.compiler.orders import contiguous
from hw.compiler.residual import ResidualMemory
from sim.faults import threshold_off_by_one
from tests.differential.cores import (
    CORES,
    MEMBERS,
    SOAK_CORES,
    SOAK_MEMBERS,
    groups,
    lay_out_on,
)
from tests.differential.failure import describe
from tests.differential.properties import GOLDEN_ONLY, PROPERTIES, RARE
from tests.differential.versus_rtl import Netlist


pytestmark = pytest.mark.sim


@pytest.fixture(scope="module")
def cache(project_root):
    return project_root / "build" / "sim"


def saved(folder, members):
    """Members of a group with their model files."""
    runs = []
    for member in members:
        path = folder / f"{member.index}.safetensors"
        golden.save(member.model, path)
        runs.append((path, member.model, member.images))
    return runs


@pytest.fixture(scope="module")
def drawn(seed, soak):
    """The groups of all cores, and how many models of each there are."""
    cores, size = (SOAK_CORES, SOAK_MEMBERS) if soak else (CORES, MEMBERS)
    return list(groups(seed, cores, size)), size


def pytest_generate_tests(metafunc):
    """One test for each core."""
    if "number" in metafunc.fixturenames:
        cores = SOAK_CORES if metafunc.config.getoption("--soak") else CORES
        metafunc.parametrize("number", range(len(cores)))


@pytest.mark.soak
def test_the_hardware_equals_the_second_executor(seed, drawn, number, tmp_path, cache):
    """One core at a time, so that two workers share them."""
    found, size = drawn
    group, failures = found[number], []
    options = f" --core {group.number} --members {size}"
    command = f"--seed {seed}{options} --index"
    failures += [
        f"{model}; reproduce: python -m tests.differential {command} {index}"
        for index, model in group.crashed
    ]
    netlist = Netlist(group, tmp_path, cache)
    runs = saved(tmp_path, group.members)
    for member, difference in zip(group.members, netlist.differences(runs), strict=True):
        if difference:
            failures.append(
                describe(
                    member.model.name,
                    member.model,
                    member.images,
                    difference,
                    command=f"{command} {member.index}",
                    compare=netlist.difference,
                    options=options,
                    attempts=40,
                )
            )
            print(failures[-1])
    assert failures == []


@pytest.mark.soak
def test_the_models_of_all_cores_meet_what_hardware_runs(seed, soak, drawn, record_property):
    """Whatever hardware does not refuse: rare properties in make soak alone."""
    found, _ = drawn
    met, refused = Counter(), Counter()
    for group in found:
        refused.update(group.refused)
        for member in group.members:
            met.update(member.met)
    record_property(
        "printed",
        (
            f"hardware: {sum(len(group.members) for group in found)} models of seed {seed} on "
            f"{len(found)} netlists: "
            + ", ".join(f"{name} {met[name]}" for name in PROPERTIES if met[name])
            + f"; {sum(refused.values())} refused: "
            + ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
        ),
    )
    wanted = [name for name in PROPERTIES if name not in GOLDEN_ONLY and (soak or name not in RARE)]
    assert [name for name in wanted if not met[name]] == []


@pytest.fixture(scope="module")
def planted(tmp_path_factory, cache):
    """The group and the netlist on which faults are planted."""
    folder = tmp_path_factory.mktemp("planted")
    group = next(groups(18, CORES))
    netlist = Netlist(group, folder, cache)
    return group, netlist, saved(folder, group.members)


class Hasty(ResidualMemory):
    """Versions that are overwritten by the first write that adds to them, whoever reads them."""

    def write(self, layer, *, step, **size):
        self._last = self._last | {layer.epilogue.previous: step}
        return super().write(layer, step=step, **size)


def of_smaller_shifts(plan):
    """Layers whose descriptors shift potentials by one bit less."""
    return replace(
        plan,
        layers=tuple(
            replace(
                planned, descriptor=planned.descriptor | {"shift": planned.descriptor["shift"] >> 1}
            )
            if planned.descriptor.get("shift")
            else planned
            for planned in plan.layers
        ),
    )


@pytest.mark.parametrize("fault", ["layout", "descriptor", "threshold", "stream lifetime"])
def test_a_fault_in_the_compiler_is_found(monkeypatch, planted, fault):
    group, netlist, runs = planted
    match fault:
        case "layout":
            # Logits leave in the order of lanes, not of classes.
            monkeypatch.setattr("hw.compiler.layouts.conv.in_class_order", contiguous)
        case "stream lifetime":
            monkeypatch.setattr("hw.compiler.placement.ResidualMemory", Hasty)
    plans = [lay_out_on(model, group.config) for _, model, _ in runs]
    match fault:
        case "descriptor":
            plans = [of_smaller_shifts(plan) for plan in plans]
        case "threshold":
            plans = [
                threshold_off_by_one(plan, golden.run(model, images, trace=True).tensors)
                for plan, (_, model, images) in zip(plans, runs, strict=True)
            ]
    assert any(netlist.differences(runs, plans))
