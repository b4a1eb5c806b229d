"""Training in several processes, started as users start them: with torchrun."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.training import run_config, to_toml
from train.run import checkpoint
from train.run.config import CHECKPOINT, FLOAT_CHECKPOINT
from train.run.fit import fit


#: Largest difference that a step may add to a parameter: processes add gradients in another order,
#: and float64 has 53 bits. The README and docs/training.md promise it.
BOUND_PER_STEP = 1e-12

IMAGES = 1437
BATCH = 64

#: Starts two processes that find each other by number: what the machine is called, and whether
#: that name can be looked up, is no matter of training.
LAUNCH = ("torch.distributed.run", "--standalone", "--nproc-per-node=2", "--local-addr=127.0.0.1")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


def write_config(path, **changes):
    path.write_text(to_toml(run_config(batch=BATCH, **changes)))
    return path


def command(config, out, *options, processes=2):
    return [
        sys.executable,
        "-m",
        *((*LAUNCH, "-m") if processes > 1 else ()),
        "train",
        "fit",
        "--config",
        str(config),
        "--out",
        str(out),
        "--seed",
        "0",
        *options,
    ]


def run(*arguments, **options):
    done = subprocess.run(
        command(*arguments, **options), capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Float weights to start from."""
    folder = tmp_path_factory.mktemp("weights")
    fit(run_config(), folder, seed=0)
    return str(folder / FLOAT_CHECKPOINT)


def test_two_processes_give_the_parameters_of_one(tmp_path, weights):
    epochs = 2
    config = write_config(
        tmp_path / "c.toml",
        float_epochs=0,
        quantised_epochs=epochs,
        frozen_epochs=epochs,
        precision="float64",
    )
    run(config, tmp_path / "one", "--init", weights, processes=1)
    run(config, tmp_path / "two", "--init", weights)
    one, two = (checkpoint.load(tmp_path / name / CHECKPOINT) for name in ("one", "two"))
    start = checkpoint.load(weights).network
    bound = BOUND_PER_STEP * epochs * -(-IMAGES // BATCH)
    for name, expected in one.network.items():
        assert (two.network[name] - expected).abs().max() <= bound, name
        if name.endswith(".weight") and expected.dim() > 1:
            assert not torch.equal(expected, start[name].double()), name
    assert one.grids.exponents == two.grids.exponents
    assert one.accuracy == two.accuracy


def test_statistics_of_two_processes_are_those_of_all_images(tmp_path):
    """The processes see odd and even images; the merged statistics differ from either alone."""
    script = tmp_path / "merge.py"
    script.write_text("""
import torch
from torch import nn
from train.run.processes import joined
with joined("cpu") as processes:
    norm = nn.BatchNorm1d(1, momentum=1.0).double()
    images = torch.arange(10, dtype=torch.float64)[:, None] ** 2
    norm(processes.rows(images))
    processes.merge_norms(norm)
    means = [images[part::2].mean() for part in (0, 1)]
    variances = [images[part::2].var() for part in (0, 1)]
    mean = sum(means) / 2
    variance = sum(variances) / 2 + sum((m - mean) ** 2 for m in means) / 2
    assert norm.running_mean.item() == mean.item(), norm.running_mean
    assert abs(norm.running_var.item() - variance.item()) < 1e-9, norm.running_var
    assert processes.mean(processes.rank) == 0.5
    assert processes.weight(torch.arange(5)) == (1.2 if processes.first else 0.8)
""")
    subprocess.run(
        [sys.executable, "-m", *LAUNCH, str(script)],
        check=True,
        env=ENVIRONMENT | {"PYTHONPATH": str(Path.cwd())},
    )


def test_a_dead_worker_ends_the_run_by_rank_and_it_resumes(tmp_path):
    config = write_config(tmp_path / "c.toml", float_epochs=40, quantised_epochs=1)
    out = tmp_path / "run"
    started = subprocess.Popen(
        command(config, out),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    deadline = time.monotonic() + 120
    while not (out / CHECKPOINT).exists():
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(worker(started.pid, rank=1), signal.SIGKILL)
    _, errors = started.communicate(timeout=120)
    assert started.returncode != 0
    assert "rank      : 1 (local_rank: 1)" in errors
    assert "Signal 9 (SIGKILL)" in errors
    done = checkpoint.load(out / CHECKPOINT).epoch
    resumed = subprocess.Popen(
        command(config, out, "--resume"),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    while checkpoint.load(out / CHECKPOINT).epoch <= done:
        assert resumed.poll() is None
        assert time.monotonic() < deadline + 120
        time.sleep(0.2)
    resumed.terminate()
    resumed.communicate(timeout=60)


def worker(parent, *, rank):
    """Process number of a worker that torchrun started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            started_by = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            environment = (folder / "environ").read_text().split("\0")
        except OSError:
            # Another process, which has ended meanwhile or belongs to somebody else.
            continue
        if started_by == parent and f"RANK={rank}" in environment:
            return int(folder.name)
    raise AssertionError(f"no worker of rank {rank}")
