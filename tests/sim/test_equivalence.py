"""Proofs that a fault changes nothing: none of one that changes something."""

import pytest

from golden import SpikeCode
from hw.build import build
from hw.compiler import compile_model
from hw.emit.verilog import TOP
from sim.equivalence import proved_equivalent
from sim.mutation import Mutation, Netlist
from tests.models import small


#: Seconds of one proof; a wrong one takes less than one.
LIMIT = 4


@pytest.fixture(scope="module")
def netlist(tmp_path_factory):
    """Netlist of a small core with memories of many widths."""
    folder = tmp_path_factory.mktemp("netlist")
    plan = compile_model(small(), columns=1, lanes=4, spike_code=SpikeCode.SPLIT)
    build(plan, folder / "core")
    return Netlist((folder / "core" / "rtl" / f"{TOP}.v").read_text(), folder / "netlist")


@pytest.mark.parametrize("memory", ["array.neuron_tiles_0.memory", "store.weights.slice_0"])
def test_a_fault_in_the_highest_bit_that_a_memory_stores_is_never_proved(netlist, memory):
    module, cell = f"accelerator.core.{memory}".rsplit(".", 1)
    faults = netlist.listed([f"999 -seed 1 -mode inv -module {module} -cell {cell} -port data"])
    module, options = max(faults, key=lambda fault: int(dict(fault[1])["portbit"]))
    assert not proved_equivalent(netlist, Mutation(1, module, options), limit=LIMIT)
