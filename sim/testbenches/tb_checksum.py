"""Testbench of the checksum: that of the beats since it began, as the function says."""

import cocotb

from hw.isa.checksum import checksum

from .base import Cycles, generators, parameters


WIDTH = parameters()["width"]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def beats_are_summed_up_since_the_last_beginning(dut):
    """A beat that is not valid is none; one that comes with ``clear`` is forgotten, too."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(clear=0, valid=0, beat=0)
    beats = []
    for number in range(300):
        clear, valid, beat = int(number % 40 == 39), rng.getrandbits(1), cycles.noise("beat")
        await cycles.step(clear=clear, valid=valid, beat=beat)
        found, expected = cycles.get("value"), checksum(beats, WIDTH)
        assert found == expected, f"{len(beats)} beats: {found:x}, not {expected:x}"
        if valid:
            beats.append(beat)
        if clear:
            beats.clear()
