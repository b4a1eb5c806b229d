"""A network in training: its phases, losses and grids, one epoch after another."""

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from train.interpret.find import find_grids
from train.interpret.float_run import FloatRun, QuantisedRun
from train.interpret.meters import AdditionMeter, MeanMeter
from train.network.build import layered
from train.network.images import to_maps
from train.run.contents import going_on
from train.run.loop import DivergenceError, Loop
from train.run.schedule import FLOAT, FROZEN, QUANTISED, Schedule


__all__ = ["Training"]


class Training:
    """State of a run in memory.

    Parameters
    ----------
    state : Checkpoint
        To go on from.
    images, labels
        To train on, as in :class:`train.data.sets.DataSplit`.
    processes : Processes
        Those that share every batch.
    teacher : Teacher, optional
        Whose scores are learnt besides the labels.
    """

    def __init__(self, state, images, labels, processes, teacher=None):
        fit = state.config.fit
        self.epoch = state.epoch
        self._state = state
        self._config = state.config
        self._schedule = Schedule(fit)
        self._teacher = teacher and teacher.to(processes.device)
        self._grids = state.grids and state.grids.to(processes.device)
        dtype = torch.float64 if fit.precision == "float64" else torch.float32
        self.network = state.build().to(processes.device, dtype)
        self._layered = layered(self.network)
        self._loop = Loop(
            self.network,
            images,
            labels,
            settings=fit,
            data=state.config.data,
            seed=state.seed,
            processes=processes,
            average=fit.average,
            computed=self._layered,
        )
        with going_on():
            # The first quantised epoch starts with a new optimizer.
            if state.optimizer and state.epoch != self._schedule.end(FLOAT):
                self._loop.load_optimizer(state.optimizer)
            if state.average:
                self._loop.load_average(state.average)

    def state(self):
        """Checkpoint of this moment."""
        return replace(
            self._state,
            epoch=self.epoch,
            network=self.network.state_dict(),
            grids=self._grids and self._grids.to("cpu"),
            **self._loop.state(),
        )

    def train_epoch(self, step=None):
        """Train one epoch.

        Parameters
        ----------
        step : function of (int, int), optional
            Called with the number of batches done and their total.

        Returns
        -------
        dict
            ``epoch``, ``phase``, ``rate`` (at the end), mean ``loss``, ``additions`` (over those of
            one spike at every input) and ``seconds``.
        """
        phase = self._begin_epoch()
        code = self._config.fit.addition_code
        meter = MeanMeter() if code is None else AdditionMeter(self._layered, code)
        run = self._run(phase, meter)
        found = self._loop.epoch(
            self.epoch,
            phase,
            self._schedule.rate,
            lambda images, labels, passed: self._loss(images, labels, passed, run),
            step,
        )
        self.epoch += 1
        if self.epoch == self._schedule.end(phase):
            self.end_phase(phase)
        return {"epoch": self.epoch, "phase": phase, **found}

    def end_phase(self, phase):
        """Go to the first epoch after a phase, with the averaged network if there is one."""
        self.epoch = self._schedule.end(phase)
        self._loop.adopt_average()

    @torch.no_grad()
    def validate(self, batches):
        """Mean loss and accuracy on images that are not trained on.

        Parameters
        ----------
        batches : iterable of (images, labels)

        Returns
        -------
        dict
            ``validation_loss`` and ``validation_accuracy``.

        Raises
        ------
        DivergenceError
            If the loss is not finite.
        """
        self.network.eval()
        phase = self._schedule.phase(self.epoch - 1)
        run = self._run(phase)
        loss, right, number = 0.0, 0, 0
        for images, labels in batches:
            maps = to_maps(images).to(next(self.network.parameters()))
            scores = self._layered(maps, run).cpu()
            expected = torch.from_numpy(labels)
            loss += float(F.cross_entropy(scores, expected, reduction="sum"))
            right += int((scores.argmax(1) == expected).sum())
            number += len(labels)
        if not math.isfinite(loss):
            raise DivergenceError(
                phase, self.epoch - 1, f"the loss of the validation images is {loss:g}"
            )
        return {"validation_loss": loss / number, "validation_accuracy": right / number}

    def _loss(self, images, labels, passed, run):
        """Loss of a batch with the penalty for additions, and what to report."""
        fit = self._config.fit
        with self._loop.precision():
            scores = self._loop.parallel(images, run)
        scores = scores.to(images.dtype)
        loss = F.cross_entropy(scores, labels, label_smoothing=fit.label_smoothing)
        if self._teacher is not None:
            taught = self._teacher.loss(images, scores, fit.temperature)
            loss = torch.lerp(loss, taught, fit.teacher_weight)
        additions = run.meter.take()
        penalty = self._schedule.penalty(passed)
        return loss + penalty * additions, {"loss": loss, "additions": additions}

    def _begin_epoch(self):
        """Phase of the coming epoch, with grids and batch norms as it needs them."""
        schedule = self._schedule
        phase = schedule.phase(self.epoch)
        self.network.train()
        if phase == FLOAT:
            return phase
        if self.epoch == schedule.end(FLOAT):
            self._loop.restart()
        if self._grids is None or self.epoch <= schedule.end(QUANTISED):
            self._grids = find_grids(self._layered, self._config.quantise)
        if phase == FROZEN:
            for module in self.network.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return phase

    def _run(self, phase, meter=None):
        """How the network computes in a phase."""
        if phase == FLOAT:
            return FloatRun(meter=meter)
        bits = self._config.quantise.weight_bits
        return QuantisedRun(self._grids, weight_bits=bits, meter=meter)
