"""Float weights that a run starts from: of another run, or of an official checkpoint."""

import io
from pathlib import Path

import torch

from train import checkpoint
from train.checkpoint import CheckpointError


__all__ = ["load_weights"]


#: Colours that official networks subtract and divide by, for pixels 0..1.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

#: Where published files keep the parameters, and what distributed training puts before their names.
_PLACES = ("model", "state_dict")
_PREFIX = "module."

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
        One sentence that names the first parameter that is missing, unknown or of another shape.
    OSError
        If the file cannot be read.
    """
    found, ours = _read(Path(path))
    wanted = network.state_dict()
    kept = [
        name for name, values in wanted.items() if name.startswith(_CLASSIFIERS)
        and (name not in found or found[name].shape != values.shape)
    ]
    found = {name: values for name, values in found.items() if name not in kept}
    for name, values in wanted.items():
        if name in kept:
            continue
        if name not in found:
            raise CheckpointError(f"{path}: must hold {name}, which the network has")
        if found[name].shape != values.shape:
            raise CheckpointError(
                f"{path}: {name} must have shape {tuple(values.shape)}, as in the network, "
                f"not {tuple(found[name].shape)}"
            )
    odd = sorted(name for name in found.keys() - wanted.keys() if not name.startswith(_CLASSIFIERS))
    if odd:
        raise CheckpointError(f"{path}: holds {odd[0]}, which the network does not have")
    if not ours and wanted[f"{_STEM}.weight"].shape[1] == len(_MEAN):
        _convert_stem(found)
    network.load_state_dict({**wanted, **{name: found[name] for name in wanted if name in found}})
    return kept


def _read(path):
    """Parameters of a file by name, and whether the file is one of ours."""
    data = path.read_bytes()
    try:
        return checkpoint.load(path).network, True
    except CheckpointError:
        pass
    try:
        contents = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        for place in _PLACES:
            contents = contents.get(place, contents)
        parameters = {
            name.removeprefix(_PREFIX): values for name, values in contents.items()
        }
    # torch has no common exception for a foreign or truncated file.
    except Exception:
        parameters = {}
    if not parameters or not all(map(torch.is_tensor, parameters.values())):
        raise CheckpointError(
            f"{path}: must be a checkpoint that fit wrote or a state_dict that torch saved"
        )
    return parameters, False


def _convert_stem(found):
    """First layer for pixels x/256 in place of (x/255 - mean) / deviation."""
    weight, bias = found[f"{_STEM}.weight"], found[f"{_STEM}.bias"]
    mean, deviation = (
        torch.tensor(values, dtype=weight.dtype)[None, :, None, None]
        for values in (_MEAN, _DEVIATION)
    )
    found[f"{_STEM}.bias"] = bias - (weight * mean / deviation).sum((1, 2, 3))
    found[f"{_STEM}.weight"] = weight * (256 / 255) / deviation
