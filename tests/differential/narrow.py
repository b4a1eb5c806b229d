"""Half of the channels of a map, and of all maps whose channels are the same."""

from dataclasses import replace

from golden import PIXELS, AnalogHead, Constant, Conv, Fire, Max, Output, Sum, Write
from golden.model.shapes import tensor_infos
from golden.names import counts_name, stream_name


__all__ = ["narrowed"]


def narrowed(model, name):
    """A model with fewer channels of a map; the same one where that cannot be."""
    infos = tensor_infos(model)
    same, grown = {name}, True
    while grown:
        before = len(same)
        for layer in model.layers:
            tied = _tied(layer)
            if tied & same:
                same |= tied
        grown = len(same) > before
    frozen = {PIXELS}.union(*map(_frozen, model.layers))
    if name not in infos or same & frozen or infos[name].channels < 2:
        return model
    kept = infos[name].channels // 2
    return replace(model, layers=tuple(_sliced(layer, same, kept) for layer in model.layers))


def _tied(layer):
    """Maps of a layer that have the same channels."""
    made = (
        {counts_name(layer)}
        if layer.epilogue is None or isinstance(layer.epilogue, Fire | Write)
        else set()
    )
    if isinstance(layer.epilogue, Write):
        made |= {stream_name(layer), *layer.epilogue.reads}
    if isinstance(layer, Max | Sum) or (isinstance(layer, Conv) and layer.depthwise):
        return made | {layer.source}
    return made


def _frozen(layer):
    """Maps whose channels belong to heads, to groups, to several sources, or to an output."""
    membrane = getattr(getattr(layer.epilogue, "neuron", None), "membrane", None)
    made = {counts_name(layer)} if membrane is not None and membrane.state else set()
    if isinstance(layer, Conv):
        alone = layer.groups == len(layer.sources) == 1
        inner = layer.depthwise and not isinstance(layer.epilogue, Output)
        return made if alone or inner else made | {*layer.sources, counts_name(layer)}
    if isinstance(layer, Max | Constant | AnalogHead) or (
        isinstance(layer, Sum) and not isinstance(layer.epilogue, Output)
    ):
        return made
    return made | {*layer.reads, counts_name(layer)}


def _sliced(layer, narrow, kept):
    """A layer that makes or reads only the first channels of some maps."""
    if (
        isinstance(layer, Conv | AnalogHead)
        and layer.source in narrow
        and not (isinstance(layer, Conv) and layer.depthwise)
    ):
        layer = replace(layer, weight=layer.weight[:, :kept])
    if isinstance(layer, AnalogHead) or counts_name(layer) not in narrow:
        return layer
    if isinstance(layer, Conv | Constant):
        layer = replace(layer, weight=layer.weight[:kept])
    if isinstance(layer, Conv):
        layer = replace(layer, groups=kept if layer.depthwise else 1)
    return (
        layer if layer.epilogue is None else replace(layer, epilogue=_first(layer.epilogue, kept))
    )


def _first(epilogue, kept):
    """An epilogue of the first channels."""
    if epilogue.bias is not None:
        epilogue = replace(epilogue, bias=epilogue.bias[:kept])
    neuron = epilogue.neuron
    if neuron is None:
        return epilogue
    if neuron.thresholds is not None and len(neuron.thresholds) > 1:
        neuron = replace(neuron, thresholds=neuron.thresholds[:kept])
    if neuron.membrane is not None:
        leak = neuron.membrane.leak
        neuron = replace(
            neuron, membrane=replace(neuron.membrane, leak=leak[:kept] if len(leak) > 1 else leak)
        )
    return replace(epilogue, neuron=neuron)
