"""Testbench of the load port's true patience, too long for one that is awake in every cycle."""

import cocotb
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

from hw.rtl.load_port import PATIENCE

from .base import CYCLE_NS


@cocotb.test(timeout_time=1, timeout_unit="sec")
async def a_packet_without_beats_is_ended(dut):
    """The simulator makes the clock; all other inputs begin low."""
    edge = RisingEdge(dut.clk)
    for name in ("enable", "beats__valid", "beats__payload"):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    await edge
    await edge
    dut.rst.value, dut.enable.value, dut.beats__valid.value = 0, 1, 1
    await edge
    taken = get_sim_time("ns")
    dut.beats__valid.value = 0
    await RisingEdge(dut.expired)
    await edge
    cycles = (get_sim_time("ns") - taken) // CYCLE_NS - 1
    assert cycles == PATIENCE, f"the packet was ended after {cycles} cycles without a beat"
    await edge
    assert not int(dut.active.value), "the packet goes on"
