"""Plans of random networks, read word by word as columns do, give the potentials of golden."""

from collections import Counter

import numpy as np
import pytest

import golden
from golden import PIXELS, SpikeCode
from hw.compiler import compile_model
from hw.compiler.expected import plane_words
from hw.isa.formed_maps import complete
from tests.differential.draw import draw
from tests.differential.scope import Scope


def _several_phases(axis):
    """Whether several taps of a transposed axis meet one output, others between them not."""
    return axis.transposed and axis.stride > axis.dilation == 1 and axis.kernel > axis.stride


#: What a convolution may have that ones of format 1 have not.
FORMS = {
    "wide weights": lambda layer: layer.weight_bits > 8,
    "groups": lambda layer: 1 < layer.groups < layer.channels,
    "uneven": lambda layer: any(axis.before != axis.after for axis in layer.axes),
    "rectangular": lambda layer: layer.axes[0] != layer.axes[1],
    "dilated": lambda layer: any(axis.kernel > 1 and axis.dilation > 1 for axis in layer.axes),
    "repeated": lambda layer: any(axis.upsample > 1 for axis in layer.axes),
    "transposed": lambda layer: any(axis.transposed and axis.stride > 1 for axis in layer.axes),
    "phases": lambda layer: _several_phases(layer.axes[1]),
    "sources": lambda layer: layer.source.endswith("(sources)"),
    "constant": lambda layer: layer.source.endswith("(spike)"),
}


#: Forms that networks with a feature must have had.
WANTED = {
    "axes": {"uneven", "rectangular", "dilated", "repeated", "transposed", "phases"},
    "groups": {"groups"},
    "wide weights": {"wide weights"},
    "sources": {"sources"},
    "operators": {"constant"},
}


def sums(plan, planned, words):
    """Sums of every job of a convolution, each spike adding one row; shape (positions, channels).

    The planes of a word are put together first, so that a channel adds its count times its row.
    """
    descriptor, lanes, columns = planned.descriptor, plan.required.lanes, plan.required.columns
    lines, per_line = planned.size
    found = np.zeros((lines * per_line, (planned.channels >= 0).sum()), np.int64)
    bits = words[:, :, None].astype(object) >> np.arange(lanes) & 1
    counts = sum(plane.astype(np.int64) << index for index, plane in enumerate(bits[::-1]))
    done = 0
    for tile, fill, channels in zip(planned.tiles, planned.fills, planned.channels, strict=True):
        rows = plan.rows[fill.row : fill.row + fill.rows].astype(np.int64)
        used = channels >= 0
        for line, index in np.ndindex(lines, per_line):
            batch, column = divmod(line, columns)
            position = plan.tap_positions(planned)[index]
            total = np.zeros(lanes, np.int64)
            for row in plan.tap_rows(planned, tile)[batch]:
                if not row.columns >> column & 1:
                    continue
                base = column * descriptor["column_stride"] - planned.source.base
                for step in range(position.steps + tile["words"] + 1):
                    at = tile["spike"] + row.offset + position.offset + base
                    word = counts[at + step * descriptor["word_stride"]]
                    first = row.row + position.row + step * descriptor["row_step"]
                    if descriptor["depthwise"]:
                        total += word * rows[first]
                    else:
                        total += word @ rows[first : first + lanes]
            found[line * per_line + index, done : done + used.sum()] = total[used]
        done += used.sum()
    return found[:, np.argsort(planned.channels[planned.channels >= 0])]


@pytest.mark.parametrize("feature", WANTED)
@pytest.mark.parametrize(("columns", "lanes"), [(1, 8), (3, 5), (4, 2)])
def test_columns_read_what_golden_adds(feature, columns, lanes):
    met, index = Counter(), 0
    while any(met[name] < 2 for name in WANTED[feature]):
        index += 1
        assert index < 200, met
        scope = Scope(max_count=3, logit_bits=30, channels=9, features=frozenset({feature}))
        model, images = draw(20, index, scope)
        if model.max_count != 3:
            continue
        try:
            # Planes of this code have the weights of their bits.
            plan = compile_model(
                model, columns=columns, lanes=lanes, spike_code=SpikeCode.BIT_SERIAL
            )
        except ValueError:
            continue
        tensors = complete(golden.run(model, images[:1], trace=True).tensors, plan.formed)
        originals = {layer.name: layer for layer in model.layers}
        for planned in plan.layers:
            layer = planned.layer
            if layer.KIND != "conv" or layer.source == PIXELS:
                continue
            words = plane_words(plan, planned.source, tensors[planned.source.tensor][0])
            # A constant is not the convolution that it becomes.
            given = originals.get(layer.name, layer)
            *_, (potentials,) = given.potentials(tensors, max_count=3)
            assert (
                potentials.reshape(len(layer.weight), -1) == sums(plan, planned, words).T
            ).all(), (index, layer.name)
            met.update(name for name, has in FORMS.items() if has(layer))
