"""Progress of long commands on the terminal, with the time that is left."""

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


__all__ = ["FitProgress", "fit_progress", "image_progress"]


def _bar():
    """Bar that leaves nothing behind; without a terminal there is none."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )


class FitProgress:
    """One bar per training run, moved after each epoch.

    Without a terminal a line is printed for every tenth of the run instead.

    Parameters
    ----------
    bar : rich.progress.Progress
    label : str
    """

    def __init__(self, bar, label):
        self._bar = bar
        self._label = label
        self._task = bar.add_task(label, total=None)

    def epoch(self, phase, done, total, loss):
        """An epoch is done."""
        description = f"{self._label}{phase} epochs, loss {loss:.3f}"
        self._bar.update(self._task, completed=done, total=total, description=description)
        if self._bar.disable and 10 * done // total > 10 * (done - 1) // total:
            self._bar.console.print(f"{description}, {done} of {total}", highlight=False)

    def phase(self, sentence):
        """A phase is done."""
        self._bar.console.print(f"{self._label}{sentence}", highlight=False)


@contextmanager
def fit_progress(label=""):
    """Progress for :func:`train.fit.fit`."""
    with _bar() as bar:
        yield FitProgress(bar, label)


@contextmanager
def image_progress(label):
    """Function of (images done, total) that moves a bar."""
    with _bar() as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
