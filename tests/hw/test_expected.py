"""What memories must receive lies where the jobs of the plan put it."""

from dataclasses import replace

import numpy as np
import pytest

import golden
from golden import SpikeCode
from golden.analysis.synthetic import random_images, random_model
from golden.names import stream_name
from hw.compiler import compile_model
from hw.compiler.expected import expected_contents


@pytest.fixture(scope="module")
def setting():
    """A model of six-channel streams, its golden run, and its plan for two columns of 4 lanes."""
    model = random_model(3, image_shape=(5, 3, 1), dims=(12, 8, 8, 8))
    tensors = golden.run(model, random_images(3, 1, model.image_shape), trace=True).tensors
    return (
        model,
        tensors,
        compile_model(model, columns=2, lanes=4, spike_code=SpikeCode.SPLIT),
    )


def written(plan, number):
    """By memory, address and half, channel and position of what a layer's jobs write to streams."""
    planned, required = plan.layers[number], plan.required
    lines, per_line = planned.size
    result = {}
    for tile, fields in enumerate(planned.tiles):
        # Each column takes its lines one after the other, and counts on with every position.
        count = [fields["stream"]] * required.columns
        for line, position in np.ndindex(lines, per_line):
            column = line % required.columns
            for lane in range(fields["lanes"]):
                pair, half = divmod(lane, 2)
                place = f"stream.{column}", count[column] + pair, half
                assert place not in result, f"{place} is written twice"
                result[place] = int(planned.channels[tile, lane]), line * per_line + position
            count[column] += planned.descriptor["stream_step"]
    return result


def found(plan, tensors, number):
    """The same of what memories must receive."""
    return {
        (entry.memory, address, half): (channel, position)
        for entry in expected_contents(plan, tensors, 0)
        if entry.layer == number and entry.memory.startswith("stream.")
        for address, channels, (position,) in zip(
            entry.addresses.tolist(), entry.channels.tolist(), entry.positions.tolist(), strict=True
        )
        for half, channel in enumerate(channels)
        if channel >= 0
    }


#: Six channels in the words of 4 lanes: side by side, and in heads that begin new words.
LAYOUTS = {
    "side by side": [[0, 1, 2, 3], [4, 5, -1, -1]],
    "by head": [[0, 1, 2, -1], [3, 4, 5, -1]],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_stream_lies_where_the_jobs_of_its_layer_write(setting, layout):
    model, tensors, plan = setting
    planned = plan.layers[0]
    assert tensors[stream_name(model.layers[0])].shape[1] == 6
    channels = np.array(LAYOUTS[layout])
    lanes = (channels >= 0).sum(axis=1).tolist()
    planned = replace(
        planned,
        channels=channels,
        tiles=tuple(
            tile | {"lanes": n_lanes} for tile, n_lanes in zip(planned.tiles, lanes, strict=True)
        ),
    )
    plan = replace(plan, layers=(planned, *plan.layers[1:]))
    assert found(plan, tensors, 0) == written(plan, 0)


def test_every_stream_of_a_model_lies_where_its_jobs_write(setting):
    _, tensors, plan = setting
    numbers = [
        number for number, planned in enumerate(plan.layers) if planned.descriptor.get("stream")
    ]
    assert len(numbers) > 5
    for number in numbers:
        assert found(plan, tensors, number) == written(plan, number)
