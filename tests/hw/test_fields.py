"""Every field of every descriptor refuses the number behind its largest."""

import numpy as np
import pytest

import golden
from golden import Conv, Output, SpikeCode
from golden.analysis.synthetic import random_model
from hw.compiler import compile_model
from hw.emit.memory_images import memory_words
from hw.isa.fields import DISTANCES, largest, pack
from hw.isa.weight_image import head_layout, section_layout
from tests.engines import sizes
from tests.models import changed


SIZES = sizes(branches=1)
LAYOUTS = {
    "header": SIZES.header,
    "layer": SIZES.layer,
    "tile": SIZES.tile,
    "fill": SIZES.fill,
    "row of taps": SIZES.tap_row,
    "tap position": SIZES.tap_position,
    "head": head_layout(),
    "section": section_layout(),
}
FIELDS = [(descriptor, name) for descriptor, layout in LAYOUTS.items() for name, _ in layout]


@pytest.mark.parametrize(("descriptor", "name"), FIELDS)
def test_a_field_takes_its_largest_number_and_refuses_the_next(descriptor, name):
    layout = LAYOUTS[descriptor]
    top = largest(layout, name)
    assert pack(layout, {name: top}) == top << layout[name].offset
    for wrong in (top + 1, -1):
        with pytest.raises(ValueError, match=f"Field {name} must be 0 to {top}, not {wrong}"):
            pack(layout, {name: wrong})


def test_distances_count_modulo_the_memory():
    layout = SIZES.layer
    for name in DISTANCES & {field for field, _ in layout}:
        assert pack(layout, {name: -1}, wraps=DISTANCES) == largest(layout, name) << (
            layout[name].offset
        )
        assert pack(layout, {name: largest(layout, name) + 1}, wraps=DISTANCES) == 0


def head_of(classes):
    """A model whose only layer is a head of so many classes, on one pixel."""
    return golden.IntegerModel(
        "head",
        golden.Input((1, 1, 1)),
        (
            Conv.square(
                "head",
                golden.PIXELS,
                np.ones((classes, 1, 1, 1), np.int8),
                2,
                1,
                0,
                1,
                Output(np.zeros(classes, np.int64), 1.0),
            ),
        ),
    )


def test_more_tiles_than_a_descriptor_counts_are_refused():
    most = largest(SIZES.layer, "tiles")
    plan = compile_model(head_of(2 * most), columns=1, lanes=2, spike_code=SpikeCode.BIT_SERIAL)
    assert len(plan.layers[0].tiles) == most
    with pytest.raises(
        ValueError,
        match=f"^Layer head: tiles must be at most {most}, not "
        f"{most + 1}: take more lanes per column$",
    ):
        compile_model(head_of(2 * most + 1), columns=1, lanes=2, spike_code=SpikeCode.BIT_SERIAL)


def test_more_classes_than_the_header_counts_are_refused():
    most = largest(SIZES.header, "classes")
    with pytest.raises(ValueError, match=f"^head: classes must be at most {most}, not {most + 1}"):
        compile_model(head_of(most + 1), columns=1, lanes=128, spike_code=SpikeCode.BIT_SERIAL)


def test_the_program_names_the_layer_whose_field_is_too_small():
    plan = compile_model(random_model(1), columns=1, lanes=8, spike_code=SpikeCode.BIT_SERIAL)
    plan.layers[2].descriptor["passes"] = 16
    with pytest.raises(
        ValueError, match=f"^Layer {plan.layers[2].name}: Field passes must be 0 to 15, not 16$"
    ):
        memory_words(plan, plan.required)


def test_a_bias_that_the_neuron_memory_cannot_hold_is_refused():
    plan = compile_model(random_model(1), columns=1, lanes=8, spike_code=SpikeCode.BIT_SERIAL)
    beyond = 1 << plan.required.threshold_width - 1
    plan.neurons[0] = (beyond, plan.neurons[0][1])
    with pytest.raises(ValueError, match=f"must fit the {plan.required.threshold_width} bits"):
        memory_words(plan, plan.required)


@pytest.mark.parametrize(("shift", "fits"), [(22, True), (32, False)])
def test_logits_wider_than_the_port_are_refused(shift, fits):
    model = head_of(3)
    model = changed(model, "head", epilogue={"shift": shift})
    if fits:
        compile_model(model, columns=1, lanes=8, spike_code=SpikeCode.BIT_SERIAL)
        return
    with pytest.raises(
        ValueError,
        match="^Layer head: logits must fit the 32 bits of the output "
        "port, not need 41: export the head with fewer",
    ):
        compile_model(model, columns=1, lanes=8, spike_code=SpikeCode.BIT_SERIAL)
