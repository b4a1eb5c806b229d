"""Single faults of a core: ``sim.verify`` notices them, and a survivor is never passed over."""

import re

import pytest

from golden.analysis.synthetic import random_images
from sim.mutants import Verdict, mutants, read_conditions, report
from sim.mutation import Mutation
from tests.models import small


#: Faults of the small core, one of each of so many kinds of modules.
COUNT, SEED = 10, 18


def verdicts(noticed, equivalent, survived):
    """Verdicts of so many faults of each fate."""
    fates = [("logits", None)] * noticed + [(None, "proved by Yosys")] * equivalent + [
        (None, None)] * survived
    options = (("mode", "inv"), ("cell", "$add$1"), ("port", "Y"), ("portbit", "3"))
    return [Verdict(Mutation(number, f"core.lane_{number}", options), *fate)
            for number, fate in enumerate(fates, start=1)]


@pytest.mark.parametrize(("fates", "status"), [
    ((10, 0, 0), 0), ((9, 1, 0), 0), ((8, 2, 0), 1), ((9, 0, 1), 1), ((99, 0, 1), 1),
])
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
    return mutants(model, random_images(3, 4, model.image_shape)[::-1], folder, columns=1,
                   lanes=4, draw=draw)


def test_each_condition_says_what_cannot_be(project_root):
    for condition in read_conditions(project_root / "sim" / "mutants.toml"):
        re.compile(condition["bit"])
        assert condition["cannot"]


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
