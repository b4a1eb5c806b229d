"""Properties of what leaves the network."""

from golden import AnalogHead, Conv


__all__ = ["GOLDEN_ONLY", "NAMES", "find"]


GOLDEN_ONLY = (
    "logits over 32 bits",
    "analog head",
    "several outputs",
    "output map",
    "output of several steps",
    "output of a sum",
)

NAMES = ("logits of several positions", "depthwise head", *GOLDEN_ONLY)


def find(model, tensors, infos):
    """Yields names, and whether the model has that; see `properties.properties`."""
    yield "several outputs", len(model.outputs) > 1
    for name, layer in model.outputs.items():
        info, convolution = infos[name], isinstance(layer, Conv)
        yield "analog head", isinstance(layer, AnalogHead)
        yield "depthwise head", convolution and layer.depthwise
        yield (
            "logits of several positions",
            (
                convolution
                and infos[layer.sources[0]].size != (1, 1)
                and max(layer.weight.shape[2:]) > 1
                and info.positions == 1
            ),
        )
        yield "logits over 32 bits", model.widths[layer.name]["output"] > 32
        yield "output map", info.positions > 1
        yield "output of several steps", info.steps > 1
        yield "output of a sum", layer.KIND == "sum"
