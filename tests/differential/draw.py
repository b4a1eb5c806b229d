"""Random legal models, drawn by growing a graph with a taste for the unusual."""

from dataclasses import replace

import numpy as np

from golden import LOGITS, PIXELS, AnalogHead, Input, IntegerModel, Output, Sum, validate
from golden.model.ranges import widths
from golden.names import counts_name, stream_name

from .attention import add_attention, add_mask, add_sum
from .convolutions import (
    add_constant,
    add_fire,
    add_groups,
    add_max,
    add_stream,
    continue_stream,
)
from .geometry import squares
from .scope import FEATURES, Scope
from .sketch import Sketch
from .values import random_images, random_weights


__all__ = ["draw", "read_layers"]


def draw(seed, index, scope=None):
    """Model number ``index`` of a seed, and its images.

    Returns
    -------
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
        Or (images, steps, height, width, channels).
    """
    rng = np.random.default_rng([seed, index])
    scope = scope or Scope()
    features = scope.features
    if features is None:
        features = frozenset(
            name for name in FEATURES if rng.random() < (0.4 if name == "steps" else 0.3)
        )
    taken, images = _input(rng, scope, features)
    sketch = Sketch(
        rng,
        _pixels(images, taken),
        scope=scope,
        features=features,
        max_count=scope.max_count or 1 + index % 15,
    )
    for _ in range(rng.choice([0, 2, 3, 4, 5, 6, 8]) if not sketch.wide_counts else 2):
        _grow(sketch)
    _gather(sketch)
    if "outputs" in features:
        for number in range(rng.integers(0, 3)):
            _output_map(sketch, f"map{number}")
    while not _head(sketch):
        # A head of too large logits is drawn again: smaller weights will do.
        pass
    layers = tuple(sketch.layers if sketch.chance(0.15) else read_layers(sketch.layers))
    model = IntegerModel(f"drawn-{seed}-{index}", taken, layers)
    validate(model)
    return replace(model, widths=widths(model)), images


def _input(rng, scope, features):
    """What goes into the network, and images; some are frames, others are shown in every step."""
    constant = scope.pixel_constant
    if constant is None:
        constant = int(rng.integers(1, 256)) if rng.random() < 0.3 else 0
    height, width = map(int, rng.choice([1, 1, 2, 3, 4, 5, 6, 7], 2))
    channels = scope.pixel_channels or int(rng.choice([1, 1, 2, 3, 4]))
    steps = int(rng.integers(2, 5)) if "steps" in features else 1
    shape = (height, width, channels)
    frames = (steps,) if "steps" in features and rng.random() < 0.7 else ()
    return Input(shape, steps, constant), random_images(rng, (*frames, *shape))


def _pixels(images, taken):
    """The tensor of pixels, shape (images, steps, channels, height, width)."""
    frames = images if images.ndim == 5 else images[:, None].repeat(taken.steps, axis=1)
    if taken.constant:
        frames = np.concatenate([frames, np.full_like(frames[..., :1], taken.constant)], axis=4)
    return frames.transpose(0, 1, 4, 2, 3).astype(np.int64)


def _grow(sketch):
    """Adds a layer, or the layers of an attention."""
    streams, counts = bool(sketch.streams), bool(sketch.counts())
    operators = 2 * ("operators" in sketch.features)
    groups = 1.5 + 1.5 * ("groups" in sketch.features)
    sets = 2.5 + 2 * ("sets" in sketch.features)
    actions = {
        add_fire: 4,
        add_groups: groups,
        add_stream: 2,
        continue_stream: 3 * streams,
        add_attention: sets,
        add_sum: sets * streams,
        add_max: operators * counts,
        add_mask: operators * counts,
        add_constant: operators * (1 + streams),
    }
    weight = np.array(list(actions.values()))
    action = list(actions)[sketch.rng.choice(len(actions), p=weight / weight.sum())]
    action(sketch)


def _gather(sketch):
    """Writes that join what nobody has read yet, so that more of the graph matters."""
    for _ in range(6):
        loose = sketch.loose()
        if len(loose) < 2:
            return
        if sketch.streams:
            continue_stream(sketch, sketch.one_of(loose))
        else:
            add_stream(sketch)


def _output_map(sketch, name):
    """An output of any size, of a convolution or of sums."""
    if sketch.streams and sketch.chance(0.4):
        sketch.output(
            Sum(
                sketch.next_name(),
                sketch.pick(sketch.streams),
                None,
                sketch.one_of(["space", "time", "both"]),
            ),
            name,
        )
        return
    source = sketch.pick(sketch.inputs())
    axes = sketch.axes(sketch.info(source).size)
    sketch.output(sketch.conv([source], int(sketch.rng.integers(1, 6)), axes), name)


def _head(sketch):
    """Logits of one position from counts, of one position or of several that a kernel covers.

    Returns None where they would be too large.
    """
    classes = int(sketch.rng.choice([1, 2, 3, 5, 10, 17]))
    if sketch.streams and sketch.has("analog head", 0.7):
        source = sketch.pick(sketch.streams)
        bits = sketch.one_of(sketch.bits)
        weight = random_weights(sketch.rng, (classes, sketch.info(source).channels), bits)
        return sketch.output(AnalogHead("head", source, weight, bits, None), LOGITS)
    source = sketch.pick(sketch.counts() or [PIXELS])
    info = sketch.info(source)
    if sketch.chance(0.1):
        classes = info.channels
    axes = sketch.one_of(squares(info.size, lambda out: out == (1, 1)))
    groups = classes if info.channels == classes > 1 and sketch.chance(0.5) else 1
    return sketch.output(sketch.conv([source], classes, axes, groups=groups, name="head"), LOGITS)


def read_layers(layers):
    """Without the layers of which nothing is read, unless they leave a state to one that is."""
    kept = []
    for layer in reversed(layers):
        made = {layer.name, counts_name(layer), stream_name(layer)} | states(layer)
        needed = {name for reader in kept for name in (*reader.reads, *states(reader))}
        if isinstance(layer.epilogue, Output) or made & needed:
            kept.insert(0, layer)
    return kept


def states(layer):
    """Name of the state of a layer's neuron, if it has one."""
    membrane = getattr(getattr(layer.epilogue, "neuron", None), "membrane", None)
    return set() if membrane is None else {membrane.state or layer.name}
