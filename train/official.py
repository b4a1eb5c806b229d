"""Checkpoints in the layout of the official repository: read safely, recognised, checked."""

import io
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

import torch
from msgspec.structs import replace

from golden.model import Rounding
from train.checkpoint import CheckpointError
from train.colours import CONSTANT, STEM, constant_stem
from train.model import PUBLISHED_DIMS, build
from train.network import NetworkConfig


__all__ = ["PUBLISHED", "describe", "load", "read_parameters", "require"]


#: Widths and depths of the published sizes of both families.
PUBLISHED = {
    **{size: (dims, (6, 2)) for size, dims in PUBLISHED_DIMS.items()},
    "12_512": ((128, 256, 512), (12,)),
    "12_768": ((196, 384, 768), (12,)),
}

#: Where published files keep the parameters, and what distributed training puts before their names.
_PLACES = ("model", "state_dict", "model_ema")
_PREFIX = "module."

#: Arguments that published training scripts keep beside the parameters, and that count time steps.
_TIME_STEPS = ("T", "time_step", "time_steps", "timestep", "timesteps")

#: Parts of names by which other generations of the network are known.
_OTHERS = {
    "patch_embed.": "Spike-driven Transformer (V1)",
    ".q_conv.0.body.": "Meta-SpikeFormer (Spike-driven Transformer V2)",
    ".Conv.pwconv1.weight": "Meta-SpikeFormer (Spike-driven Transformer V2)",
}

#: Names that a sentence lists at most.
_LISTED = 8


def read_parameters(path):
    """Read the parameters of a ``state_dict``; no code in the file is run.

    Parameters
    ----------
    path : path-like
        A ``state_dict``, bare or under ``model``, ``state_dict`` or ``model_ema``.

    Returns
    -------
    dict of str to tensor

    Raises
    ------
    CheckpointError
        If the file holds no parameters, those of another generation of the network, or a network
        that was trained over several time steps.
    OSError
        If the file cannot be read.
    """
    data = io.BytesIO(Path(path).read_bytes())
    parameters, arguments = {}, None
    # torch has no common exception for a foreign or truncated file.
    with suppress(Exception), torch.serialization.safe_globals([Namespace]):
        contents = torch.load(data, map_location="cpu", weights_only=True)
        arguments = contents.get("args")
        place = next((place for place in _PLACES if place in contents), None)
        contents = contents if place is None else contents[place]
        parameters = {name.removeprefix(_PREFIX): value for name, value in contents.items()}
    if not parameters or not all(map(torch.is_tensor, parameters.values())):
        raise CheckpointError(f"{path}: must be a state_dict that torch saved, bare or under "
                              f"{', '.join(_PLACES)}")
    for part, generation in _OTHERS.items():
        if any(part in name for name in parameters):
            raise CheckpointError(f"{path}: holds a {generation}, and only the third generation, "
                                  "E-SpikeFormer, can be converted")
    steps = max((getattr(arguments, name, 1) for name in _TIME_STEPS), default=1)
    if isinstance(steps, int) and steps > 1:
        raise CheckpointError(f"{path}: was trained over T = {steps} time steps, and only networks "
                              "of one step (T = 1, D spikes at once) can be converted")
    return parameters


def describe(parameters, path, *, family, size=None, image_size=224, heads=8, max_count=4):
    """Configuration of the network that parameters belong to.

    Widths, depths, classes, kernel of the stem, heads of the classifier and expansions are read off
    the parameters' shapes.

    Parameters
    ----------
    parameters : dict of str to tensor
    path : path-like
        Named in errors.
    family : str
        ``base`` or ``large``.
    size : str, optional
        Key of :data:`PUBLISHED`: what it must be.
    image_size : int
        Height and width of images.
    heads : int
        Of attention.
    max_count : int

    Returns
    -------
    NetworkConfig

    Raises
    ------
    CheckpointError
        One sentence that names what is missing, or the family or size that it is instead.
    """
    other = "base" if family == "large" else "large"
    if _is_large(parameters) != (family == "large"):
        raise CheckpointError(f"{path}: must be of the {family} family, not of the {other} one")
    layout = _Layout(parameters, family)
    missing = [name for name in layout.names if name not in parameters]
    if not missing:
        dims, depths = layout.dims(), layout.depths()
        classes, (_, channels, kernel, _) = layout.classes(), layout.stem()
        if size is not None:
            _require_size(dims, depths, size, path)
    elif size is not None:
        # Enough to say all that is missing.
        (dims, depths), classes, channels, kernel = PUBLISHED[size], 1000, 3, 7
    else:
        raise CheckpointError(f"{path}: lacks {_listed(missing)}")
    shape = {
        "family": family, "image": (image_size, image_size, channels), "classes": classes,
        "dims": dims, "depths": depths, "heads": heads, "stem_kernel": kernel,
        "max_count": max_count,
    }
    try:
        if family == "base":
            return NetworkConfig(**shape, strides=(2, 2, 2, 2, 1), rounding=Rounding.HALF_EVEN)
        return NetworkConfig(
            **shape, strides=(2, 2, 2, 2), rounding=Rounding.HALF_UP,
            expansions=layout.expansions(dims[2]),
            head="both" if "head_kd.weight" in parameters else "analog",
        )
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


