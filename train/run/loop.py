"""Passes over the training images, whatever is learnt from them."""

import math
import time
from contextlib import nullcontext

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from train.data.augment import augment, draw
from train.data.pictures import TrainingPictures
from train.network.images import to_maps


__all__ = ["DivergenceError", "Loop"]


class DivergenceError(ArithmeticError):
    """A training run whose numbers are no longer finite; the message is one sentence.

    Parameters
    ----------
    phase : str
    epoch : int
        From 0.
    what : str
        Number that is not finite.
    """

    def __init__(self, phase, epoch, what):
        super().__init__(
            f"{phase} training diverged in epoch {epoch + 1}, where {what}; lower the rate of this "
            "phase or set clip in the configuration, and what was written before is as it was"
        )


class Loop:
    """A module in training, its optimizer and its moving average.

    Parameters
    ----------
    module : nn.Module
        On the device and of the type in which it is trained.
    images, labels
        To train on, as in :class:`train.data.sets.DataSplit`.
    settings : FitConfig or PretrainConfig
        Gives ``batch``, ``weight_decay``, ``clip`` and ``precision``.
    data : DataConfig
        How images are augmented.
    seed : int
    processes : Processes
        Those that share every batch.
    average : float
        Decay, per step, of the moving average of all parameters and statistics; 0 for none.
    computed : nn.Module, optional
        What computes with the parameters of ``module``, in its place.

    Raises
    ------
    ValueError
        If a batch is smaller than all processes need or larger than the training set.
    """

    def __init__(
        self, module, images, labels, *, settings, data, seed, processes, average=0.0, computed=None
    ):
        if not 2 * processes.world <= settings.batch <= len(images):
            raise ValueError(
                f"batch must be at least 2 images of each of {processes.world} processes and at "
                f"most the {len(images)} training images, not {settings.batch}"
            )
        self.module = module
        self.parallel = processes.parallel(module if computed is None else computed)
        self._images = images
        self._labels = torch.from_numpy(labels)
        self._settings = settings
        self._data = data
        self._seed = seed
        self._processes = processes
        self.restart()
        self._decay = average
        self._average = self._new_average()

    def restart(self):
        """Begin with a new optimizer: AdamW that decays kernels alone, which have several axes."""
        kernels = [p for p in self.module.parameters() if p.dim() > 1]
        others = [p for p in self.module.parameters() if p.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": kernels, "weight_decay": self._settings.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=0.0,
            fused=True,
        )

    def state(self):
        """Optimizer and average as a checkpoint keeps them."""
        return {
            "optimizer": self._optimizer.state_dict(),
            "average": self._average.state_dict() if self._average else {},
        }

    def load_optimizer(self, state):
        """Go on with an earlier optimizer."""
        self._optimizer.load_state_dict(state)

    def load_average(self, state):
        """Go on with an earlier average."""
        self._average.load_state_dict(state)

    def epoch(self, number, phase, rate, loss, step=None):
        """Train one epoch.

        Parameters
        ----------
        number : int
            From 0; order and augmentation of the images depend on it and on the seed.
        phase : str
            Named where the training diverges.
        rate : function of float
            Learning rate after a number of epochs.
        loss : function of (images, labels, float)
            Value to differentiate after a number of epochs, and what to report of it: a dict of
            float tensors.
        step : function of (int, int), optional
            Called with the number of batches done and their total.

        Returns
        -------
        dict
            ``rate`` at the end, ``seconds``, and the mean of all that ``loss`` reports.

        Raises
        ------
        DivergenceError
            If the loss of a step, or a parameter or statistic at the end, is not finite.
        """
        began = time.perf_counter()
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + number)
        batches = self._batches(generator)
        sums = {}
        for index, batch in enumerate(batches):
            passed = number + (index + 0.5) / len(batches)
            last_rate = rate(passed)
            images, labels = self._prepare(batch, generator)
            value, report = loss(images, labels, passed)
            if not math.isfinite(found := float(value.detach())):
                raise DivergenceError(
                    phase,
                    number,
                    f"the loss of step {index + 1} of {len(batches)} is {found:g}, "
                    f"at a learning rate of {last_rate:g}",
                )
            for name, found in report.items():
                sums[name] = sums.get(name, 0.0) + float(found.detach())
            self._step(value * self._processes.weight(batch), last_rate)
            if step is not None:
                step(index + 1, len(batches))
        for module in filter(None, (self.module, self._average)):
            self._processes.merge_norms(module)
            for name, values in module.state_dict().items():
                if not values.isfinite().all():
                    raise DivergenceError(phase, number, f"{name} is no longer finite")
        means = {name: self._processes.mean(total / len(batches)) for name, total in sums.items()}
        return {"rate": last_rate, "seconds": time.perf_counter() - began, **means}

    def adopt_average(self):
        """Put the average in the place of the module, if there is one, and begin another."""
        if self._average:
            self.module.load_state_dict(self._average.module.state_dict())
            self._average = self._new_average()

    def precision(self):
        """Context in which the module computes."""
        if self._settings.precision != "bfloat16":
            return nullcontext()
        return torch.autocast(self._processes.device.type, torch.bfloat16)

    def _batches(self, generator):
        """Indices of each batch; the last may be smaller."""
        order = torch.randperm(len(self._images), generator=generator)
        batches = order.split(self._settings.batch)
        # A process with one image has no batch statistics.
        return [batch for batch in batches if len(batch) >= 2 * self._processes.world]

    def _prepare(self, batch, generator):
        """The process's augmented images of a batch, and their labels."""
        rows = self._processes.rows
        draws = rows(draw(len(batch), generator))
        mine = rows(batch)
        if isinstance(self._images, TrainingPictures):
            pixels = self._images.random_crops(mine.numpy(), rows(draw(len(batch), generator)))
        else:
            pixels = self._images[mine.numpy()]
        images = augment(to_maps(pixels), draws, self._data)
        parameter = next(self.module.parameters())
        return images.to(parameter), self._labels[mine].to(parameter.device)

    def _step(self, loss, rate):
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self._settings.clip:
            torch.nn.utils.clip_grad_norm_(self.module.parameters(), self._settings.clip)
        self._optimizer.step()
        if self._average:
            self._average.update_parameters(self.module)

    def _new_average(self):
        """Moving average of the module as it is now, or ``None``."""
        if not self._decay:
            return None
        return AveragedModel(
            self.module, multi_avg_fn=get_ema_multi_avg_fn(self._decay), use_buffers=True
        )
