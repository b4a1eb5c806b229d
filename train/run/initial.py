"""Float weights that a run starts from: of another run, or of an official checkpoint."""

from pathlib import Path

from train.data.input_normalisation import CONSTANT, STEM, biased_stem, constant_stem
from train.families.configuration import NetworkConfig
from train.network.build import shape_of
from train.run import checkpoint
from train.run.checkpoint import ForeignFileError
from train.run.contents import complete
from train.run.parameters import read_parameters


__all__ = ["load_weights"]


_CLASSIFIERS = ("head.", "head_kd.")


def load_weights(network, path, entry=None):
    """Give a network the parameters of a file.

    A classifier of other classes is left as it is. Official networks see pixels without their mean
    colour, ours see x/256: a first layer for colours is converted, exactly if the network has the
    pixel constant 128, and else exactly but for the border.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    path : path-like
        A checkpoint that ``fit`` or ``pretrain`` wrote, or a ``state_dict`` with the names of the
        official checkpoints.
    entry : str, optional
        Of such a file, as for :func:`train.run.parameters.read_parameters`.

    Returns
    -------
    list of str
        What a user should know: which entry was taken, which parameters were left as they are.

    Raises
    ------
    CheckpointError
        One sentence that lists the parameters that are missing, unexpected or of other shapes.
    OSError
        If the file cannot be read.
    """
    found, ours, lines = _read(Path(path), entry)
    wanted = network.state_dict()
    kept = [
        name
        for name, values in wanted.items()
        if name.startswith(_CLASSIFIERS)
        and (name not in found or found[name].shape != values.shape)
    ]
    found = {
        name: values
        for name, values in found.items()
        if name in wanted or not name.startswith(_CLASSIFIERS)
    }
    shape = shape_of(network)
    if not ours and isinstance(shape, NetworkConfig):
        found |= _stem(found, shape)
    found = complete({**found, **{name: wanted[name] for name in kept}}, network, path)
    network.load_state_dict(found)
    if kept:
        lines = [*lines, f"{', '.join(kept)} start anew: {path} has other classes"]
    return lines


def _read(path, entry):
    """Parameters of a file by name, whether it is one of ours, and what to say about it."""
    try:
        return checkpoint.load(path).network, True, []
    except ForeignFileError:
        found = read_parameters(path, entry)
        return found.values, False, found.lines(path)


def _stem(found, shape):
    """First layer for our pixels, if the file has one for three colours."""
    weight, bias = (found.get(f"{STEM}.{noun}") for noun in ("weight", "bias"))
    if weight is None or bias is None or weight.shape[1] != 3:
        return {}
    if shape.pixel_constant == CONSTANT:
        return {f"{STEM}.weight": constant_stem(weight)}
    weight, bias = biased_stem(weight, bias)
    return {f"{STEM}.weight": weight, f"{STEM}.bias": bias}