def require(parameters, network, path):
    """Demand the names and shapes of a network.

    Parameters
    ----------
    parameters : dict of str to tensor
    network : nn.Module
    path : path-like
        Named in errors.

    Raises
    ------
    CheckpointError
        One sentence that lists what is missing, unexpected, of another shape or not finite.
    """
    wanted = network.state_dict()
    faults = []
    for what, names in (
        ("lacks", [name for name in wanted if name not in parameters]),
        ("has the unexpected", [name for name in parameters if name not in wanted]),
        ("has other shapes than the network in", [
            f"{name} ({_shape(parameters[name])} in place of {_shape(values)})"
            for name, values in wanted.items()
            if name in parameters and parameters[name].shape != values.shape
        ]),
        ("has numbers that are not finite in",
         [name for name, values in parameters.items() if not values.isfinite().all()]),
    ):
        if names:
            faults.append(f"{what} {_listed(names)}")
    if faults:
        raise CheckpointError(f"{path}: {'; '.join(faults)}")


def load(parameters, shape, path, *, bn_eps, imagenet=False):
    """Network of a description, in float64 and evaluation mode.

    Parameters
    ----------
    parameters : dict of str to tensor
    shape : NetworkConfig
    path : path-like
        Named in errors.
    bn_eps : float
        What batch norms add to variances.
    imagenet : bool
        The network was trained on colours less ImageNet's mean; it then gets a constant channel.

    Returns
    -------
    nn.Module
    """
    with torch.device("meta"):
        network = build(shape)
    require(parameters, network, path)
    if imagenet:
        if shape.image[2] != 3:
            raise CheckpointError(f"{path}: must take 3 colours for ImageNet's mean to be "
                                  f"subtracted, not {shape.image[2]} channels")
        stem = f"{STEM}.weight"
        parameters = {**parameters, stem: constant_stem(parameters[stem].double())}
        with torch.device("meta"):
            network = build(replace(shape, pixel_constant=CONSTANT))
    network.load_state_dict(parameters, assign=True)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eps = bn_eps
    return network.double().eval()


def _is_large(parameters):
    return any(name.endswith((".layer_scale1", ".q_conv.0.conv1.0.weight")) for name in parameters)


class _Layout:
    """Where the shapes of a family's checkpoints say how wide and deep a network is."""

    def __init__(self, parameters, family):
        self._parameters = parameters
        large = family == "large"
        self._stem = "downsample1_1.encode_conv.weight"
        self._stages = ["block3"] if large else ["block3", "block4"]
        self._downs = [f"downsample{stage}.encode_conv.weight"
                       for stage in (("1_2", "2", "3") if large else ("1_2", "2", "3", "4"))]
        self.names = [
            self._stem, *self._downs, "head.weight",
            *(f"{stage}.0.mlp.fc1_conv.weight" for stage in self._stages),
        ]

    def dims(self):
        return tuple(len(self._parameters[name]) for name in self._downs)

    def depths(self):
        return tuple(
            len({name.split(".")[1] for name in self._parameters if name.startswith(f"{stage}.")})
            for stage in self._stages
        )

    def stem(self):
        return self._parameters[self._stem].shape

    def classes(self):
        return len(self._parameters["head.weight"])

    def expansions(self, channels):
        """Widening inside the projections of attention, and inside a block's own branch."""
        hidden = [self._parameters.get(f"block3.0.{name}.conv1.0.weight", ())
                  for name in ("attn.q_conv.0", "rep_conv")]
        return len(hidden[0]) / channels or 1.5, len(hidden[1]) / channels


def _require_size(dims, depths, size, path):
    """Raises unless widths and depths are those of a published size."""
    found = next((name for name, shape in PUBLISHED.items() if shape == (dims, depths)), None)
    # The published autoencoder of the largest size has another first width.
    if size == "12_768" and (dims, depths) == ((192, 384, 768), (12,)):
        return
    if found != size:
        instead = found or f"widths {dims} and depths {depths}"
        raise CheckpointError(f"{path}: must be of size {size}, not {instead}")


def _shape(values):
    return "x".join(map(str, values.shape)) or "one number"


def _listed(names):
    """Names as part of a sentence."""
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
