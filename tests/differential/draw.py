"""Random legal models, drawn by growing a graph with a taste for the unusual."""

from dataclasses import dataclass, replace

import numpy as np

from golden import PIXELS, Input, IntegerModel, validate
from golden.model.ranges import widths
from golden.names import counts_name, stream_name

from .sketch import Sketch, geometries
from .values import random_images


__all__ = ["Scope", "draw", "read_layers"]


@dataclass(frozen=True)
class Scope:
    """What models must have in common to run on one core; golden takes any.

    Parameters
    ----------
    max_count, pixel_channels, pixel_constant : int or None
        Drawn, if None.
    logit_bits : int
        Most bits of a logit.
    channels : int
        Most channels of a map, those of attention aside.
    analog : bool
        Whether a head may read a stream.
    """

    max_count: int | None = None
    pixel_channels: int | None = None
    pixel_constant: int | None = None
    logit_bits: int = 47
    channels: int = 23
    analog: bool = True


def draw(seed, index, scope=None):
    """Model number ``index`` of a seed, and its images.

    Returns
    -------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    """
    rng = np.random.default_rng([seed, index])
    scope = scope or Scope()
    constant = scope.pixel_constant
    if constant is None:
        constant = int(rng.integers(1, 256)) if rng.random() < 0.3 else 0
    height, width = rng.choice([1, 1, 2, 3, 4, 5, 6, 7], 2)
    channels = scope.pixel_channels or int(rng.choice([1, 1, 2, 3, 4]))
    images = random_images(rng, (int(height), int(width), channels))
    sketch = Sketch(rng, images, max_count=scope.max_count or 1 + index % 15,
                    pixel_constant=constant, logit_bits=scope.logit_bits,
                    most_channels=scope.channels)
    for _ in range(rng.choice([0, 2, 3, 4, 5, 6, 8])):
        _grow(sketch)
    _gather(sketch)
    classes = int(rng.choice([1, 2, 3, 5, 10, 17]))
    head = _analog_head if scope.analog and sketch.streams and sketch.chance(0.1) else _head
    while not head(sketch, classes):
        # A head of too large logits is drawn again: smaller weights will do.
        head = _head
    layers = tuple(sketch.layers if sketch.chance(0.15) else read_layers(sketch.layers))
    model = IntegerModel(f"drawn-{seed}-{index}", Input(images.shape[1:], constant=constant),
                         layers)
    validate(model)
    return replace(model, widths=widths(model)), images


def _grow(sketch):
    """Adds a layer, or the layers of an attention."""
    actions = {_fire: 4, _depthwise: 1.5, _new_stream: 2, _continue: 3 * bool(sketch.streams),
               _attention: 2.5, _token_sum: 2.5 * bool(sketch.streams)}
    weight = np.array(list(actions.values()))
    action = list(actions)[sketch.rng.choice(len(actions), p=weight / weight.sum())]
    action(sketch)


def _fire(sketch):
    source = sketch.pick(sketch.inputs())
    sketch.fire(_dense(sketch, source))


def _dense(sketch, source):
    """A convolution that mixes all channels; without its epilogue."""
    size = sketch.size(source)
    geometry = sketch.geometry(size)
    return sketch.conv(source, sketch.channels(_positions(size, geometry)), geometry)


def _depthwise(sketch):
    source = sketch.pick(sketch.inputs())
    channels = sketch.tensors[source].shape[1]
    layer = sketch.conv(source, channels, sketch.geometry(sketch.size(source)),
                        depthwise=channels > 1)
    if sketch.chance(0.25):
        sketch.write(layer)
    else:
        sketch.fire(layer)


def _new_stream(sketch):
    sketch.write(_dense(sketch, sketch.pick(sketch.inputs())))


