"""Checkpoints: everything that a training run needs to go on, in one file."""

import hashlib
import io
import logging
from dataclasses import dataclass, field

import torch

from golden.data.atomic import replacing
from golden.data.limits import MAX_ARRAY
from golden.data.reading import printable, read_regular
from train.network.build import build, layered
from train.network.quantised import QuantisedNetwork
from train.quant.grids import Grids
from train.run.config import Config, ConfigError, from_builtins, to_builtins
from train.run.contents import CheckpointError, check_fields, check_grids, complete


__all__ = ["Checkpoint", "CheckpointError", "ForeignFileError", "load", "save", "weights"]


#: Key of the version of the file's contents, and the version. Version 1 had no digest.
_VERSION = "addend-checkpoint"
_FORMAT = 2

#: What the digest at the end of a file begins with, and bytes of both together.
_DIGEST_MARK = b"\naddend sha256 "
_DIGEST_SIZE = len(_DIGEST_MARK) + 64

_LOG = logging.getLogger(__name__)


class ForeignFileError(CheckpointError):
    """A file that no training run of ours wrote."""


@dataclass
class Checkpoint:
    """State of a training run between two epochs.

    Parameters
    ----------
    config : Config
    seed : int
    epoch : int
        Planned epochs that are behind, float and quantised together; those that an early stop left
        out are among them.
    network : dict
        ``state_dict`` of the network.
    optimizer : dict
        ``state_dict`` of the optimizer.
    grids : Grids or None
        ``None`` while the network is a float one.
    seconds : float
        Time spent in training so far.
    accuracy : dict of str to float
        Measured so far: ``float``, ``quantised``, ``golden``, each 0 to 1.
    average : dict
        ``state_dict`` of the moving average, if the run keeps one.
    decoder : dict
        ``state_dict`` of the decoder, in a run that pre-trains.
    history : list of dict
        What each epoch measured, see :data:`train.run.history.COLUMNS`.
    classes : tuple of str
        Names of the classes in the order of the labels; empty if they are not known.
    """

    config: Config
    seed: int
    epoch: int
    network: dict
    optimizer: dict
    grids: Grids | None = None
    seconds: float = 0.0
    accuracy: dict = field(default_factory=dict)
    average: dict = field(default_factory=dict)
    decoder: dict = field(default_factory=dict)
    history: list = field(default_factory=list)
    classes: tuple = ()

    def build(self):
        """The network, with its parameters, in training mode."""
        # The numbers that are drawn here are overwritten; the caller's generator stays as it is.
        with torch.random.fork_rng(devices=[]):
            network = build(self.config.network)
        network.load_state_dict(self.network)
        return network

    def quantised(self, rounding=None, head=None):
        """The network in integer evaluation.

        Parameters
        ----------
        rounding : Rounding, optional
            In place of the rule that the network was trained with.
        head : str, optional
            ``spike`` or ``analog``, of a network that has both.

        Returns
        -------
        QuantisedNetwork

        Raises
        ------
        CheckpointError
            If the run has not reached quantisation-aware training yet.
        """
        if self.grids is None:
            raise CheckpointError(
                f"quantised evaluation needs a checkpoint of epoch "
                f"{self.config.fit.float_epochs + 1} or later, not {self.epoch}"
            )
        return QuantisedNetwork.of(
            self.build(),
            self.grids,
            weight_bits=self.config.quantise.weight_bits,
            rounding=rounding,
            head=head,
        )


def save(checkpoint, path):
    """Write a checkpoint whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written; an older checkpoint is then still there.
    """
    grids = checkpoint.grids
    contents = {
        _VERSION: _FORMAT,
        "config": to_builtins(checkpoint.config),
        "seed": checkpoint.seed,
        "epoch": checkpoint.epoch,
        "network": checkpoint.network,
        "optimizer": checkpoint.optimizer,
        "grids": None if grids is None else vars(grids),
        "seconds": checkpoint.seconds,
        "accuracy": checkpoint.accuracy,
        "average": checkpoint.average,
        "decoder": checkpoint.decoder,
        "history": checkpoint.history,
        "classes": tuple(checkpoint.classes),
    }
    # torch's own file writer reports a full disk as an internal error; ours as an OSError.
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    with replacing(path) as file:
        file.write(buffer.getbuffer())
        file.write(_digest(buffer.getbuffer()))


