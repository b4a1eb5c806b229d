"""Testbench of the drivers themselves, on a component that passes a stream on."""

import cocotb

from .base import Cycles, generators, parameters
from .stream import Sink, Source, amaranth_port


COUNT = 200


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(i_stall=[0.0, 0.6], o_stall=[0.0, 0.6])
async def words_arrive_in_order(dut, i_stall, o_stall):
    """Nothing is lost, doubled or taken from the noise between transfers."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(i__valid=0, i__payload=0, o__ready=0, fault=parameters()["fault"])
    source = Source(amaranth_port(dut, "i"), rng=rng, stall=i_stall)
    sink = Sink(amaranth_port(dut, "o"), rng=rng, stall=o_stall)
    words = [rng.getrandbits(len(dut.i__payload)) for _ in range(COUNT)]
    cocotb.start_soon(source.send_all(words))
    receiving = cocotb.start_soon(sink.receive_all(COUNT))
    while not receiving.done():
        await cycles.step()
    assert receiving.result() == words
    if not i_stall and not o_stall:
        assert cycles.count <= COUNT + 3, f"{cycles.count} cycles for {COUNT} words"
