"""Progress of long commands on the terminal, with the time that is left."""

import time
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from golden.cli.progress import duration


__all__ = ["FitProgress", "fit_progress", "image_progress"]


def _bar(shown=True):
    """Bar that leaves nothing behind; without a terminal there is none."""
    console = Console(stderr=True, quiet=not shown)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


#: Without a terminal, least seconds between two lines.
_QUIET = 60


class FitProgress:
    """One bar per training run, moved after each batch.

    Without a terminal a line is printed for every tenth of the run, and at least every few minutes.

    Parameters
    ----------
    bar : rich.progress.Progress
    label : str
    """

    def __init__(self, bar, label):
        self._bar = bar
        self._label = label
        self._task = bar.add_task(label, total=None)
        self._began = self._printed = time.monotonic()
        self._first = None
        self._epochs = 0

    def step(self, done, total):
        """A batch is done: ``done`` of an epoch's ``total``."""
        if self._first is not None:
            self._bar.update(self._task, completed=self._epochs + done / total)

    def epoch(self, phase, done, total, loss):
        """An epoch is done."""
        description = f"{self._label}{phase} epochs, loss {loss:.3f}"
        if self._first is None:
            self._first = done - 1
        self._epochs = done
        self._bar.update(self._task, completed=done, total=total, description=description)
        now = time.monotonic()
        tenth = 10 * done // total > 10 * (done - 1) // total
        if self._bar.disable and (tenth or now - self._printed > _QUIET):
            left = (now - self._began) / (done - self._first) * (total - done)
            self._printed = now
            self._bar.console.print(
                f"{description}, {done} of {total}, about {duration(left)} left", highlight=False
            )

    def phase(self, sentence):
        """A phase is done."""
        self._bar.console.print(f"{self._label}{sentence}", highlight=False)


@contextmanager
def fit_progress(label="", *, shown=True):
    """Progress for :func:`train.run.fit.fit`."""
    with _bar(shown) as bar:
        yield FitProgress(bar, label)


@contextmanager
def image_progress(label):
    """Function of (images done, total) that moves a bar."""
    with _bar() as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