def load(path):
    """Read a checkpoint.

    Files of older versions have no digest: they are read, and a warning says so.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Checkpoint

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint of this version, lacks anything, or was changed since it
        was written.
    OSError
        If the file cannot be read.
    """
    contents, verified = _read(path)
    version = contents.pop(_VERSION)
    if type(version) is not int or version not in (1, _FORMAT):
        raise CheckpointError(
            f"{path}: checkpoint version must be 1 or {_FORMAT}, not {printable(version)}"
        )
    if version == _FORMAT and not verified:
        raise CheckpointError(f"{path}: the digest is missing, so the file is damaged")
    check_fields(contents, path)
    try:
        config = from_builtins(contents.pop("config"))
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error
    if not verified:
        _LOG.warning(
            "%s: an older version wrote this file without a digest, so nobody knows "
            "whether it is damaged",
            path,
        )
    return _checked(Checkpoint(config=config, **contents), path)


def weights(path):
    """The network of a checkpoint alone, as other runs start from it: its moving average, if any.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Checkpoint
        Without optimizer, grids, average, decoder, history and accuracies.

    Raises
    ------
    CheckpointError, OSError
        As for :func:`load`.
    """
    state = load(path)
    # Between two steps of a phase the average is ahead of the network that is trained.
    averaged = {
        name.removeprefix("module."): values
        for name, values in state.average.items()
        if name != "n_averaged"
    }
    alone = Checkpoint(
        config=state.config,
        seed=state.seed,
        epoch=state.epoch,
        network=averaged or state.network,
        optimizer={},
        classes=state.classes,
    )
    alone = _checked(alone, path)
    alone.network = _packed(alone.network)
    return alone


def _packed(parameters):
    """The same tensors as views of one storage: a file has less around it than around many."""
    numbers = {name: values for name, values in parameters.items() if values.is_floating_point()}
    packed = torch.cat([values.flatten() for values in numbers.values()])
    parts = packed.split([values.numel() for values in numbers.values()])
    views = {
        name: part.view(values.shape)
        for part, (name, values) in zip(parts, numbers.items(), strict=True)
    }
    return {**parameters, **views}


def _read(path):
    """What torch saved in a file, and whether the digest behind it says that it is unchanged."""
    data = read_regular(path, MAX_ARRAY)
    verified = data[-_DIGEST_SIZE:].startswith(_DIGEST_MARK)
    if verified:
        if data[-_DIGEST_SIZE:] != _digest(memoryview(data)[:-_DIGEST_SIZE]):
            raise CheckpointError(
                f"{path}: the file is damaged, since its digest does not match its content"
            )
        data = data[:-_DIGEST_SIZE]
    try:
        contents = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        ours = _VERSION in contents
    # torch has no common exception for a foreign or truncated file.
    except Exception as error:
        raise ForeignFileError(f"{path}: must be a complete checkpoint written by fit") from error
    if not ours or not isinstance(contents, dict):
        raise ForeignFileError(f"{path}: must be a complete checkpoint written by fit")
    return contents, verified


def _checked(checkpoint, path):
    """The same checkpoint, after network and grids were found to be whole."""
    with torch.device("meta"):
        network = build(checkpoint.config.network)
    checkpoint.network = complete(checkpoint.network, network, path)
    if checkpoint.grids is not None:
        checkpoint.grids = Grids(**checkpoint.grids)
        check_grids(checkpoint.grids, layered(network), path)
    return checkpoint


def _digest(data):
    """What ends a file: a mark and the SHA-256 of all that is in front of it."""
    return _DIGEST_MARK + hashlib.sha256(data).hexdigest().encode()
