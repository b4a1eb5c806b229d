"""Layout of the first pass of attention: keys gate rows of values."""

from dataclasses import replace

from amaranth.utils import bits_for

from golden.interval import kv_width

from ...isa.descriptors import Destination
from ...isa.plan import LayerPlan
from ..attention_rows import AttentionRows
from ..layer_descriptor import tile_descriptor
from ..orders import by_head
from .copies import copied, in_order
from .rules import require, require_space


__all__ = ["lay_out", "refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError if it sums over time, or fires the memory."""
    require_space(layer)
    require(layer, layer.epilogue is None, "fires its memory", "let the query fire alone")


def lay_out(context, step, layer):
    """Adds the first pass of an attention."""
    heads, dk, dv = context.shapes[layer.name]
    source = in_order(context, step, layer, "keys", layer.keys)
    channels = by_head(heads * dv, heads, context.lanes)
    if layer.values not in context.values:
        copied(context, step, layer, "values", layer.values, channels, values=True)
    width = kv_width(context.ranges.memory[layer.name][1])
    digits = -(-width // bits_for(context.model.max_count))
    places = context.places
    rows = AttentionRows(
        lanes=context.lanes,
        tiles=len(channels),
        heads=heads,
        dk=dk,
        tokens=source.positions,
        digits=digits,
        values=places.value_rows[layer.values],
        base=0,
    )
    base = places.key_values.place(
        digits * rows.rows, step=step, last=places.last(layer.name, step), align=context.lanes
    )
    rows = replace(rows, base=base)
    context.attention_rows[layer.name] = rows

    descriptor = context.descriptor(
        source, word_stride=source.words, column_stride=0, row_step=1, attention_rows=1, gather=1
    )
    descriptor |= {
        "destination": Destination.KEY_VALUES,
        "out_digits": rows.digits - 1,
        "out_stride": rows.rows,
    }
    neuron = context.silent_neurons(layer)
    tiles = tuple(
        tile_descriptor(
            channels[tile], neuron=neuron, stream=0, **rows.gather_tile(tile, source.base)
        )
        for tile in range(len(channels))
    )
    context.add(
        LayerPlan(
            layer,
            descriptor,
            tiles,
            (dk, 1),
            (),
            channels,
            source,
            layer.name,
            inputs=source.positions,
        ),
        *rows.gather(context.columns),
    )
