"""Testbench of the buffers' state: a tile is there before it is taken, and comes into its room."""

import cocotb

from .base import Cycles, generators, pulse


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(busy=[0.1, 0.9])
async def a_tile_comes_and_is_taken(dut, busy):
    """Whoever sends, takes and reads tiles does so after random times."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(clear=1, loaded=0, taken=0, held=0, open=0, again=0)
    full, taken, tiles = False, 0, 0
    for _ in range(3000):
        clear = pulse(rng, 0.002)
        # A tile that was just taken is not taken over by all columns.
        held = 1 if taken else pulse(rng, busy)
        opened = held or pulse(rng, busy)
        again = pulse(rng, 0.3)
        room = not full and not (opened if again else held)
        loaded = int(room and not clear and pulse(rng, 1 - busy))
        taken = int(full and pulse(rng, 1 - busy))
        await cycles.step(
            clear=clear, loaded=loaded, taken=taken, held=held, open=opened, again=again
        )
        assert cycles.get("room") == int(room), "room at the wrong time"
        assert cycles.get("ready") == int(full), "ready at the wrong time"
        full = (full or bool(loaded)) and not taken and not clear
        tiles += taken
    assert tiles > 4
