"""What each kind of node makes of the values that it reads: one function per kind."""

from dataclasses import replace
from fractions import Fraction

from train.graph import (
    Add,
    Attend,
    Convolve,
    Gate,
    Largest,
    Mean,
    Neuron,
    Norm,
    Pixels,
    Pool,
    Refused,
    Scale,
    Ties,
)
from train.layering.builder import Fault
from train.layering.values import Affine, Counts, Mixed, Pooled, Scores, Stream, StreamMean
from train.ops import Attention, Mask
from train.projection import Averaged


__all__ = ["STEPS"]


def _pixels(builder, node):
    return Counts("pixels", node.scale, 255)


def _convolve(builder, node, value):
    if isinstance(value, (Counts, StreamMean)):
        return Affine((node,), value)
    if isinstance(value, Affine) and value.of_counts:
        return _merged(builder, node, value)
    raise Fault("reads real numbers", f"insert a neuron in front of {node.name}")


def _merged(builder, node, value):
    """A second convolution without a neuron in front of it."""
    before = next((s for s in reversed(value.stages) if isinstance(s, Convolve)), value.stages[0])
    between = f"insert a neuron between {before.name.removesuffix('.identity')} and {node.name}"
    module = builder.graph.modules.get_submodule(node.module)
    if len(value.stages) == 1 and _is_mean(builder, before) and _is_pointwise(module, node):
        return replace(value, stages=(Averaged.of(before, node),))
    if module.weight[0, 0].numel() != 1 or node.size[1:] != before.size[1:]:
        raise Fault("reads real numbers and is not pointwise", between)
    if not builder.merge:
        weights = node.size[0] * builder.size(value.stages[0])[0] * _taps(builder, value.stages[0])
        raise Fault("reads real numbers", f"{between}, or pass --merge: {weights:,} weights")
    return replace(value, stages=(*value.stages, node))


def _is_mean(builder, stage):
    """Whether a stage is the mean over a whole map."""
    return isinstance(stage, Pool) and stage.kernel == builder.size(stage)[1:]


def _is_pointwise(module, node):
    """Whether a convolution reads one position for the one that it computes."""
    return module.weight[0, 0].numel() == 1 and node.size[1:] == (1, 1)


def _taps(builder, stage):
    """Taps of a stage's kernel."""
    if isinstance(stage, Convolve):
        weight = builder.graph.modules.get_submodule(stage.module).weight
        return weight[0, 0].numel()
    return stage.kernel[0] * stage.kernel[1] if isinstance(stage, Pool) else 1


def _norm(builder, node, value):
    if isinstance(value, Affine) and value.of_counts:
        return replace(value, stages=(*value.stages, node))
    if isinstance(value, Counts):
        return builder.identity(node, value, node)
    raise Fault("normalises a stream", "put it behind the convolutions that write the stream")


def _scale(builder, node, value):
    number = not isinstance(node.factor, str)
    if isinstance(value, Counts):
        if number:
            return replace(value, unit=value.unit * node.factor)
        return builder.identity(node, value, node)
    if isinstance(value, Affine):
        return replace(value, stages=(*value.stages, node))
    if isinstance(value, Scores) and number:
        return replace(value, factor=value.factor * node.factor)
    raise Fault("scales a stream", "scale what is added to the stream")


def _neuron(builder, node, value):
    firing, source = node.firing, node.inputs[0]
    if isinstance(value, Counts):
        value = builder.identity(node, value)
    if isinstance(value, Affine) and value.of_counts:
        if all(isinstance(reader, Neuron) for reader in builder.readers[source]):
            return builder.branch(source, value, firing)
        value = builder.streamed(source)
    if isinstance(value, Stream):
        return builder.fire_stream(value, firing)
    if isinstance(value, Pooled):
        return builder.pool(value.node, builder.branch(value.before, value.affine, firing))
    if isinstance(value, StreamMean):
        _require_nearest(firing)
        return builder.sum(node, value, firing)
    if isinstance(value, Mixed):
        if isinstance(value.layer, Attention):
            _require_nearest(firing)
        return builder.append(replace(value.layer, firing=firing), firing)
    raise Fault("reads class scores", "let scores leave the network")


def _require_nearest(firing):
    if firing.ladder is not None or firing.ties not in (Ties.HALF_UP, Ties.HALF_EVEN):
        raise Fault("does not round to the nearest", "round half up or half to even")


