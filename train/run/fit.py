"""A training run: the float SFA network first, then the same network with quantised weights.

A run depends on nothing but configuration, seed, starting weights and number of threads. Every
epoch draws from a generator of its own, so a resumed run continues bit for bit.
"""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from golden.data.lock import alone_in
from train.data.sets import load_split
from train.network.build import build, count_parameters
from train.run import checkpoint as checkpoints
from train.run.checkpoint import Checkpoint, CheckpointError
from train.run.config import CHECKPOINT, FLOAT_CHECKPOINT, ConfigError
from train.run.evaluate import batches, float_accuracy, measure
from train.run.history import History
from train.run.initial import load_weights
from train.run.processes import ALONE
from train.run.schedule import FLOAT, FROZEN, Schedule
from train.run.training import Training


__all__ = ["Silent", "fit", "resumed", "start"]


#: Most parameters of a network: 4 GiB of numbers.
MOST_PARAMETERS = 2**30


class Silent:
    """Progress that nobody watches."""

    def step(self, done, total):
        """Called after each batch, with numbers of batches of the epoch."""

    def epoch(self, phase, done, total, loss):
        """Called after each epoch."""

    def phase(self, sentence):
        """Called at the end of each phase, and where a user should know something."""


def fit(
    config,
    out,
    *,
    seed,
    data=None,
    init=None,
    entry=None,
    teacher=None,
    resume=False,
    processes=ALONE,
    progress=None,
):
    """Train a network, or go on training it.

    Parameters
    ----------
    config : Config
    out : path-like
        Folder of the checkpoints and logs, made if it is missing.
    seed : int
    data : path-like, optional
        Image files, if the configuration trains on them.
    init, entry : path-like and str, optional
        Weights to start from, see :func:`train.run.initial.load_weights`.
    teacher : Teacher, optional
        Whose scores are learnt besides the labels.
    resume : bool
        Go on from the folder's checkpoint if there is one.
    processes : Processes
        Those that share every batch.
    progress : object, optional
        With methods ``step(done, total)``, ``epoch(phase, done, total, loss)`` and
        ``phase(sentence)``.

    Returns
    -------
    Checkpoint
        Of the last epoch, with the accuracies on the test set.

    Raises
    ------
    CheckpointError
        If the folder's checkpoint is there without ``resume``, or is of another run; or if ``init``
        does not fit the network.
    ValueError
        If another process trains into the folder.
    DivergenceError
        If the numbers of the run are no longer finite; the last checkpoint stays.
    OSError
        If a file cannot be read or written.
    """
    out = Path(out)
    progress = progress or Silent()
    with alone_in(out, "training") if processes.first else nullcontext():
        state = resumed(config, out / CHECKPOINT, seed) if resume else None
        if state is None:
            if not config.fit.float_epochs and init is None:
                raise CheckpointError(
                    "a run without float epochs needs weights, so pass --init CHECKPOINT"
                )
            state = start(config, out / CHECKPOINT, seed, init, progress, entry)
        split = load_split(config, data, state.classes)
        for line in split.lines:
            progress.phase(line)
        state = replace(state, classes=split.classes)
        split = split.with_validation(config.data.validation, seed)
        run = _Run(state, split, out, processes, teacher, progress)
        with run.history:
            while run.training.epoch < run.schedule.total:
                run.epoch()
        return run.state


