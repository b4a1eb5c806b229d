"""Testbench of the word queue: words in order, and full early enough."""

from collections import deque

import cocotb

from .base import Cycles, generators, parameters, pulse


#: Words that the memory holds.
DEPTH, ROOM = parameters()["depth"] - 1, parameters()["room"]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(offered=[0.3, 1.0], taken=[0.0, 0.3, 1.0])
async def words_leave_in_order(dut, offered, taken):
    """Words come as long as the queue allows: as many as there is room for behind ``full``."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(write=0, data=0, words__ready=0)
    # Words with the cycle in which they came, and those that came since the queue was full.
    inside, late, came, levels = deque(), 0, 0, []
    for cycle in range(40 * DEPTH):
        write = int(pulse(rng, offered) and late < ROOM)
        before = cycles.get("full")
        word = cycles.noise("data")
        ready = pulse(rng, taken) if cycle < 20 * DEPTH else 1
        await cycles.step(write=write, data=word, words__ready=ready)
        full = cycles.get("full")
        # Of the words behind the one that leaves no more than ``ROOM``, two have come by then.
        late = (late + write if before else 2) if full else 0
        if cycles.get("words__valid"):
            assert inside, "a word that never came"
            expected, entered = inside[0]
            assert cycles.get("words__payload") == expected, "another word"
            assert cycle - entered >= 3, "a word left early"
            if ready:
                inside.popleft()
        elif inside:
            assert cycle - inside[0][1] < 3 or not taken or cycle < 3, "a word left late"
        if write:
            inside.append((word, cycle))
            came += 1
        levels.append(len(inside))
        # Two words stand behind the memory; whether it is full is known two cycles later.
        if len(levels) > 3:
            assert not full or max(levels[-4:-1]) >= DEPTH - ROOM, "full while there is room"
            assert full or min(levels[-4:-1]) < DEPTH - ROOM + 3, "not full without room"
        assert len(inside) <= DEPTH + 2
    assert came > 5 * DEPTH or not taken


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_word_follows_another(dut):
    """The first word leaves three cycles after it came, and one leaves per cycle."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(write=0, data=0, words__ready=1)
    for cycle in range(12):
        await cycles.step(write=int(cycle < 8), data=cycle % 2)
        assert cycles.get("words__valid") == (3 <= cycle < 11)
