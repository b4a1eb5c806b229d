"""Layout of the second pass of attention: queries gate rows of the memory."""

from golden.names import counts_name

from ...isa.plan import LayerPlan
from ..layer_descriptor import tile_descriptor
from ..orders import by_head
from ..tap_windows import line_tap_windows
from .copies import in_order
from .rules import require_fire, require_space


__all__ = ["lay_out", "refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError if it does more than fire, or reads what was summed over time."""
    require_space(layer)
    require_fire(layer)


def lay_out(context, step, layer):
    """Adds the second pass of an attention."""
    source = in_order(context, step, layer, "queries", layer.queries)
    rows, name = context.attention_rows[layer.memory], counts_name(layer)
    heads, _, dv = context.shapes[layer.memory]
    _, *size = context.shapes[layer.queries]
    channels = by_head(heads * dv, heads, context.lanes)
    where = context.places.in_spikes(
        name, channels, source.positions, step=step, last=context.places.last(name, step)
    )

    descriptor = context.descriptor(
        source,
        word_stride=1,
        column_stride=size[1] * source.words,
        row_step=context.lanes,
        attention_rows=1,
    )
    descriptor |= where.descriptor | {"digits": rows.digits - 1, "digit_stride": -rows.rows}
    neurons = context.neurons.place(layer, channels)
    tiles = tuple(
        tile_descriptor(
            channels[tile],
            out=where.out[tile],
            neuron=neurons[tile],
            stream=0,
            **rows.query_tile(tile, source.base),
        )
        for tile in range(len(channels))
    )
    context.add(
        LayerPlan(
            layer,
            descriptor,
            tiles,
            tuple(size),
            (),
            channels,
            source,
            name,
            where.target,
            inputs=source.channels.max() // layer.heads + 1,
        ),
        *line_tap_windows(size, stride=source.words, columns=context.columns),
    )
