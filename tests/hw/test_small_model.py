"""The committed model for small boards: what it needs, and how often it is right."""

import pytest

import golden
from hw.compiler import compile_model
from hw.estimate.block_rams import memory_table, require_memory
from hw.fpga.devices import find_device
from hw.isa.core_config import SPIKE_CODES


@pytest.fixture(scope="module")
def tiny(project_root):
    return golden.load(project_root / "tests" / "data" / "digits-tiny.safetensors")


@pytest.mark.parametrize("code", SPIKE_CODES)
def test_one_column_of_8_lanes_needs_at_most_40_block_rams(tiny, code):
    config = compile_model(tiny, columns=1, lanes=8, spike_code=code).required
    assert sum(row["blocks"] for row in memory_table(config)) <= 40
    require_memory(find_device("ecp5-25k"), config)


def test_it_has_4_bit_weights_and_4_spikes_at_most(tiny):
    assert tiny.max_count <= 4
    bits = {layer.weight_bits for layer in tiny.layers if hasattr(layer, "weight_bits")}
    assert max(bits) <= 4


def test_its_accuracy_is_what_its_notes_say(tiny):
    pytest.importorskip("sklearn")
    from golden.data.digits import load_digits

    *_, images, labels = load_digits()
    assert tiny.notes["test_images"] == len(images) == 360
    assert golden.accuracy(tiny, images, labels) == tiny.notes["accuracy"]["golden"] >= 0.94
