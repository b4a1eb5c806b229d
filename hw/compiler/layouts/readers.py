"""Who reads what: tensors that a layer can store at once in the form in which they are needed."""

from golden import Conv, Fire, KeyValue, Sum
from golden.names import counts_name


__all__ = ["direct_values", "fused_sums"]


def direct_values(model):
    """Counts that are attention values and nothing else.

    They go to the attention memory at once. All others are stored as spikes, and copied for the
    attention that reads them as values.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    dict of str to int
        Heads of the attention, by the name of the counts.
    """
    found = {}
    for layer in model.layers:
        if isinstance(layer, Conv) and isinstance(layer.epilogue, Fire):
            name = counts_name(layer)
            readers = [reader for reader in model.layers if name in reader.reads]
            heads = {reader.heads if _values_alone(reader, name) else None for reader in readers}
            if len(heads) == 1 and heads != {None}:
                found[name] = heads.pop()
    return found


def fused_sums(model):
    """Token sums whose stream is summed while it is written.

    The sum memory is that stream's until its sums have fired, so no other token sum may stand
    between; and a layer that stores sums stores no counts.

    Parameters
    ----------
    model : IntegerModel

    Returns
    -------
    dict of str to str
        Name of the stream, by the name of the token sum.
    """
    counts = {name for layer in model.layers for name in layer.reads}
    sums = [number for number, layer in enumerate(model.layers) if isinstance(layer, Sum)]
    made = {f"{layer.name}.stream": number for number, layer in enumerate(model.layers)}
    found = {}
    for number in sums:
        layer = model.layers[number]
        alone = not any(
            made[layer.source] < other < number
            or (other != number and model.layers[other].source == layer.source)
            for other in sums
        )
        if alone and layer.source.removesuffix(".stream") + ".counts" not in counts:
            found[layer.name] = layer.source
    return found


def _values_alone(reader, name):
    """Whether a layer reads counts as values and as nothing else."""
    return isinstance(reader, KeyValue) and reader.values == name != reader.keys
