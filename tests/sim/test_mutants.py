"""Single faults of a core: ``sim.verify`` notices them, and a survivor is never passed over."""

import re

import pytest

import golden
from golden.analysis.synthetic import random_images
from hw.compiler import compile_model
from sim.mutants import mutants, read_conditions
from sim.mutation import Mutation
from sim.verdict import Verdict, report
from tests.models import small


#: Faults of the small core, one of each of so many kinds of modules.
COUNT, SEED = 6, 1


def verdicts(noticed, equivalent, survived):
    """Verdicts of so many faults of each fate."""
    fates = (
        [("logits", None)] * noticed
        + [(None, "proved by Yosys")] * equivalent
        + [(None, None)] * survived
    )
    options = (("mode", "inv"), ("cell", "$add$1"), ("port", "Y"), ("portbit", "3"))
    return [
        Verdict(Mutation(number, f"core.lane_{number}", options), *fate)
        for number, fate in enumerate(fates, start=1)
    ]


@pytest.mark.parametrize(
    ("fates", "status"),
    [
        ((10, 0, 0), 0),
        ((9, 1, 0), 0),
        ((8, 2, 0), 1),
        ((9, 0, 1), 1),
        ((99, 0, 1), 1),
    ],
)
def test_an_unaccounted_survivor_or_too_many_equivalents_fail(fates, status):
    lines, found = report(verdicts(*fates))
    assert found == status
    assert f"{fates[0]} noticed, {fates[1]} equivalent, {fates[2]} survived" in "\n".join(lines)
    assert sum("SURVIVED" in line for line in lines) == fates[2]


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """What became of faults of a small core; the last one is in a bit that nothing reaches."""
    model = small()

    def draw(netlist):
        drawn = netlist.draw(COUNT, SEED)
        of_counter = "1 -module accelerator.core.counters -mode const0 -port Q"
        (unreached,) = netlist.listed([f"{of_counter} -wire additions -wirebit 39"])
        return [*drawn, Mutation(len(drawn) + 1, *unreached)]

    folder = tmp_path_factory.mktemp("mutants")
    return mutants(
        model, random_images(3, 6, model.image_shape)[::-1], folder, columns=2, lanes=4, draw=draw
    )


def test_each_condition_says_what_cannot_be(project_root):
    for condition in read_conditions(project_root / "sim" / "mutants.toml"):
        re.compile(condition["bit"])
        assert condition["cannot"]


def test_conditions_of_the_firing_unit_name_bits_of_a_neuron_and_a_stream(project_root):
    """Were a field of the job's result wider, its neighbours' bits would be excused."""
    model = golden.load(project_root / "tests" / "data" / "digits.safetensors")
    result = compile_model(
        model, columns=2, lanes=16, spike_code=golden.SpikeCode.SPLIT
    ).required.result
    fields = [result[name] for name in ("neuron", "stream")]
    unread = {bit for field in fields for bit in range(field.offset, field.offset + field.width)}
    of_lane = {field.offset + bit for field in fields for bit in range(3)}
    by_lane, fetched = [
        re.compile(condition["bit"])
        for condition in read_conditions(project_root / "sim" / "mutants.toml")
        if condition["module"] == "firing"
    ]
    assert {
        bit
        for bit in range(result.size)
        if fetched.fullmatch(f"result_2[{bit}] at $procmux$1.A[{bit}]")
    } == unread
    assert {
        bit
        for bit in range(result.size)
        if by_lane.fullmatch(f"result_2[0] at $procmux$1.A[0] by [{bit}]")
    } == of_lane


@pytest.mark.sim
def test_verification_notices_single_faults(core):
    *drawn, _ = core
    assert len({verdict.mutation.kind for verdict in drawn}) == COUNT
    # Of a core as small as this one, more wires lead nowhere than a tenth.
    assert [line for line in report(drawn)[0] if line.endswith("SURVIVED")] == []


@pytest.mark.sim
def test_a_survivor_that_nobody_accounts_for_is_reported(core):
    *_, unreached = core
    assert (unreached.check, unreached.reason) == (None, None)
    lines, status = report(core)
    assert status == 1
    assert "counters" in [line.split()[0] for line in lines if "SURVIVED" in line]
