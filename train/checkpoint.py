"""Checkpoints: everything that a training run needs to go on, in one file."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import torch

from golden.atomic import replacing
from train.config import Config, ConfigError, from_builtins, to_builtins
from train.grids import Grids
from train.integer import QuantisedNetwork
from train.model import build


__all__ = ["Checkpoint", "CheckpointError", "load", "save"]


#: Version of the file's contents.
_FORMAT = 1


class CheckpointError(ValueError):
    """A file that is no usable checkpoint, told in one sentence."""


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
        What each epoch measured, see :data:`train.history.COLUMNS`.
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
            self.build(), self.grids, weight_bits=self.config.quantise.weight_bits,
            rounding=rounding, head=head,
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
        "addend-checkpoint": _FORMAT,
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


def load(path):
    """Read a checkpoint.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Checkpoint

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint of this version.
    OSError
        If the file cannot be read.
    """
    data = io.BytesIO(Path(path).read_bytes())
    try:
        contents = torch.load(data, map_location="cpu", weights_only=True)
        version = contents.pop("addend-checkpoint")
    # torch has no common exception for a foreign or truncated file.
    except Exception as error:
        raise CheckpointError(f"{path}: must be a complete checkpoint written by fit") from error
    if version != _FORMAT:
        raise CheckpointError(f"{path}: checkpoint version must be {_FORMAT}, not {version}")
    try:
        config = from_builtins(contents.pop("config"))
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error
    grids = contents.pop("grids")
    return Checkpoint(config=config, grids=grids and Grids(**grids), **contents)
