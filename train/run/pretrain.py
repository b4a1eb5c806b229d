"""Pre-training: a run that learns from images without their labels, as a masked autoencoder."""

from pathlib import Path

import torch
from torch import nn

from golden.data.lock import alone_in
from train.data.sets import load_split
from train.network.autoencoder import Autoencoder
from train.network.masked import draw_mask
from train.run import checkpoint as checkpoints
from train.run.config import PRETRAINED_CHECKPOINT
from train.run.contents import going_on
from train.run.fit import Silent, resumed, start
from train.run.history import History
from train.run.loop import Loop
from train.run.processes import ALONE
from train.run.schedule import rise_and_fall


__all__ = ["pretrain"]


#: The one phase of the run.
MASKED = "masked"

#: Keeps the masks' draws apart from those of order and augmentation.
_MASKS = 7_919


def pretrain(config, out, *, seed, data=None, resume=False, progress=None):
    """Pre-train a network, or go on with it.

    Parameters
    ----------
    config : Config
        Its ``pretrain`` table.
    out : path-like
        Folder of ``pretrained.pt`` and the logs, made if it is missing.
    seed : int
    data : path-like, optional
        Image files, if the configuration trains on them.
    resume : bool
        Go on from the folder's checkpoint if there is one.
    progress : object, optional
        As for :func:`train.run.fit.fit`.

    Returns
    -------
    Checkpoint
        Whose network ``fit --init`` starts from.

    Raises
    ------
    CheckpointError, ValueError, DivergenceError, OSError
        As :func:`train.run.fit.fit`.
    """
    out = Path(out)
    path = out / PRETRAINED_CHECKPOINT
    progress = progress or Silent()
    settings = config.pretrain
    with alone_in(out, "training"):
        state = resumed(config, path, seed) if resume else None
        state = state or start(config, path, seed)
        split = load_split(config, data, state.classes)
        for line in split.lines:
            progress.phase(line)
        state.classes = split.classes
        run = _Run(state, split)
        with History(out, state.history) as history:
            while state.epoch < settings.epochs:
                row = run.epoch(state.epoch, progress.step)
                state.epoch += 1
                row = {"epoch": state.epoch, "phase": MASKED, **row}
                state.seconds += row["seconds"]
                state.history.append(row)
                run.write_to(state)
                checkpoints.save(state, path)
                history.write(state.history)
                progress.epoch(MASKED, state.epoch, settings.epochs, row["loss"])
    return state


class _Run:
    """Autoencoder in training."""

    def __init__(self, state, split):
        config = state.config
        settings = config.pretrain
        self._settings = settings
        self._seed = state.seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(state.seed)
            self._module = Autoencoder(
                state.build(), width=settings.decoder_width, depth=settings.decoder_depth
            )
        if state.decoder:
            with going_on():
                self._decoder().load_state_dict(state.decoder)
        self._loop = Loop(
            self._module,
            split.train_images,
            split.train_labels,
            settings=settings,
            data=config.data,
            seed=state.seed,
            processes=ALONE,
        )
        if state.optimizer:
            with going_on():
                self._loop.load_optimizer(state.optimizer)

    def epoch(self, number, step):
        """Train one epoch; returns what it measured."""
        masks = torch.Generator().manual_seed(self._seed * 1_000_003 + number + _MASKS)
        self._module.train()

        def loss(images, labels, passed):
            mask = draw_mask(len(images), self._module.grid, self._settings.mask, masks)
            with self._loop.precision():
                error = self._loop.parallel(images, mask)
            return error, {"loss": error}

        return self._loop.epoch(number, MASKED, self._rate, loss, step)

    def write_to(self, state):
        """Put the run's numbers into a checkpoint."""
        state.network = self._module.network.state_dict()
        state.decoder = self._decoder().state_dict()
        state.optimizer = self._loop.state()["optimizer"]

    def _rate(self, passed):
        settings = self._settings
        return rise_and_fall(passed / settings.epochs, settings.rate, settings.warmup)

    def _decoder(self):
        """Everything but the network."""
        return nn.ModuleDict({
            name: part for name, part in self._module.named_children() if name != "network"
        })
