"""Properties of steps and sets: what is summed over time, and what time is like."""

from golden import Constant, KeyValue, Query, Sum, Write


__all__ = ["GOLDEN_ONLY", "NAMES", "find"]


GOLDEN_ONLY = (
    "several steps",
    "maps of one step beside those of several",
    "sum over time",
    "sum over space and time",
    "attention over time",
    "attention over space and time",
    "attention of several sets",
    "sums that are no counts",
    "constant in every step",
)

NAMES = GOLDEN_ONLY


def find(model, tensors, infos):
    """Yields names, and whether the model has that; see `properties.properties`."""
    steps = {info.steps for info in infos.values() if info.kind == "counts"}
    yield "several steps", model.input.steps > 1
    yield "maps of one step beside those of several", len(steps) > 1
    for layer in model.layers:
        match layer:
            case Sum():
                yield "sum over time", layer.over == "time" and infos[layer.source].steps > 1
                yield "sum over space and time", layer.over == "both"
                yield "sums that are no counts", layer.epilogue.KIND != "fire"
            case KeyValue() | Query():
                yield "attention over time", layer.over == "time"
                yield "attention over space and time", layer.over == "both"
                yield (
                    "attention of several sets",
                    any(
                        infos[name].steps > 1
                        for name in layer.reads
                        if infos[name].kind == "memory"
                    ),
                )
            case Constant(epilogue=Write(previous=previous)) if previous is not None:
                yield "constant in every step", infos[previous].steps > 1
