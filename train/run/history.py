"""What every epoch of a run measured: a CSV file, and the same for TensorBoard."""

import csv
import io
from pathlib import Path

from tensorboardX import SummaryWriter

from golden.data.atomic import replacing


__all__ = ["COLUMNS", "History"]


#: Columns of the CSV file, and what an epoch's row holds.
COLUMNS = (
    "epoch",
    "phase",
    "rate",
    "loss",
    "additions",
    "validation_loss",
    "validation_accuracy",
    "seconds",
)

#: File of a run's folder, and its subfolder that TensorBoard reads.
_FILE = "log.csv"
_TENSORBOARD = "tensorboard"


class History:
    """Log of a run, written after every epoch.

    Parameters
    ----------
    folder : Path
        Of the run.
    rows : list of dict
        Epochs so far, from the checkpoint: later rows of an interrupted run are forgotten.
    """

    def __init__(self, folder, rows):
        self._folder = Path(folder)
        self._next = rows[-1]["epoch"] + 1 if rows else None
        self._writer = None

    def write(self, rows):
        """Write all rows to the CSV file, and the last one for TensorBoard.

        Parameters
        ----------
        rows : list of dict
            With the keys of :data:`COLUMNS`; what an epoch did not measure is missing.
        """
        last = rows[-1]
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        with replacing(self._folder / _FILE) as file:
            file.write(text.getvalue().encode())
        # The first epoch's checkpoint is written by now: an empty folder stays empty if it cannot.
        if self._writer is None:
            # Files are named by the second; a run resumed within it must not write the same one.
            self._writer = SummaryWriter(
                str(self._folder / _TENSORBOARD),
                purge_step=self._next,
                filename_suffix=f".{last['epoch']}",
            )
        for name in COLUMNS[2:]:
            if name in last:
                self._writer.add_scalar(f"{last['phase']}/{name}", last[name], last["epoch"])
        self._writer.flush()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._writer is not None:
            self._writer.close()
