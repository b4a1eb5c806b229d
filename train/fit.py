"""Training: the float SFA network first, then the same network with quantised weights.

A run depends on nothing but configuration, seed and number of threads. Every epoch draws from a
generator of its own, so a resumed run continues bit for bit.
"""

import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import golden
from train import checkpoint as checkpoints
from train.arithmetic import FloatArithmetic
from train.augment import augment, draw
from train.checkpoint import Checkpoint, CheckpointError
from train.config import CHECKPOINT, FLOAT_CHECKPOINT
from train.data import load_split
from train.fold import integer_model
from train.model import ESpikeFormer, to_maps
from train.pictures import Pictures
from train.quantise import QuantisedArithmetic, find_grids


__all__ = ["fit", "float_accuracy", "measure"]


#: Held-back images that the network sees at a time.
_EVALUATED = 250


class _Silent:
    """Progress that nobody watches."""

    def epoch(self, phase, done, total, loss):
        """Called after each epoch."""

    def phase(self, sentence):
        """Called at the end of each phase."""


def fit(config, out, *, seed, data=None, resume=False, progress=None):
    """Train a network, or go on training it.

    Parameters
    ----------
    config : Config
    out : path-like
        Folder of the checkpoints, made if it is missing.
    seed : int
    data : path-like, optional
        Image files, if the configuration trains on them.
    resume : bool
        Go on from the folder's checkpoint if there is one.
    progress : object, optional
        With methods ``epoch(phase, done, total, loss)`` and ``phase(sentence)``.

    Returns
    -------
    Checkpoint
        Of the last epoch, with the accuracies on the held-back images.

    Raises
    ------
    CheckpointError
        If the folder's checkpoint is there without ``resume``, or is of another run.
    OSError
        If a checkpoint cannot be written.
    """
    out = Path(out)
    progress = progress or _Silent()
    state = _start(config, out / CHECKPOINT, seed=seed, resume=resume)
    split = load_split(config, data)
    out.mkdir(parents=True, exist_ok=True)
    run = _Run(state, split)
    total = config.fit.float_epochs + config.fit.quantised_epochs
    while run.epoch < total:
        phase, loss = run.train_epoch()
        state = run.state()
        if run.epoch == config.fit.float_epochs:
            state.accuracy["float"] = float_accuracy(run.network, split)
            checkpoints.save(state, out / FLOAT_CHECKPOINT)
            progress.phase(f"float SFA: {state.accuracy['float']:.2%} of the test images")
        if run.epoch == total:
            state.accuracy |= measure(state, split)
            progress.phase(f"integer model: {state.accuracy['golden']:.2%}")
        checkpoints.save(state, out / CHECKPOINT)
        progress.epoch(phase, run.epoch, total, loss)
    return state


def float_accuracy(network, split):
    """Part of the held-back images that the float network classifies rightly, 0 to 1."""
    training = network.training
    network.eval()
    with torch.no_grad():
        right = sum(
            int((network(to_maps(images)).argmax(1).numpy() == labels).sum())
            for images, labels in _test_batches(split)
        )
    network.train(training)
    return right / len(split.test_labels)


def measure(state, split, rounding=None):
    """Accuracies of the quantised network and of the integer model, both 0 to 1.

    Parameters
    ----------
    state : Checkpoint
        Of the quantised phase.
    split : DataSplit
    rounding : Rounding, optional
        In place of the trained rule.

    Returns
    -------
    dict of str to float
        ``quantised`` and ``golden``.
    """
    quantised = state.quantised(rounding)
    model = integer_model(quantised, name=state.config.name)
    right = {"quantised": 0, "golden": 0}
    for images, labels in _test_batches(split):
        for side, logits in (
            ("quantised", quantised.run(images)["logits"]), ("golden", golden.run(model, images).logits)
        ):
            right[side] += int((golden.classify(logits) == labels).sum())
    return {side: number / len(split.test_labels) for side, number in right.items()}


def _test_batches(split):
    """Held-back images and their labels, some at a time."""
    for first in range(0, len(split.test_labels), _EVALUATED):
        part = slice(first, first + _EVALUATED)
        yield split.test_images[part], split.test_labels[part]


def _start(config, path, *, seed, resume):
    """Checkpoint to go on from: the folder's, or a new one of epoch 0."""
    if not path.exists():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = ESpikeFormer(config.network)
        return Checkpoint(
            config=config, seed=seed, epoch=0, network=network.state_dict(), optimizer={}
        )
    if not resume:
        raise CheckpointError(
            f"{path}: already there, so pass --resume to go on or choose another folder"
        )
    state = checkpoints.load(path)
    if state.seed != seed:
        raise CheckpointError(f"{path}: seed must be {state.seed} to go on, not {seed}")
    if state.config != config:
        raise CheckpointError(f"{path}: made with another configuration, so it cannot go on")
    return state


