"""Several processes that train one network: each takes a part of every batch."""

import os
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel


__all__ = ["ALONE", "Processes", "joined"]


@dataclass(frozen=True)
class Processes:
    """One process among those of a run.

    Parameters
    ----------
    rank : int
        From 0; the process of rank 0 writes files and reports progress.
    world : int
        Number of processes.
    device : torch.device
        Where the process computes.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def first(self):
        """Whether this process writes files and reports progress."""
        return self.rank == 0

    def rows(self, batch):
        """The process's part of something that has a row per image of the whole batch."""
        return batch[self.rank :: self.world]

    def weight(self, batch):
        """Factor of the process's mean loss, such that the mean of all is that of the batch."""
        return len(self.rows(batch)) * self.world / len(batch)

    def parallel(self, network):
        """Network whose gradients are the mean over all processes."""
        if self.world == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        # Batch norms keep their own statistics until merge_norms.
        return DistributedDataParallel(network, device_ids=devices, forward_sync_buffers=False)

    def merge_norms(self, network):
        """Give every process the batch-norm statistics of all.

        The mean is the mean of the means. The variance is the mean of the variances plus the
        variance of the means: that of the processes' images taken together.
        """
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                mean = self._mean(module.running_mean)
                module.running_var.add_((module.running_mean - mean).square())
                module.running_var.copy_(self._mean(module.running_var))
                module.running_mean.copy_(mean)

    def mean(self, value):
        """Mean of a number over all processes."""
        return float(self._mean(torch.tensor(value, dtype=torch.float64, device=self.device)))

    def _mean(self, values):
        """Mean of a tensor over all processes."""
        values = values.clone()
        if self.world > 1:
            distributed.all_reduce(values)
            values.div_(self.world)
        return values


ALONE = Processes(0, 1, torch.device("cpu"))


@contextmanager
def joined(device):
    """Join the processes that torchrun started; without torchrun this process is alone.

    Parameters
    ----------
    device : str
        ``cpu`` (processes talk through gloo) or ``cuda`` (through NCCL, one GPU per process).

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda needs a GPU that torch can use; pass --device cpu")
    index = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = torch.device("cuda", index) if device == "cuda" else torch.device("cpu")
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield Processes(0, 1, chosen)
        return
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size(), chosen)
    finally:
        distributed.destroy_process_group()
