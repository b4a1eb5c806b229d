"""Testbench of the event encoder: one event per addition, and none for zeros."""

import cocotb

from hw.isa.spike_word import word_layout
from hw.rtl.finder import event_layout

from .base import Cycles, config, generators, pulse
from .stream import pack, unpack


SIZES = config()
LANES = SIZES.lanes
ONES = (1 << LANES) - 1
WORD, EVENT = word_layout(SIZES), event_layout(SIZES)


def draw_word(rng, density):
    """Fields of a word that the tap address generator may send."""
    kind = rng.random()
    spikes = sum(pulse(rng, density) << lane for lane in range(LANES))
    word = {
        "spikes": spikes,
        "row": rng.getrandbits(WORD["row"].width),
        "lanes": LANES,
        "double": 0,
        "last": 0,
        "closes": rng.getrandbits(2),
    }
    if kind < 0.2:
        word |= {"spikes": spikes * (kind < 0.1), "double": 1}
    elif kind < 0.5:
        word |= {"last": 1, "lanes": rng.randint(1, LANES)}
    elif not spikes:
        word["spikes"] = 1 << rng.randrange(LANES)
    if SIZES.two_bit_serial:
        word |= {
            "once": rng.getrandbits(LANES),
            "again": word["spikes"] & rng.getrandbits(LANES) & rng.getrandbits(LANES),
        }
    return word


def events_of(word, *, depthwise, gather):
    """Fields of the events that a word stands for."""
    spikes, again = word["spikes"], word.get("again", 0)
    # Lanes that add, and those that add the double.
    added = [(spikes, ~word["once"] & ONES if SIZES.two_bit_serial else 0), (again, ONES)]
    row = word["row"]
    if depthwise or not spikes:
        found = [(row, mask, twice) for mask, twice in (added if again else added[:1])]
    else:
        found = [
            (
                (row + lane * (not gather)) % (1 << WORD["row"].width),
                ONES,
                ONES * (twice >> lane & 1),
            )
            for lane in range(LANES)
            for mask, twice in added
            if mask >> lane & 1
        ]
    return [
        {
            "row": row,
            "skip": ~mask & ONES,
            "lanes": word["lanes"] * bool(mask),
            "twice": twice,
            "double": word["double"] * (index == 0),
            "last": word["last"] * (index == len(found) - 1),
            "closes": word["closes"],
        }
        for index, (row, mask, twice) in enumerate(found)
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
    await cycles.reset(depthwise=depthwise, gather=gather, words__valid=0, words__payload=0, hold=0)
    words = [draw_word(rng, density) for _ in range(120)]
    expected = [
        event for word in words for event in events_of(word, depthwise=depthwise, gather=gather)
    ]
    n_events, first, frozen = len(expected), None, None
    while expected:
        valid = int(bool(words) and not rng.random() < stall)
        hold = pulse(rng, stall)
        payload = pack(WORD, **words[0]) if valid else cycles.noise("words__payload")
        await cycles.step(words__valid=valid, words__payload=payload, hold=hold)
        outputs = cycles.get("valid"), cycles.get("event")
        assert frozen in (None, outputs), "an event must stay while it is held"
        frozen = outputs if hold else None
        ready = cycles.get("words__ready")
        assert not (hold and ready), "a word was taken during hold"
        if valid and ready:
            words.pop(0)
        if outputs[0] and not hold:
            number, event = n_events - len(expected), unpack(EVENT, outputs[1])
            first = first or cycles.count
            golden = expected.pop(0)
            if not SIZES.two_bit_serial:
                del golden["twice"]
            # Where nothing is added, it does not matter what; nor do lanes that add nothing.
            if golden["skip"] == ONES:
                event["row"] = golden["row"]
            if depthwise:
                event["lanes"] = golden["lanes"]
            if SIZES.two_bit_serial:
                event["twice"] &= ~golden["skip"]
                golden["twice"] &= ~golden["skip"]
            assert event == golden, f"event {number}: {event}, not {golden}"
        assert cycles.count < 30 * (n_events + 10), f"{len(expected)} events did not come"
    if not stall:
        assert first == 4, f"the first event left in cycle {first}"
        assert cycles.count - first == n_events - 1, "an event waited, or zeros cost a cycle"
    for _ in range(4):
        await cycles.step(words__valid=0, words__payload=cycles.noise("words__payload"), hold=0)
        assert not cycles.get("valid"), "an event after the last one"
