"""A network in training: one epoch after another."""

import time
from contextlib import nullcontext
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from train.arithmetic import FloatArithmetic
from train.augment import augment, draw
from train.model import to_maps
from train.pictures import Pictures
from train.quantise import QuantisedArithmetic, find_grids
from train.schedule import FLOAT, FROZEN, QUANTISED, Schedule


__all__ = ["Training"]


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


class Training:
    """State of a run in memory.

    Parameters
    ----------
    state : Checkpoint
        To go on from.
    images, labels
        To train on, as in :class:`train.data.DataSplit`.
    processes : Processes
        Those that share every batch.
    teacher : Teacher, optional
        Whose scores are learnt besides the labels.
    """

    def __init__(self, state, images, labels, processes, teacher=None):
        self.epoch = state.epoch
        self._state = state
        self._config = state.config
        self._schedule = Schedule(state.config.fit)
        self._processes = processes
        self._teacher = teacher and teacher.to(processes.device)
        self._images = images
        self._labels = torch.from_numpy(labels)
        dtype = torch.float64 if state.config.fit.precision == "float64" else torch.float32
        self.network = state.build().to(processes.device, dtype)
        self._parallel = processes.parallel(self.network)
        self._grids = state.grids
        self._average = self._new_average()
        if state.average:
            self._average.load_state_dict(state.average)
        self._optimizer = self._new_optimizer()
        # The first quantised epoch starts with a new optimizer.
        if state.optimizer and state.epoch != self._schedule.end(FLOAT):
            self._optimizer.load_state_dict(state.optimizer)

    def state(self):
        """Checkpoint of this moment."""
        return replace(
            self._state, epoch=self.epoch, network=self.network.state_dict(),
            optimizer=self._optimizer.state_dict(), grids=self._grids,
            average=self._average.state_dict() if self._average else {},
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
        began = time.perf_counter()
        phase = self._begin_epoch()
        arithmetic, meter = self._arithmetic(phase)
        generator = torch.Generator().manual_seed(self._state.seed * 1_000_003 + self.epoch)
        batches = self._batches(generator)
        losses, ratios = 0.0, 0.0
        for index, batch in enumerate(batches):
            rate = self._schedule.rate(self.epoch + (index + 0.5) / len(batches))
            images, labels = self._prepare(batch, generator)
            loss, ratio = self._loss(images, labels, arithmetic, meter)
            losses += float(loss.detach())
            ratios += float(ratio.detach())
            loss = loss + self._config.fit.spike_penalty * ratio
            self._step(loss * self._processes.weight(batch), rate)
            if step is not None:
                step(index + 1, len(batches))
        self.epoch += 1
        self._processes.merge_norms(self.network)
        if self._average:
            self._processes.merge_norms(self._average)
        if self.epoch == self._schedule.end(phase):
            self.end_phase(phase)
        return {
            "epoch": self.epoch, "phase": phase, "rate": rate,
            "loss": self._processes.mean(losses / len(batches)),
            "additions": self._processes.mean(ratios / len(batches)),
            "seconds": time.perf_counter() - began,
        }

    def end_phase(self, phase):
        """Go to the first epoch after a phase, with the averaged network if there is one."""
        self.epoch = self._schedule.end(phase)
        if self._average:
            self.network.load_state_dict(self._average.module.state_dict())
            self._average = self._new_average()

    @torch.no_grad()
    def validate(self, batches):
        """Mean loss and accuracy on images that are not trained on.

        Parameters
        ----------
        batches : iterable of (images, labels)
        """
        self.network.eval()
        arithmetic, _ = self._arithmetic(self._schedule.phase(self.epoch - 1))
        loss, right, number = 0.0, 0, 0
        for images, labels in batches:
            scores = self.network(to_maps(images).to(self._first()), arithmetic).cpu()
            expected = torch.from_numpy(labels)
            loss += float(F.cross_entropy(scores, expected, reduction="sum"))
            right += int((scores.argmax(1) == expected).sum())
            number += len(labels)
        return {"validation_loss": loss / number, "validation_accuracy": right / number}

    def _first(self):
        return next(self.network.parameters())

    def _batches(self, generator):
        """Indices of each batch; the last may be smaller."""
        order = torch.randperm(len(self._images), generator=generator)
        batches = order.split(self._config.fit.batch)
        # A process with one image has no batch statistics.
        return [batch for batch in batches if len(batch) >= 2 * self._processes.world]

    def _prepare(self, batch, generator):
        """The process's augmented images of a batch, and their labels."""
        rows = self._processes.rows
        draws = rows(draw(len(batch), generator))
        mine = rows(batch)
        if isinstance(self._images, Pictures):
            pixels = self._images.random_crops(mine.numpy(), rows(draw(len(batch), generator)))
        else:
            pixels = self._images[mine.numpy()]
        images = augment(to_maps(pixels), draws, self._config.data)
        return images.to(self._first()), self._labels[mine].to(self._processes.device)

    def _loss(self, images, labels, arithmetic, meter):
        """Loss of a batch without the penalty for additions, and those additions."""
        fit = self._config.fit
        with self._precision():
            scores = self._parallel(images, arithmetic)
        scores = scores.to(self._first().dtype)
        loss = F.cross_entropy(scores, labels, label_smoothing=fit.label_smoothing)
        if self._teacher is not None:
            taught = self._teacher.loss(images, scores, fit.temperature)
            loss = torch.lerp(loss, taught, fit.teacher_weight)
        return loss, meter.take()

    def _step(self, loss, rate):
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self._config.fit.clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._config.fit.clip)
        self._optimizer.step()
        if self._average:
            self._average.update_parameters(self.network)

    def _begin_epoch(self):
        """Phase of the coming epoch, with grids and batch norms as it needs them."""
        schedule = self._schedule
        phase = schedule.phase(self.epoch)
        self.network.train()
        if phase == FLOAT:
            return phase
        if self.epoch == schedule.end(FLOAT):
            self._optimizer = self._new_optimizer()
        if self._grids is None or self.epoch <= schedule.end(QUANTISED):
            self._grids = find_grids(self.network, self._config.quantise)
        if phase == FROZEN:
            for module in self.network.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return phase

    def _arithmetic(self, phase):
        shape = self._config.network
        meter = _AdditionMeter(shape.max_count)
        if phase == FLOAT:
            return FloatArithmetic(
                max_count=shape.max_count, rounding=shape.rounding, meter=meter
            ), meter
        return QuantisedArithmetic(
            self._grids, weight_bits=self._config.quantise.weight_bits,
            max_count=shape.max_count, rounding=shape.rounding, meter=meter,
        ), meter

    def _precision(self):
        """Context in which the network computes."""
        if self._config.fit.precision != "bfloat16":
            return nullcontext()
        return torch.autocast(self._processes.device.type, torch.bfloat16)

    def _new_average(self):
        """Moving average of all parameters and statistics, or ``None``."""
        decay = self._config.fit.average
        if not decay:
            return None
        return AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True
        )

    def _new_optimizer(self):
        """AdamW that decays kernels alone: biases and batch norms have one axis."""
        kernels = [p for p in self.network.parameters() if p.dim() > 1]
        others = [p for p in self.network.parameters() if p.dim() == 1]
        return torch.optim.AdamW([
            {"params": kernels, "weight_decay": self._config.fit.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ], lr=0.0, fused=True)
