"""Testbench of the bank: the row of every event, in order, and its additions."""

import cocotb

from hw.isa.spike_word import QUEUE_DEPTH, word_layout
from hw.rtl.bank import ROW_CYCLES, UNDER_WAY
from hw.rtl.event_encoder import event_layout

from .base import Cycles, config, generators, packed, pulse, signed
from .stream import pack, unpack


SIZES = config()
LANES = SIZES.lanes
WORD, EVENT = word_layout(SIZES), event_layout(SIZES)
#: Words of rows that spikes of a word select from.
WORDS = SIZES.attention_depth // LANES


def draw_words(rng, number):
    """Words with a few spikes each, the last of which ends a job."""
    return [
        {
            "spikes": sum(pulse(rng, rng.choice((0.1, 0.9))) << lane for lane in range(LANES)),
            "row": rng.randrange(WORDS) * LANES,
            "lanes": rng.randint(1, LANES),
            "ends": int(index == number - 1),
            "end": int(index == number - 1),
        }
        for index in range(number)
    ]


def events_of(words, *, depthwise):
    """Row, lanes that add, number of additions, and whether it is the last one, of each event."""
    for word in words:
        spikes = [lane for lane in range(LANES) if word["spikes"] >> lane & 1]
        if depthwise:
            found = [(word["row"], spikes, len(spikes))]
        else:
            found = [(word["row"] + lane, range(LANES), word["lanes"]) for lane in spikes]
        found = found or [(word["row"], [], 0)]
        for index, (row, lanes, additions) in enumerate(found):
            yield row, lanes, additions, word["end"] * (index == len(found) - 1)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(kind=["dense", "depthwise", "attention"], stall=[0.0, 0.5])
async def every_event_fetches_its_row(dut, kind, stall):
    """Rows of weights, or of the attention memory, and nothing while no event is taken."""
    rng, draw = generators()
    cycles = Cycles(dut, rng)
    depthwise, attention = (int(kind == name) for name in ("depthwise", "attention"))
    layer = pack(SIZES.layer, depthwise=depthwise, attention_rows=attention)
    inputs = dict.fromkeys(("write", "word", "weights", "entry_write", "entry_address"), 0)
    await cycles.reset(layer=layer, entry_data=0, events__ready=0, tag=0, **inputs)
    width = SIZES.digit_width if attention else SIZES.weight_width
    rows = draw.integers(0, 1 << width, (SIZES.attention_depth, LANES))
    if attention:
        for address, row in enumerate(rows):
            data = sum(packed(row >> bit & 1, 1) << bit * LANES for bit in range(width))
            await cycles.step(entry_write=1, entry_address=address, entry_data=data)
    else:
        rows = (rows ^ 1 << width - 1) - (1 << width - 1)

    words = draw_words(rng, 150)
    expected = list(events_of(words, depthwise=depthwise))
    # What must come of the cycles that were, the latest last.
    added, counted = [[0] * LANES] * ROW_CYCLES, [0, 0]
    late, weights = 0, cycles.noise("weights")
    while expected or any(map(any, added)) or any(counted):
        # Two words come before the queue says that it is full, and some are still under way.
        late = late + 1 if cycles.get("full") else 0
        write = int(bool(words) and late < UNDER_WAY - 1 and not rng.random() < stall / 4)
        word = pack(WORD, **words.pop(0)) if write else cycles.noise("word")
        ready = pulse(rng, 1 - stall)
        await cycles.step(
            write=write, word=word, events__ready=ready, weights=weights, entry_write=0
        )
        row = cycles.get("row")
        found = [
            signed(row >> SIZES.row_width * lane & (1 << SIZES.row_width) - 1, SIZES.row_width)
            for lane in range(LANES)
        ]
        wanted = added.pop(0)
        assert found == wanted, f"{found}, not {wanted}"
        found, wanted = cycles.get("additions"), counted.pop(0)
        assert found == wanted, f"{found} additions, not {wanted}"
        weights = cycles.noise("weights")
        if cycles.get("weight_read"):
            address = cycles.get("weight_address")
            weights = packed(rows[address % len(rows)], SIZES.weight_width)
        added.append([0] * LANES)
        counted.append(0)
        if ready and cycles.get("events__valid"):
            address, lanes, additions, last = expected.pop(0)
            event = unpack(EVENT, cycles.get("events__payload"))
            assert event["last"] == last
            added[-1] = [int(rows[address, lane]) * (lane in lanes) for lane in range(LANES)]
            counted[-1] = additions
        assert cycles.count < 40 * QUEUE_DEPTH * LANES
    assert not words
