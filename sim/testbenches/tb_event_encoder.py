"""Testbench of the event encoder: one event per spike, and none for zeros."""

import cocotb

from hw.isa.spike_word import word_layout
from hw.rtl.event_encoder import event_layout

from .base import Cycles, config, generators, pulse
from .stream import pack, unpack


SIZES = config()
LANES = SIZES.lanes
ONES = (1 << LANES) - 1
WORD, EVENT = word_layout(SIZES), event_layout(SIZES)


def draw_word(rng, density, *, dense):
    """Fields of a word that the word reader may send."""
    kind, drawn = rng.random(), rng.getrandbits(WORD["row"].width)
    spikes = sum(pulse(rng, density) << lane for lane in range(LANES))
    word = {
        "spikes": spikes,
        "row": drawn - drawn % LANES if dense else drawn,
        "lanes": LANES,
        "ends": 0,
        "end": 0,
    }
    if kind < 0.2:
        word |= {"ends": 1}
    elif kind < 0.5:
        word |= {"ends": 1, "end": rng.randint(1, 3), "lanes": rng.randint(1, LANES)}
    elif not spikes:
        word["spikes"] = 1 << rng.randrange(LANES)
    return word


def packed_word(*, spikes, **fields):
    """Bits of a word."""
    return pack(WORD, silent=~spikes & ONES, **fields)


def events_of(word, *, depthwise, gather):
    """Fields of the events that a word stands for."""
    spikes, row = word["spikes"], word["row"]
    if depthwise or not spikes:
        found = [(row, spikes)]
    else:
        found = [
            ((row + lane * (not gather)) % (1 << WORD["row"].width), ONES)
            for lane in range(LANES)
            if spikes >> lane & 1
        ]
    return [
        {
            "row": row,
            "skip": ~mask & ONES if depthwise else 0,
            "empty": int(not mask),
            "lanes": word["lanes"],
            "ends": word["ends"] * (index == len(found) - 1),
            "last": int(word["end"] > 0 and index == len(found) - 1),
            "end": word["end"],
        }
        for index, (row, mask) in enumerate(found)
    ]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(
    kind=["dense", "depthwise", "gather"], density=[0.0, 0.15, 1.0], stall=[0.0, 0.4]
)
async def every_spike_becomes_an_event(dut, kind, density, stall):
    """Events in the order of the lanes, whatever the stalls on either side."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    depthwise, gather = (int(kind == name) for name in ("depthwise", "gather"))
    await cycles.reset(
        depthwise=depthwise, gather=gather, words__valid=0, words__payload=0, events__ready=0
    )
    words = [draw_word(rng, density, dense=kind == "dense") for _ in range(120)]
    expected = [
        event for word in words for event in events_of(word, depthwise=depthwise, gather=gather)
    ]
    n_events, first, frozen = len(expected), None, None
    while expected:
        valid = int(bool(words) and not rng.random() < stall)
        ready = pulse(rng, 1 - stall)
        payload = packed_word(**words[0]) if valid else cycles.noise("words__payload")
        await cycles.step(words__valid=valid, words__payload=payload, events__ready=ready)
        sent = cycles.get("events__valid")
        outputs = sent, cycles.get("events__payload")
        assert frozen in (None, outputs), "an event must stay until it is taken"
        frozen = outputs if sent and not ready else None
        if valid and cycles.get("words__ready"):
            words.pop(0)
        if sent and ready:
            number, event = n_events - len(expected), unpack(EVENT, outputs[1])
            first = first or cycles.count
            golden = expected.pop(0)
            # Where nothing is added, it does not matter what.
            if golden["empty"]:
                event["row"] = golden["row"]
            if depthwise:
                event["lanes"] = golden["lanes"]
            assert event == golden, f"event {number}: {event}, not {golden}"
        assert cycles.count < 30 * (n_events + 10), f"{len(expected)} events did not come"
    if not stall:
        assert first == 4, f"the first event left in cycle {first}"
        assert cycles.count - first == n_events - 1, "an event waited, or zeros cost a cycle"
    for _ in range(4):
        noise = cycles.noise("words__payload")
        await cycles.step(words__valid=0, words__payload=noise, events__ready=1)
        assert not cycles.get("events__valid"), "an event after the last one"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def words_go_on_while_an_event_waits(dut):
    """An event that is not taken leaves room for one more, a word behind it, and another one."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    await cycles.reset(depthwise=0, gather=0, words__valid=0, words__payload=0, events__ready=0)
    word = packed_word(**draw_word(rng, 0.0, dense=True) | {"spikes": 1})
    taken = 0
    for _ in range(12):
        await cycles.step(words__valid=1, words__payload=word, events__ready=0)
        taken += cycles.get("words__ready")
    assert taken == 3, f"{taken} words were taken"
