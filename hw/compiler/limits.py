"""What no core can do: models and plans that are refused, by the layer's name."""

from golden import PIXELS
from golden.interval import width
from golden.model.ranges import analyse
from golden.model.shapes import shapes, tensor_infos

from ..isa.fields import largest
from ..isa.widths import LOGIT_WIDTH
from .layouts import LAYOUTS
from .layouts.rules import require


__all__ = ["LOAD_DEPTH", "check_fields", "check_model", "refusals"]


#: Largest count of a neuron.
MAX_COUNT = 15

#: Words that a packet of the load port can address.
LOAD_DEPTH = 1 << 24


def check_model(model, weight_width=None):
    """Raises ValueError if no core runs a model, whatever its array.

    Parameters
    ----------
    model : IntegerModel
    weight_width : int or None
        Bits that a weight is to have in memory.
    """
    known, ranges = shapes(model), analyse(model)
    for layer in model.layers:
        _check_layer(layer, known, ranges, weight_width)
    _check_ends(model)
    bits = width(*ranges.logits)
    if bits > LOGIT_WIDTH:
        raise ValueError(
            f"Layer {model.head.name}: logits must fit the {LOGIT_WIDTH} bits "
            f"of the output port, not need {bits}: export the head with fewer weight "
            "bits or a smaller shift"
        )


def refusals(model):
    """Layers that no core runs, whatever its array, each by itself.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    dict of str to str
        Sentences by the names of layers.
    """
    known, ranges, found = shapes(model), analyse(model), {}
    for layer in model.layers:
        try:
            _check_layer(layer, known, ranges, None)
        except ValueError as error:
            found[layer.name] = str(error)
    try:
        check_model(model)
    except ValueError as error:
        # What concerns the whole model is said of its output.
        if str(error) not in found.values():
            found.setdefault(model.head.name, str(error))
    return found


def _check_layer(layer, known, ranges, weight_width):
    """Raises ValueError if no core runs a layer."""
    LAYOUTS[type(layer)].refuse(layer, shapes=known, ranges=ranges, weight_width=weight_width)
    if layer.epilogue is not None:
        _check_epilogue(layer)


def _check_epilogue(layer):
    """Raises ValueError if no core has what is behind a layer's potentials."""
    epilogue, neuron = layer.epilogue, layer.epilogue.neuron
    if epilogue.KIND == "write":
        require(
            layer,
            epilogue.combine == "add",
            "keeps the larger of two streams",
            "add, or use a convolution with a stride",
        )
    if neuron is None:
        return
    require(
        layer,
        neuron.membrane is None,
        "has a neuron with a membrane",
        "use a model of one step, whose neurons keep no state",
    )
    require(
        layer,
        neuron.levels <= MAX_COUNT,
        f"counts up to {neuron.levels}",
        f"use a D of at most {MAX_COUNT}",
    )


def _check_ends(model):
    """Raises ValueError if no core takes the model's input, or gives its outputs."""
    if model.input.steps > 1:
        raise ValueError(
            f"{model.name}: the input must have one step, not {model.input.steps}, "
            "since hardware does not run time steps yet: use a model of one step"
        )
    if not any(PIXELS in layer.reads for layer in model.layers):
        raise ValueError(
            f"{model.name}: a layer must read the pixels, since hardware does not run "
            "constants alone: keep what they make as numbers"
        )
    if len(model.outputs) > 1:
        raise ValueError(
            f"{model.name}: there must be one output, not "
            f"{' and '.join(model.outputs)}, since hardware does not run several yet: "
            "use a model for each"
        )
    require(
        model.head,
        model.head is model.layers[-1],
        "has an output, but is not the last layer",
        "put the layers behind it in front of it",
    )
    info = tensor_infos(model)[model.head.epilogue.output]
    require(
        model.head,
        info.positions == 1,
        f"has an output of {info.positions} positions",
        "let its kernel cover the map",
    )


def check_fields(plan):
    """Raises ValueError if a descriptor of the core has no room for a number of a plan.

    Parameters
    ----------
    plan : Plan
    """
    required = plan.required
    # Where a field holds one less than the number, there is room for one more.
    taps = largest(required.tile, "tap_rows") + 1
    words = largest(required.tap_position, "steps") + 1
    for layer in plan.layers:
        where = f"Layer {layer.name}"
        read = max([tile["words"] for tile in layer.tiles], default=0) + max(
            [position.steps + 1 for position in plan.tap_positions(layer)], default=0
        )
        _require(
            where,
            "tiles",
            len(layer.tiles) or len(layer.channels),
            largest(required.layer, "tiles"),
            "take more lanes per column",
        )
        _require(
            where,
            "taps per column",
            max([tile["tap_rows"] for tile in layer.tiles], default=0) + 1,
            taps,
            # Of channels that columns gather, a row lies in each of their words.
            "take fewer columns or more lanes per column"
            if layer.descriptor.get("gather")
            else "use a smaller kernel, fewer columns or more lanes per column",
        )
        _require(
            where,
            "words per line",
            read,
            words,
            "take more lanes per column, or fewer tokens or channels",
        )
        _require(
            where,
            "passes",
            layer.descriptor.get("passes", 0) + 1,
            largest(required.layer, "passes") + 1,
            "use another spike code",
        )
    # All ones stand for no layer.
    _require(
        plan.model.name,
        "layers",
        len(plan.layers),
        largest(required.header, "layers") - 1,
        "split the network",
    )
    _require(
        plan.model.name,
        "classes",
        plan.model.classes,
        largest(required.header, "classes"),
        "use a head of fewer classes",
    )
    for name, (_, depth) in required.memories.items():
        _require(
            plan.model.name,
            f"words of the memory of {name}",
            depth,
            LOAD_DEPTH,
            "take more lanes per column, or keep weights outside with --bus-width",
        )


def _require(where, what, number, limit, remedy):
    if number > limit:
        raise ValueError(f"{where}: {what} must be at most {limit}, not {number}: {remedy}")
