"""Testbench of the bank: the row of every event, in order, and its additions."""

import cocotb

from hw.isa.descriptors import WEIGHT_TILES
from hw.isa.memory_parts import ATTENTION_PARTS
from hw.isa.spike_word import QUEUE_DEPTH, word_layout
from hw.rtl.bank import ROW_CYCLES, UNDER_WAY
from hw.rtl.event_encoder import event_layout

from .base import Cycles, config, generators, packed, pulse, signed
from .stream import pack, unpack


SIZES = config()
LANES = SIZES.lanes
WORD, EVENT = word_layout(SIZES), event_layout(SIZES)


def draw_words(rng, number, *, attention):
    """Words with a few spikes each, the last of which ends a job."""
    depth = SIZES.attention_depth if attention else SIZES.tile_rows
    return [
        {
            "spikes": sum(pulse(rng, rng.choice((0.1, 0.9))) << lane for lane in range(LANES)),
            "row": rng.randrange(depth // LANES) * LANES
            + (0 if attention else rng.randrange(WEIGHT_TILES) * SIZES.tile_stride),
            "lanes": rng.randint(1, LANES),
            "ends": int(index == number - 1),
            "end": int(index == number - 1),
        }
        for index in range(number)
    ]


def packed_word(*, spikes, **fields):
    """Bits of a word."""
    return pack(WORD, silent=~spikes & (1 << LANES) - 1, **fields)


def events_of(words, *, depthwise, gather):
    """Row, lanes that add, number of additions, and whether it is the last one, of each event."""
    for word in words:
        spikes = [lane for lane in range(LANES) if word["spikes"] >> lane & 1]
        if depthwise:
            found = [(word["row"], spikes, len(spikes))]
        else:
            found = [
                (word["row"] + lane * (not gather), range(LANES), word["lanes"]) for lane in spikes
            ]
        found = found or [(word["row"], [], 0)]
        for index, (row, lanes, additions) in enumerate(found):
            yield row, lanes, additions, word["end"] * (index == len(found) - 1)


class Rows:
    """Memories behind the ports of the bank, whose rows are random."""

    def __init__(self, draw):
        shapes = {
            "weights": (WEIGHT_TILES, SIZES.tile_rows, SIZES.weight_width),
            "digits": (len(ATTENTION_PARTS), SIZES.attention_depth, SIZES.digit_width),
        }
        self.elements = {
            port: draw.integers(0, 1 << width, (parts, depth, LANES)).tolist()
            for port, (parts, depth, width) in shapes.items()
        }

    def answers(self, cycles):
        """What the ports have in the next cycle."""
        return {
            f"{port}__data": self._words(port, cycles.get(f"{port}__address"))
            if cycles.get(f"{port}__read")
            else cycles.noise(f"{port}__data")
            for port in self.elements
        }

    def _words(self, port, address):
        rows = [part[address % len(part)] for part in self.elements[port]]
        if port == "weights":
            return packed([packed(row, SIZES.weight_width) for row in rows], SIZES.weight_word)
        bits = range(SIZES.digit_width)
        return packed(
            [packed([each >> bit & 1 for bit in bits for each in row], 1) for row in rows],
            SIZES.digit_word,
        )

    def added(self, row, *, attention, gather):
        """Elements of a row that an event adds."""
        if attention:
            return self.elements["digits"][int(not gather)][row]
        tile, address = divmod(row, SIZES.tile_stride)
        elements = self.elements["weights"][tile][address]
        return [signed(each, SIZES.weight_width) for each in elements]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(kind=["dense", "depthwise", "gather", "query"], stall=[0.0, 0.5])
async def every_event_fetches_its_row(dut, kind, stall):
    """Rows of weights, of values and of key-values, and nothing while no event is taken."""
    rng, draw = generators()
    cycles, rows = Cycles(dut, rng), Rows(draw)
    depthwise, gather = (int(kind == name) for name in ("depthwise", "gather"))
    attention = int(kind in ("gather", "query"))
    layer = pack(SIZES.layer, depthwise=depthwise, gather=gather, attention_rows=attention)
    answers = {f"{port}__data": 0 for port in rows.elements}
    await cycles.reset(layer=layer, events__ready=0, write=0, word=0, **answers)
    words = draw_words(rng, 150, attention=attention)
    expected = list(events_of(words, depthwise=depthwise, gather=gather))
    # What must come of the cycles that were, the latest last.
    added, counted = [[0] * LANES] * ROW_CYCLES, [0, 0]
    late = 0
    while expected or any(map(any, added)) or any(counted):
        # Two words come before the queue says that it is full, and some are still under way.
        late = late + 1 if cycles.get("full") else 0
        write = int(bool(words) and late < UNDER_WAY - 1 and not rng.random() < stall / 4)
        word = packed_word(**words.pop(0)) if write else cycles.noise("word")
        ready = pulse(rng, 1 - stall)
        await cycles.step(write=write, word=word, events__ready=ready, **answers)
        row = cycles.get("row__0") | cycles.get("row__1")
        found = [
            signed(row >> SIZES.row_width * lane & (1 << SIZES.row_width) - 1, SIZES.row_width)
            for lane in range(LANES)
        ]
        wanted = added.pop(0)
        assert found == wanted, f"{found}, not {wanted}"
        found = cycles.get("additions__0") | cycles.get("additions__1")
        wanted = counted.pop(0)
        assert found == wanted, f"{found} additions, not {wanted}"
        answers = rows.answers(cycles)
        added.append([0] * LANES)
        counted.append(0)
        if ready and cycles.get("events__valid"):
            row, lanes, additions, last = expected.pop(0)
            event = unpack(EVENT, cycles.get("events__payload"))
            assert event["last"] == last
            elements = rows.added(row, attention=attention, gather=gather)
            added[-1] = [element * (lane in lanes) for lane, element in enumerate(elements)]
            counted[-1] = additions
        assert cycles.count < 40 * QUEUE_DEPTH * LANES
    assert not words