class _Run:
    """Epochs, and what is measured and written between them."""

    def __init__(self, state, split, out, processes, teacher, progress):
        self.state = state
        self.schedule = Schedule(state.config.fit)
        self.training = Training(state, split.train_images, split.train_labels, processes, teacher)
        self.history = History(out, state.history) if processes.first else nullcontext()
        self._split = split
        self._out = out
        self._first = processes.first
        self._progress = progress

    def epoch(self):
        """Train an epoch, look at the validation images, and write everything down."""
        row = self.training.train_epoch(self._progress.step)
        row |= self._validate()
        history = [*self.state.history, row]
        if self._waited_enough(row["phase"], history):
            self._progress.phase(
                f"{row['phase']} training stops early: no better for "
                f"{self.state.config.fit.patience} epochs"
            )
            self.training.end_phase(row["phase"])
        self.state = replace(
            self.training.state(), history=history, seconds=self.state.seconds + row["seconds"]
        )
        if self._first:
            self._measure(row["phase"])
            checkpoints.save(self.state, self._out / CHECKPOINT)
            self.history.write(self.state.history)
            self._progress.epoch(
                row["phase"], self.training.epoch, self.schedule.total, row["loss"]
            )

    def _validate(self):
        """Loss and accuracy on the validation images, if there are any."""
        if not len(self._split.validation_labels):
            return {}
        return self.training.validate(
            batches(self._split.validation_images, self._split.validation_labels)
        )

    def _waited_enough(self, phase, history):
        """Whether a phase has not become better for as long as the configuration is patient."""
        patience = self.state.config.fit.patience
        if not patience or phase == FROZEN:
            return False
        losses = [row["validation_loss"] for row in history if row["phase"] == phase]
        best = losses.index(min(losses))
        return len(losses) - 1 - best >= patience

    def _measure(self, phase):
        """Accuracies on the test set, at the ends of float training and of the run."""
        if phase == FLOAT and self.training.epoch == self.schedule.end(FLOAT):
            accuracy = float_accuracy(self.training.network, self._split)
            self.state.accuracy["float"] = accuracy
            checkpoints.save(self.state, self._out / FLOAT_CHECKPOINT)
            self._progress.phase(f"float SFA: {accuracy:.2%} of the test images")
        if phase != FLOAT and self.training.epoch == self.schedule.total:
            self.state.accuracy |= measure(self.state, self._split)
            self._progress.phase(f"integer model: {self.state.accuracy['golden']:.2%}")


def start(config, path, seed, init=None, progress=None, entry=None):
    """Checkpoint of epoch 0.

    Parameters
    ----------
    config : Config
    path : Path
        Where the run's checkpoint will be written; there must be none.
    seed : int
    init : path-like, optional
        Weights to start from.
    progress : object, optional
        Told what is taken from ``init`` and what is not.
    entry : str, optional
        Entry of ``init`` to take.

    Returns
    -------
    Checkpoint
    """
    if path.exists():
        raise CheckpointError(
            f"{path}: already there, so pass --resume to go on or choose another folder"
        )
    with torch.device("meta"):
        parameters = count_parameters(build(config.network))
    if parameters > MOST_PARAMETERS:
        raise ConfigError(
            f"the network must have at most {MOST_PARAMETERS:,} parameters, not "
            f"{parameters:,}: lower dims, depths, ratio or expansions"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(config.network)
    accuracy = {}
    if init is not None:
        for line in load_weights(network, init, entry):
            progress.phase(line)
        if not config.fit.float_epochs:
            accuracy = _float_accuracy_of(init)
    return Checkpoint(
        config=config,
        seed=seed,
        epoch=0,
        network=network.state_dict(),
        optimizer={},
        accuracy=accuracy,
    )


def _float_accuracy_of(path):
    """What one of our runs found at the end of its float phase, if ``path`` is of one."""
    try:
        found = checkpoints.load(path).accuracy
    except CheckpointError:
        return {}
    return {kind: value for kind, value in found.items() if kind == FLOAT}


def resumed(config, path, seed):
    """Checkpoint of a folder to go on from, or ``None`` if there is none yet.

    Parameters
    ----------
    config : Config
    path : Path
    seed : int

    Returns
    -------
    Checkpoint or None

    Raises
    ------
    CheckpointError
        If it is of another run.
    """
    if not path.exists():
        return None
    state = checkpoints.load(path)
    if state.seed != seed:
        raise CheckpointError(f"{path}: seed must be {state.seed} to go on, not {seed}")
    if state.config != config:
        raise CheckpointError(f"{path}: made with another configuration, so it cannot go on")
    return state
