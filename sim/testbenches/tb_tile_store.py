"""Testbench of the tile store: every tile goes to its place, in order and one ahead."""

import cocotb

from hw.isa.descriptors import NEURON_TILES, ROWS
from hw.rtl.memory import placed_layout
from hw.rtl.tile_store import SENDING

from .base import Cycles, config, generators, pulse
from .stream import pack, unpack


SIZES = config()
#: Bits of a word of each kind, words of its memory, and of its buffer.
KINDS = {
    kind: (SIZES.memories[name][0], SIZES.memories[name][1], SIZES.buffer_depths[name])
    for kind, name in (("row", "weights"), ("neuron", "neurons"))
}
#: Words of the largest tile.
MOST = SIZES.tile_rows // ROWS
LAYOUTS = {kind: placed_layout(width, depth) for kind, (width, _, depth) in KINDS.items()}


class Store:
    """The store, what its memories hold, and whoever has room for tiles."""

    def __init__(self, dut, *, stall):
        self.rng, _ = generators()
        self.cycles, self.stall = Cycles(dut, self.rng), stall
        self.words = {
            kind: [self.rng.getrandbits(width) for _ in range(depth)]
            for kind, (width, depth, _) in KINDS.items()
        }

    async def load(self):
        """Fills both memories."""
        await self.cycles.reset(
            load_weights=0,
            load_neurons=0,
            load_address=0,
            load_data=0,
            clear=1,
            fill=0,
            taken=0,
            room=0,
        )
        for kind, port in (("row", "load_weights"), ("neuron", "load_neurons")):
            for address, word in enumerate(self.words[kind]):
                await self.cycles.step(**{port: 1}, load_address=address, load_data=word)
            await self.cycles.step(**{port: 0})

    def draw(self, rows=None):
        """What a tile is filled with; ``rows`` are words of several."""
        rows = self.rng.randrange(MOST + 1) if rows is None else rows
        depth = KINDS["row"][1]
        return {
            "row": self.rng.randrange(depth - rows + 1) % depth,
            "rows": rows,
            "neuron": self.rng.randrange(SIZES.neuron_depth - SIZES.pairs + 1),
            "place": int(rows <= SIZES.second_tile_rows // ROWS and pulse(self.rng, 0.5)),
            "again": pulse(self.rng, 0.3),
        }

    async def begin(self, fill, *, first):
        """A tile is asked for: when an image begins, or when the tile before is taken."""
        word = pack(SIZES.fill, **fill)
        if first:
            await self.cycles.step(clear=1, taken=0, room=0)
        await self.cycles.step(clear=0, fill=word, taken=int(not first), room=0)
        assert not self.cycles.get("loaded")

    async def receive(self, fill, number, *, until=None):
        """Takes a tile; returns cycles from when it may come until it is said to have come.

        ``until`` is a number of words behind which the tile is left.
        """
        cycles, rng, came = self.cycles, self.rng, {kind: [] for kind in KINDS}
        room, begin = 0, None
        limit = cycles.count + 200 + 20 * SIZES.tile_rows
        while cycles.count < limit:
            room = room or pulse(rng, 1 - self.stall)
            begin = cycles.count if begin is None and room else begin
            # The descriptor of another tile is read meanwhile.
            await cycles.step(taken=0, fill=cycles.noise("fill"), room=room)
            assert cycles.get("again") == fill["again"], f"tile {number} waits for another place"
            for kind, layout in LAYOUTS.items():
                word = unpack(layout, cycles.get(kind))
                if word.pop("valid"):
                    assert room, f"a {kind} comes without room"
                    came[kind].append(word)
            if until is not None and len(came["row"]) >= until:
                return None
            if cycles.get("loaded"):
                self.compare(fill, number, came)
                return cycles.count - begin
        raise AssertionError(f"tile {number} did not come")

    def compare(self, fill, number, came):
        """Compares what came of a tile."""
        expected = (
            ("row", fill["row"], fill["rows"], fill["place"] * SIZES.tile_stride // ROWS),
            ("neuron", fill["neuron"], SIZES.pairs, number % NEURON_TILES * SIZES.pairs),
        )
        for kind, first, count, target in expected:
            words = self.words[kind][first : first + count]
            assert came[kind] == [
                {"address": target + index, "data": word} for index, word in enumerate(words)
            ], f"each {kind} of tile {number}"


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(stall=[0.0, 0.6])
async def tiles_go_to_their_places(dut, stall):
    """Tiles of any number of rows, of two images; then one that is left, and one behind it."""
    store = Store(dut, stall=stall)
    await store.load()
    for _ in range(2):
        for number, rows in enumerate([None, 0, 1, MOST, *[None] * 5]):
            fill = store.draw(rows)
            await store.begin(fill, first=number == 0)
            taken = await store.receive(fill, number)
            if not stall:
                # It is known to be there a cycle after it was loaded.
                assert taken == max(fill["rows"], SIZES.pairs) + SENDING
    fill = store.draw(MOST)
    await store.begin(fill, first=True)
    await store.receive(fill, 0, until=-(-MOST // 2))
    fill = store.draw(MOST)
    await store.begin(fill, first=True)
    await store.receive(fill, 0)