def _continue(sketch, *sources):
    """A write onto any version of any stream, from any map that a geometry brings to its size."""
    previous = sketch.pick(list(sketch.streams))
    _, channels, *size = sketch.tensors[previous].shape
    found = {source: geometries(sketch.size(source), lambda out: out == tuple(size))
             for source in sources or sketch.inputs()}
    if not any(found.values()):
        return
    source = sketch.pick([source for source, fitting in found.items() if fitting])
    depthwise = channels > 1 and sketch.tensors[source].shape[1] == channels and sketch.chance(0.3)
    layer = sketch.conv(source, channels, sketch.one_of(found[source]), depthwise=depthwise)
    sketch.write(layer, previous)


def _gather(sketch):
    """Writes that join what nobody has read yet, so that more of the graph matters."""
    for _ in range(6):
        loose = sketch.loose()
        if len(loose) < 2:
            return
        if sketch.streams:
            _continue(sketch, sketch.one_of(loose))
        else:
            sketch.write(_dense(sketch, sketch.one_of(loose)))


def _attention(sketch):
    """Queries, keys and values of their own or of other layers, and both passes."""
    source = sketch.pick(sketch.inputs())
    geometry = sketch.geometry(sketch.size(source))
    heads = int(sketch.rng.choice([1, 2, 3, 4, 5, 7]))
    widths = [heads * int(sketch.rng.integers(1, 5)) for _ in range(2)]
    keys = _branch(sketch, source, geometry, widths[0])
    map_size = sketch.size(keys)
    like = sketch.counts(lambda shape: shape[1:] == map_size and shape[0] % heads == 0)
    values = (sketch.one_of(like) if sketch.chance(0.15)
              else _branch(sketch, source, geometry, widths[1]))
    memories = [sketch.key_value(keys, values, heads)]
    if sketch.chance(0.1):
        others = [other for other in (1, heads, 2) if all(
            sketch.tensors[name].shape[1] % other == 0 for name in (keys, values))]
        memories.append(sketch.key_value(keys, values, sketch.one_of(others)))
    if sketch.chance(0.3):
        # Something else reads the values.
        sketch.fire(_dense(sketch, values))
    like = sketch.counts(lambda shape: shape[0] == widths[0])
    if sketch.chance(0.1):
        geometry = sketch.geometry(sketch.size(source))
    queries = (sketch.one_of(like) if sketch.chance(0.15)
               else _branch(sketch, source, geometry, widths[0]))
    for memory in memories:
        sketch.query(queries, memory)


def _branch(sketch, source, geometry, channels):
    """Counts of a convolution, or those of a write."""
    layer = sketch.conv(source, channels, geometry)
    counts = sketch.write(layer) if sketch.chance(0.25) else None
    if counts is not None and sketch.chance(0.6):
        sketch.token_sum(counts.removesuffix("counts") + "stream")
    return counts or sketch.fire(layer)


def _token_sum(sketch):
    sketch.token_sum(sketch.pick(list(sketch.streams)))


def _head(sketch, classes):
    """Output from counts, of one position or of several that a kernel covers.

    Returns the number of classes, or None where the logits would be too large.
    """
    source = sketch.pick(sketch.counts() or [PIXELS])
    if sketch.chance(0.1):
        classes = sketch.tensors[source].shape[1]
    found = geometries(sketch.size(source), lambda out: out == (1, 1))
    depthwise = sketch.tensors[source].shape[1] == classes > 1 and sketch.chance(0.5)
    layer = sketch.conv(source, classes, sketch.one_of(found), depthwise=depthwise,
                        name="head")
    return sketch.logits(layer) and classes


def _analog_head(sketch, classes):
    return sketch.analog_head(sketch.pick(list(sketch.streams)), classes) and classes


def read_layers(layers):
    """Without the layers of which nothing is read."""
    kept = [layers[-1]]
    for layer in reversed(layers[:-1]):
        made = {layer.name, counts_name(layer), stream_name(layer)}
        if any(made & set(reader.reads) for reader in kept):
            kept.insert(0, layer)
    return kept


def _positions(size, geometry):
    """Positions of a convolution's output."""
    kernel, stride, padding = geometry
    return int(np.prod([(n + 2 * padding - kernel) // stride + 1 for n in size]))
