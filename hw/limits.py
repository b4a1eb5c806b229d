"""What no core can do: models and plans that are refused, by the layer's name."""

from golden import AnalogHead, Conv, TokenSum
from golden.ranges import analyse, width

from .capacities import PROGRAM_WIDTH
from .fields import largest
from .token_sums import sum_width


__all__ = ["LOAD_DEPTH", "LOGIT_WIDTH", "check_fields", "check_model"]


#: Bits of a logit on the output port.
LOGIT_WIDTH = 32

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
    ranges = analyse(model)
    for layer in model.layers:
        match layer:
            case AnalogHead():
                raise ValueError(f"Hardware runs heads that read spikes, and {layer.name} reads a "
                                 "stream: export with --head spike")
            case Conv() if weight_width is not None and weight_width < layer.weight_bits:
                raise ValueError(f"--weight-width must be at least the {layer.weight_bits} bits of "
                                 f"layer {layer.name}, not {weight_width!r}")
            case TokenSum():
                bits = sum_width(ranges.potential[layer.name])
                if bits >= PROGRAM_WIDTH:
                    raise ValueError(
                        f"Layer {layer.name}: token sums must fit {PROGRAM_WIDTH - 1} bits, not "
                        f"need {bits}: export with fewer fraction bits or fewer tokens")
    bits = width(*ranges.logits)
    if bits > LOGIT_WIDTH:
        raise ValueError(f"Layer {model.layers[-1].name}: logits must fit the {LOGIT_WIDTH} bits "
                         f"of the output port, not need {bits}: export the head with fewer weight "
                         "bits or a smaller shift")


def check_fields(plan):
    """Raises ValueError if a record of the core has no room for a number of a plan.

    Parameters
    ----------
    plan : Plan
    """
    needed = plan.needed
    # Where a field holds one less than the number, there is room for one more.
    taps = largest(needed.job, "lines") + 1
    words = min(largest(needed.job, "words"), largest(needed.window, "steps")) + 1
    for layer in plan.layers:
        where = f"Layer {layer.name}"
        read = (max([tile["words"] for tile in layer.tiles], default=0)
                + max([window.steps + 1 for window in layer.positions], default=0))
        _require(where, "tiles", len(layer.tiles) or len(layer.channels),
                 largest(needed.layer, "tiles"), "take more lanes per column")
        _require(where, "taps per column", max([w.steps + 1 for w in layer.lines], default=0),
                 taps, "use a smaller kernel")
        _require(where, "words per line", read, words,
                 "take more lanes per column, or fewer tokens or channels")
        _require(where, "passes", layer.record.get("passes", 0) + 1,
                 largest(needed.layer, "passes") + 1, "use another spike code")
    # All ones stand for no layer.
    _require(plan.model.name, "layers", len(plan.layers), largest(needed.header, "layers") - 1,
             "split the network")
    _require(plan.model.name, "classes", plan.model.classes, largest(needed.header, "classes"),
             "use a head of fewer classes")
    for name, (_, depth) in needed.memories.items():
        _require(plan.model.name, f"words of the memory of {name}", depth, LOAD_DEPTH,
                 "take more lanes per column, or keep weights outside with --bus-width")


def _require(where, what, number, limit, remedy):
    if number > limit:
        raise ValueError(f"{where}: {what} must be at most {limit}, not {number}: {remedy}")
