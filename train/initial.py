"""Float weights that a run starts from: of another run, or of an official checkpoint."""

from pathlib import Path

import torch

from train import checkpoint
from train.checkpoint import CheckpointError
from train.official import read_parameters, require


__all__ = ["load_weights"]


#: Colours that official networks subtract and divide by, for pixels 0..1.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

_STEM = "downsample1_1.encode_conv"
_CLASSIFIERS = ("head.", "head_kd.")


def load_weights(network, path):
    """Give a network the parameters of a file.

    A classifier of other classes is left as it is. Official networks see pixels without their mean
    colour, ours see x/256: a first layer for colours is converted, exactly but for the border.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    path : path-like
        A checkpoint that ``fit`` or ``pretrain`` wrote, or a ``state_dict`` with the names of the
        official checkpoints.

    Returns
    -------
    list of str
        Parameters that were left as they are.

    Raises
    ------
    CheckpointError
        One sentence that lists the parameters that are missing, unexpected or of other shapes.
    OSError
        If the file cannot be read.
    """
    found, ours = _read(Path(path))
    wanted = network.state_dict()
    kept = [
        name for name, values in wanted.items() if name.startswith(_CLASSIFIERS)
        and (name not in found or found[name].shape != values.shape)
    ]
    found = {name: values for name, values in found.items()
             if name in wanted or not name.startswith(_CLASSIFIERS)}
    require({**found, **{name: wanted[name] for name in kept}}, network, path)
    if not ours and wanted[f"{_STEM}.weight"].shape[1] == len(_MEAN):
        _convert_stem(found)
    network.load_state_dict({**wanted, **{name: values for name, values in found.items()
                                          if name not in kept}})
    return kept


def _read(path):
    """Parameters of a file by name, and whether the file is one of ours."""
    try:
        return checkpoint.load(path).network, True
    except CheckpointError:
        return read_parameters(path), False


def _convert_stem(found):
    """First layer for pixels x/256 in place of (x/255 - mean) / deviation."""
    weight, bias = found[f"{_STEM}.weight"], found[f"{_STEM}.bias"]
    mean, deviation = (
        torch.tensor(values, dtype=weight.dtype)[None, :, None, None]
        for values in (_MEAN, _DEVIATION)
    )
    found[f"{_STEM}.bias"] = bias - (weight * mean / deviation).sum((1, 2, 3))
    found[f"{_STEM}.weight"] = weight * (256 / 255) / deviation