class _AdditionMeter:
    """Additions that the spikes of a batch cause, over those of one spike at every input."""

    def __init__(self, max_count):
        self._max_count = max_count
        self._spent = 0.0
        self._dense = 0

    def __call__(self, spikes, weight, outputs):
        """Count one convolution, as if no tap fell on padding."""
        dense = weight.numel() * outputs.shape[2] * outputs.shape[3]
        self._spent = self._spent + spikes.mean() * (self._max_count * dense)
        self._dense += dense

    def take(self):
        """Ratio since the last call; the loss can be differentiated through it."""
        ratio = self._spent / self._dense
        self._spent, self._dense = 0.0, 0
        return ratio


class _Run:
    """A network in training."""

    def __init__(self, state, split):
        self.config = state.config
        self.seed = state.seed
        self.epoch = state.epoch
        self.grids = state.grids
        self.network = state.build()
        self._accuracy = dict(state.accuracy)
        self._seconds = state.seconds
        self._images = split.train_images
        self._labels = torch.from_numpy(split.train_labels)
        self._optimizer = self._new_optimizer()
        # The first quantised epoch starts with a new optimizer.
        if state.optimizer and state.epoch != self.config.fit.float_epochs:
            self._optimizer.load_state_dict(state.optimizer)

    def state(self):
        """Checkpoint of this moment."""
        return Checkpoint(
            config=self.config, seed=self.seed, epoch=self.epoch,
            network=self.network.state_dict(), optimizer=self._optimizer.state_dict(),
            grids=self.grids, seconds=self._seconds, accuracy=self._accuracy,
        )

    def train_epoch(self):
        """Train one epoch; returns the phase and the mean loss."""
        began = time.perf_counter()
        phase = self._begin_epoch()
        meter = _AdditionMeter(self.config.network.max_count)
        arithmetic = self._arithmetic(phase, meter)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self._images), generator=generator)
        batches = order.split(self.config.fit.batch)
        # A last batch of one image has no batch statistics.
        batches = [batch for batch in batches if len(batch) > 1]
        total = 0.0
        for step, batch in enumerate(batches):
            self._set_rate(phase, (step + 0.5) / len(batches))
            draws = draw(len(batch), generator)
            images = augment(self._pixels(batch, generator), draws, self.config.data)
            loss = F.cross_entropy(
                self.network(images, arithmetic), self._labels[batch],
                label_smoothing=self.config.fit.label_smoothing,
            )
            total += float(loss.detach())
            loss = loss + self.config.fit.spike_penalty * meter.take()
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
        self.epoch += 1
        self._seconds += time.perf_counter() - began
        return phase, total / len(batches)

    def _pixels(self, batch, generator):
        """Images of a batch before augmentation."""
        if isinstance(self._images, Pictures):
            return to_maps(self._images.random_crops(batch, generator))
        return to_maps(self._images[batch.numpy()])

    def _begin_epoch(self):
        """Phase of the coming epoch, with grids and batch norms as it needs them."""
        schedule = self.config.fit
        total = schedule.float_epochs + schedule.quantised_epochs
        self.network.train()
        if self.epoch < schedule.float_epochs:
            return "float"
        if self.epoch == schedule.float_epochs:
            self._optimizer = self._new_optimizer()
        frozen = self.epoch >= total - schedule.frozen_epochs
        if self.grids is None or self.epoch <= total - schedule.frozen_epochs:
            self.grids = find_grids(self.network, self.config.quantise)
        if frozen:
            for module in self.network.modules():
                if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return "quantised"

    def _arithmetic(self, phase, meter):
        shape = self.config.network
        if phase == "float":
            return FloatArithmetic(
                max_count=shape.max_count, rounding=shape.rounding, meter=meter
            )
        return QuantisedArithmetic(
            self.grids, weight_bits=self.config.quantise.weight_bits,
            max_count=shape.max_count, rounding=shape.rounding, meter=meter,
        )

    def _new_optimizer(self):
        """AdamW that decays kernels alone: biases and batch norms have one axis."""
        kernels = [p for p in self.network.parameters() if p.dim() > 1]
        others = [p for p in self.network.parameters() if p.dim() == 1]
        return torch.optim.AdamW([
            {"params": kernels, "weight_decay": self.config.fit.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ], lr=0.0, fused=True)

    def _set_rate(self, phase, part):
        """Linear rise, then a cosine to 0, within the phase."""
        schedule = self.config.fit
        if phase == "float":
            done, epochs, peak = self.epoch, schedule.float_epochs, schedule.float_rate
        else:
            done = self.epoch - schedule.float_epochs
            epochs, peak = schedule.quantised_epochs, schedule.quantised_rate
        passed = (done + part) / epochs
        if passed < schedule.warmup:
            rate = peak * passed / schedule.warmup
        else:
            passed = (passed - schedule.warmup) / (1 - schedule.warmup)
            rate = peak * (1 + math.cos(math.pi * passed)) / 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate
