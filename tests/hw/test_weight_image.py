"""The weight image: what an external memory holds, how it is written, and what is refused."""

import pytest

import golden
from golden import Rounding, SpikeCode
from golden.analysis.synthetic import random_model
from hw import load
from hw.compiler import compile_model
from hw.emit.build_directory import read_description
from hw.emit.memory_images import image_words, memory_words, read_hex
from hw.isa.weight_image import BURST, Section, image_bytes, read_image
from hw.load import lay_out
from sim.verify import verify
from tests.small_core import build_small_core


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """A small core with external weights, and the beats of its image."""
    core = build_small_core(tmp_path_factory.mktemp("external"), n_images=2, bus_width=64)
    core.beats = image_words(core.plan, core.config)["external"]
    return core


def test_the_image_gives_back_every_word(core):
    table, *tiles = read_image(core.beats, core.config)
    words = memory_words(core.plan, core.config)
    assert table == [
        Section("program", 0, words["program"]),
        Section("windows", 0, words["windows"]),
    ]
    weights = [
        word
        for tile in tiles
        for section in tile
        if section.memory == "weights"
        for word in section.words
    ]
    assert weights == words["weights"]
    assert len(tiles) == sum(len(layer.tiles) for layer in core.plan.layers)
    assert [tile[0].address for tile in tiles] == [
        index % 4 * core.config.lanes // 2 for index in range(len(tiles))
    ]
    assert len(core.beats) % BURST == 0


@pytest.mark.parametrize("beat", [0, 1, 40, -100])
def test_a_changed_image_is_refused(core, beat):
    beats = list(core.beats)
    beats[beat] ^= 1 << 3
    with pytest.raises((ValueError, IndexError)):
        read_image(beats, core.config)


def test_the_folder_of_another_model_is_refused(core):
    other = random_model(2, weight_bits=4, rounding=Rounding.HALF_EVEN)
    with pytest.raises(ValueError, match="its external are of another model"):
        verify(core.folder, other, core.images)


def test_load_writes_the_bytes_of_the_memory(core, tmp_path, capsys):
    golden.save(core.model, tmp_path / "model.safetensors")
    out = tmp_path / "external.bin"
    assert (
        load.main([str(core.folder), str(tmp_path / "model.safetensors"), "--out", str(out)]) == 0
    )
    assert f"{len(core.beats) * 8} bytes are in" in capsys.readouterr().out
    assert out.read_bytes() == image_bytes(core.beats, 64)
    (image,) = read_description(core.folder)["memories"]["external"]["images"]
    text = (core.folder / image).read_text()
    assert read_hex(text, 64, name=image) == core.beats


def test_a_larger_tile_is_refused(core):
    wide = random_model(1, weight_bits=6, rounding=Rounding.HALF_EVEN, dims=(16, 16, 16, 16))
    with pytest.raises(ValueError, match="rows per tile, and the model needs"):
        lay_out(wide, core.config)


@pytest.mark.parametrize("bus_width", [32, 100])
def test_a_bus_is_64_128_or_256_bits_wide(core, bus_width):
    with pytest.raises(ValueError, match="Bus must be 64, 128 or 256 bits wide"):
        compile_model(
            core.model, columns=2, lanes=8, spike_code=SpikeCode.BIT_SERIAL, bus_width=bus_width
        )
