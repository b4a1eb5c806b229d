"""Testbench of the copier: every word of a run goes where it belongs, and none of another one."""

import cocotb

from .base import Cycles, generators, parameters, pulse


SIZES = parameters()


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(enabled=[1.0, 0.5])
async def words_go_where_they_belong(dut, enabled):
    """Runs of all lengths, one when the one before has ended; ``clear`` forgets what is left."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    rest = {"clear": 0, "start": 0, "first": 0, "target": 0, "number": 0, "enable": 0}
    await cycles.reset(**rest, reader__data=0)
    memory = [rng.getrandbits(SIZES["width"]) for _ in range(SIZES["depth"])]
    # Words that are still to come, with where they go, and the one that was read.
    left, read, data, sent = [], None, 0, 0
    for number in range(600):
        clear = int(number % 101 == 100)
        start = int(not (left or read or clear) and rng.random() < 0.5)
        length = rng.randint(1, SIZES["most"])
        first = rng.randint(0, SIZES["depth"] - length)
        target = rng.randint(0, SIZES["target_depth"] - length)
        enable = pulse(rng, enabled)
        await cycles.step(
            clear=clear,
            start=start,
            first=first,
            target=target,
            number=length,
            enable=enable,
            reader__data=data,
        )
        assert cycles.get("busy") == int(bool(left) or read is not None), "busy at the wrong time"
        assert word_of(cycles) == read, f"word {sent}: {word_of(cycles)}, not {read}"
        sent += read is not None
        read = None
        if cycles.get("reader__read"):
            address, place = left.pop(0)
            assert cycles.get("reader__address") == address, f"word {sent} is read elsewhere"
            data = memory[address]
            read = place, data
        else:
            assert not (enable and left), f"word {sent} is not read"
            data = cycles.noise("reader__data")
        if start:
            left = [(first + index, target + index) for index in range(length)]
        if clear:
            left, read = [], None
    assert sent > 50


def word_of(cycles):
    """Place and data of the word that is sent, or None."""
    word = cycles.get("word")
    if not word & 1:
        return None
    bits = (SIZES["target_depth"] - 1).bit_length()
    return word >> 1 & (1 << bits) - 1, word >> 1 + bits
