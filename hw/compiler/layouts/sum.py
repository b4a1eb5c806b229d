"""Layout of a sum over tokens: jobs that sum a stream, and the sums that fire."""

from dataclasses import replace

from golden.interval import saturate
from golden.names import counts_name

from ...isa.descriptors import Destination
from ...isa.plan import LayerPlan
from ...isa.program_word import PROGRAM_WIDTH
from ..ladders import all_thresholds, bias_and_ladder
from ..layer_descriptor import tile_descriptor
from ..orders import contiguous
from ..tap_windows import line_tap_windows
from ..token_sums import sum_ends, sum_width
from .rules import require, require_fire, require_space


__all__ = ["lay_out", "refuse"]


def refuse(layer, *, shapes, ranges, weight_width):
    """Raises ValueError if a sum does more than fire, or is wider than a word of the program."""
    require_space(layer)
    require_fire(layer)
    require(
        layer,
        layer.epilogue.bias is None,
        "fires a token sum behind a bias",
        "put the bias into the stream that is summed",
    )
    bits = sum_width(ranges.potential[layer.name])
    if bits >= PROGRAM_WIDTH:
        raise ValueError(
            f"Layer {layer.name}: token sums must fit {PROGRAM_WIDTH - 1} bits, not "
            f"need {bits}: export with fewer fraction bits or fewer tokens"
        )


def lay_out(context, step, layer):
    """Adds a token sum; where its stream is summed while it is written, just its firing."""
    n_channels, *size = context.shapes[layer.source]
    channels, name = contiguous(n_channels, context.lanes), counts_name(layer)
    if layer.name not in context.places.fused:
        _sum(context, layer, channels, size)
    _, ladder = bias_and_ladder(layer.epilogue)
    thresholds = saturate(
        [all_thresholds(ladder[0], context.model.max_count)],
        *sum_ends(context.ranges.potential[layer.name]),
    )
    where = context.places.in_spikes(
        name, channels, 1, step=step, last=context.places.last(name, step)
    )
    descriptor = {
        "token_sum": 1,
        "destination": Destination.SPIKES,
        "tiles": len(channels),
        "out_step": where.out[0],
    }
    context.add(
        LayerPlan(
            layer,
            descriptor,
            (),
            (1, 1),
            tuple(thresholds[0].tolist()),
            channels,
            None,
            name,
            where.target,
        )
    )


def _sum(context, layer, channels, size):
    """Adds jobs without spikes, which sum a stream and write back what they read of it."""
    version = context.places.residual.versions[layer.source]
    where = context.places.in_sums(layer.source, channels)
    # Any word will do, since the masks are empty.
    source = context.maps[layer.source.removesuffix(".stream") + ".counts"]
    descriptor = context.descriptor(source, word_stride=0, column_stride=0, row_step=0)
    descriptor |= where.descriptor | {
        "stream": 1,
        "stream_step": version.step,
        "passes": 0,
    }
    neuron = context.silent_neurons(layer)
    tiles = tuple(
        tile_descriptor(
            channels[tile],
            first_mask=0,
            last_mask=0,
            spike=source.base,
            row=0,
            words=0,
            out=where.out[tile],
            neuron=neuron,
            stream=version.of_tile(tile),
        )
        for tile in range(len(channels))
    )
    context.add(
        LayerPlan(
            replace(layer, name=f"{layer.name} (tokens)"),
            descriptor,
            tiles,
            tuple(size),
            (),
            channels,
            source,
            layer.source,
            stream=layer.source,
        ),
        *line_tap_windows(size, stride=0, columns=context.columns),
    )
