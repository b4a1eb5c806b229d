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


@pytest.mark.soak
def test_the_hardware_equals_the_second_executor(seed, soak, tmp_path, cache, record_property):
    cores, size = (SOAK_CORES, SOAK_MEMBERS) if soak else (CORES, MEMBERS)
    met, refused, failures, simulated = Counter(), Counter(), [], 0
    for group in groups(seed, cores, size):
        refused.update(group.refused)
        options = f" --core {group.number} --members {size}"
        command = f"--seed {seed}{options} --index"
        failures += [
            f"{model}; reproduce: python -m tests.differential {command} {index}"
            for index, model in group.crashed
        ]
        folder = tmp_path / str(group.number)
        netlist = Netlist(group, folder, cache)
        runs = saved(folder, group.members)
        for member, difference in zip(group.members, netlist.differences(runs), strict=True):
            simulated += 1
            met.update(member.met)
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
    wanted = [name for name in PROPERTIES if name not in GOLDEN_ONLY and (soak or name not in RARE)]
    record_property(
        "printed",
        (
            f"hardware: {simulated} models of seed {seed} on {len(cores)} netlists: "
            + ", ".join(f"{name} {met[name]}" for name in PROPERTIES if met[name])
            + f"; {sum(refused.values())} refused: "
            + ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
        ),
    )
    assert failures == []
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
                planned, descriptor=planned.descriptor | {"shift": planned.descriptor["shift"] - 1}
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
