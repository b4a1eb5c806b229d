"""Checkpoints in the layout of the official repository: recognised, checked, made a network."""

import torch
from msgspec.structs import replace

from golden.data.reading import listed
from golden.neuron import Rounding
from train.data.input_normalisation import CONSTANT, STEM, constant_stem
from train.families.configuration import NetworkConfig
from train.families.e_spikeformer import PUBLISHED_DIMS
from train.network.build import build
from train.run.checkpoint import CheckpointError
from train.run.contents import complete


__all__ = ["PUBLISHED", "describe", "load"]


#: Widths and depths of the published sizes of both families.
PUBLISHED = {
    **{size: (dims, (6, 2)) for size, dims in PUBLISHED_DIMS.items()},
    "12_512": ((128, 256, 512), (12,)),
    "12_768": ((196, 384, 768), (12,)),
}


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
        layout.require_ranks(path)
        dims, depths = layout.dims(), layout.depths()
        classes, (_, channels, kernel, _) = layout.classes(), layout.stem()
        if size is not None:
            _require_size(dims, depths, size, path)
    elif size is not None:
        # Enough to say all that is missing.
        (dims, depths), classes, channels, kernel = PUBLISHED[size], 1000, 3, 7
    else:
        raise CheckpointError(
            f"{path}: lacks {listed(missing)}; what it has begins with "
            f"{', '.join(list(parameters)[:3])}"
        )
    shape = {
        "family": family,
        "image": (image_size, image_size, channels),
        "classes": classes,
        "dims": dims,
        "depths": depths,
        "heads": heads,
        "stem_kernel": kernel,
        "max_count": max_count,
    }
    try:
        if family == "base":
            return NetworkConfig(**shape, strides=(2, 2, 2, 2, 1), rounding=Rounding.HALF_EVEN)
        return NetworkConfig(
            **shape,
            strides=(2, 2, 2, 2),
            rounding=Rounding.HALF_UP,
            expansions=layout.expansions(dims[2]),
            head=layout.head(),
        )
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


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
    parameters = complete(parameters, network, path)
    if imagenet:
        if shape.image[2] != 3:
            raise CheckpointError(
                f"{path}: must take 3 colours for ImageNet's mean to be "
                f"subtracted, not {shape.image[2]} channels"
            )
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
        self._downs = [
            f"downsample{stage}.encode_conv.weight"
            for stage in (("1_2", "2", "3") if large else ("1_2", "2", "3", "4"))
        ]
        self._heads = [name for name in ("head", "head_kd") if f"{name}.weight" in parameters]
        self.names = [
            self._stem,
            *self._downs,
            f"{(self._heads or ['head'])[0]}.weight",
            *(f"{stage}.0.mlp.fc1_conv.weight" for stage in self._stages),
        ]

    def require_ranks(self, path):
        """Demand the axes from which sizes are read."""
        ranks = {self._stem: 4, **dict.fromkeys(self._downs, 4), f"{self._heads[0]}.weight": 2}
        for name, rank in ranks.items():
            shape = list(self._parameters[name].shape)
            if len(shape) != rank or 0 in shape:
                raise CheckpointError(
                    f"{path}: must have {rank} axes of at least 1 in {name}, not {shape}"
                )

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
        return len(self._parameters[f"{self._heads[0]}.weight"])

    def head(self):
        """What the heads of the large family are called together."""
        return {("head",): "analog", ("head_kd",): "spike"}.get(tuple(self._heads), "both")

    def expansions(self, channels):
        """Widening inside the projections of attention, and inside a block's own branch."""
        names = (f"block3.0.{name}.conv1.0.weight" for name in ("attn.q_conv.0", "rep_conv"))
        inside, own = (
            self._parameters[name].shape[:1].numel() / max(channels, 1)
            if name in self._parameters
            else 0
            for name in names
        )
        return inside or 1.5, own


def _require_size(dims, depths, size, path):
    """Raises unless widths and depths are those of a published size."""
    found = next((name for name, shape in PUBLISHED.items() if shape == (dims, depths)), None)
    # The published autoencoder of the largest size has another first width.
    if size == "12_768" and (dims, depths) == ((192, 384, 768), (12,)):
        return
    if found != size:
        instead = found or f"widths {dims} and depths {depths}"
        raise CheckpointError(f"{path}: must be of size {size}, not {instead}")