def _add(builder, node, left, right):
    if _is_score(builder, node):
        heads = (*_heads(builder, left), *_heads(builder, right))
        return Scores(heads, Fraction(1))
    values = [
        _summand(builder, node, name, value)
        for name, value in zip(node.inputs, (left, right), strict=True)
    ]
    if all(isinstance(value, Stream) for value in values):
        raise Fault("adds two streams", "put a neuron behind one of them")
    stream, branch = reversed(values) if isinstance(values[1], Stream) else values
    if isinstance(stream, Affine):
        stream = builder.write(builder.names.branch(stream.stages), stream)
    return builder.write(builder.names.stream(branch.stages, node.scope), branch, stream)


def _summand(builder, node, name, value):
    """One side of an addition: a stream, or what will be added to one."""
    if isinstance(value, Counts):
        read = replace(node, inputs=(name,), name=f"{node.name}.{name}")
        return builder.identity(read, value)
    if isinstance(value, Affine) and len(builder.readers[name]) > 1:
        return builder.streamed(name)
    if isinstance(value, (Affine, Stream)):
        return value
    raise Fault("adds what is neither a stream nor a convolution", "put a neuron in front of it")


def _is_score(builder, node):
    """Whether nothing but sums and scales leads from a node to the network's outputs."""
    readers = builder.readers[node.name]
    if not readers:
        return node.name in builder.graph.outputs
    return all(
        isinstance(reader, (Add, Scale)) and _is_score(builder, reader) for reader in readers
    )


def _heads(builder, value):
    if isinstance(value, Scores):
        return value.heads
    if isinstance(value, Affine):
        return (builder.head(value),)
    raise Fault("adds what are no class scores", "end with a linear layer or a convolution")


def _mean(builder, node, value):
    _, height, width = builder.size(node)
    if isinstance(value, Counts):
        return Affine(
            (
                Pool(
                    name=node.name,
                    inputs=node.inputs,
                    size=node.size,
                    kernel=(height, width),
                    stride=(1, 1),
                ),
            ),
            value,
        )
    if isinstance(value, Affine) and value.of_counts:
        value = builder.streamed(node.inputs[0])
    if isinstance(value, Stream):
        return StreamMean(value.layer, height * width)
    raise Fault("averages what is neither counts nor a stream", "put a neuron in front of it")


def _pool(builder, node, value):
    if isinstance(value, Counts):
        return Affine((node,), value)
    raise Fault("averages real numbers", "put a neuron in front of it")


def _largest(builder, node, value):
    if isinstance(value, Counts) and value.tensor != "pixels":
        return builder.pool(node, value)
    fires = all(isinstance(reader, Neuron) for reader in builder.readers[node.name])
    if isinstance(value, Affine) and value.of_counts and fires:
        # A neuron never decreases: the count of the largest potential is the largest count.
        return Pooled(value, node.inputs[0], node)
    raise Fault("takes the largest of real numbers", "put a neuron in front of it")


def _attend(builder, node, *values):
    for value, noun in zip(values, ("queries", "keys", "values"), strict=True):
        if not isinstance(value, Counts) or value.tensor == "pixels":
            raise Fault(f"reads {noun} that are no spikes", f"put a neuron behind the {noun}")
    queries, keys, read = values
    channels, height, width = builder.size(node)
    memory, name = builder.names.call(node, "kv", "attn")
    return Mixed(
        Attention(
            name=name,
            memory=memory,
            queries=queries.tensor,
            keys=keys.tensor,
            values=read.tensor,
            unit=queries.unit * keys.unit * read.unit,
            largest=queries.levels * keys.levels * read.levels,
            heads=node.heads,
            dk=channels // node.heads,
            tokens=height * width,
            scale=node.scale,
            firing=None,
        )
    )


def _gate(builder, node, gate, values):
    if not isinstance(gate, Counts) or not isinstance(values, Counts):
        raise Fault("gates real numbers, or by them", "put neurons in front of gate and values")
    (name,) = builder.names.call(node, "mask")
    return Mixed(
        Mask(
            name=name,
            gate=gate.tensor,
            values=values.tensor,
            unit=gate.unit * values.unit,
            largest=gate.levels * values.levels,
            heads=node.heads,
            firing=None,
        )
    )


def _refused(builder, node, *values):
    raise Fault(node.reason, node.remedy)


STEPS = {
    Add: _add,
    Attend: _attend,
    Convolve: _convolve,
    Gate: _gate,
    Largest: _largest,
    Mean: _mean,
    Neuron: _neuron,
    Norm: _norm,
    Pixels: _pixels,
    Pool: _pool,
    Refused: _refused,
    Scale: _scale,
}
