"""Testbench of the buffer of weights: two columns read one tile while another one is written."""

import cocotb

from hw.isa.descriptors import WEIGHT_TILES
from hw.rtl.memory import placed_layout

from .base import Cycles, config, generators, pulse, split
from .stream import pack


SIZES = config()
WIDTH, AT_ONCE = SIZES.weight_word, SIZES.rows_at_once
ROW = placed_layout(AT_ONCE * WIDTH, SIZES.buffer_depths["weights"])
LENGTH = 2000


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(reading=[0.5, 1.0], writing=[0.3, 1.0])
async def a_tile_is_written_beside_reads(dut, reading, writing):
    """Every read has the words of the other tiles, and no row is late or lost."""
    rng, _ = generators()
    cycles = Cycles(dut, rng)
    words = [[None] * depth for depth in SIZES.tile_depths]
    await cycles.reset(a__read=0, b__read=0, a__address=0, b__address=0, row=0)
    expected, compared = {}, 0
    # The tile that is being written, and until when.
    filled, until = 0, 50
    for cycle in range(LENGTH):
        if cycle == until:
            # Nothing is read for a cycle, so that the tile that was written may be.
            filled, until = (filled + 1) % WEIGHT_TILES, cycle + rng.randrange(1, 100)
        row = {name: rng.getrandbits(ROW[name].width) for name in ("address", "data")}
        valid = pulse(rng, writing)
        address = rng.randrange(SIZES.tile_depths[filled] // AT_ONCE)
        if valid:
            row["address"] = filled * SIZES.tile_stride // AT_ONCE + address
        reads = {port: pulse(rng, reading) for port in "ab"}
        addresses = {port: rng.randrange(SIZES.tile_rows) for port in "ab"}
        await cycles.step(
            row=pack(ROW, valid=valid, **row),
            **{f"{port}__read": read for port, read in reads.items()},
            **{f"{port}__address": address for port, address in addresses.items()},
        )
        for (port, tile), word in expected.items():
            data = split(cycles.get(f"{port}__data"), WIDTH, WEIGHT_TILES)
            assert data[tile] == word, f"port {port}, tile {tile}"
            compared += 1
        for port, read in reads.items():
            for tile in range(WEIGHT_TILES):
                inside = addresses[port] < SIZES.tile_depths[tile]
                word = words[tile][addresses[port]] if inside else None
                if read:
                    expected.pop((port, tile), None)
                    if tile != filled and word is not None:
                        expected[port, tile] = word
        if valid:
            rows = [row["data"] >> WIDTH * at & ((1 << WIDTH) - 1) for at in range(AT_ONCE)]
            words[filled][address * AT_ONCE : (address + 1) * AT_ONCE] = rows
            # What a port holds of the tile that is written is of no use to anybody.
            expected = {key: word for key, word in expected.items() if key[1] != filled}
    assert compared > LENGTH / 4
