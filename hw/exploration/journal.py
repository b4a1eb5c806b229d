"""The journal of a search: one line of JSON per step, which a crash may tear."""

import logging
import os
from pathlib import Path

from golden.data.description import parse_json
from golden.data.form import require_form
from golden.data.reading import InputError, read_regular


__all__ = ["mend"]


#: Most bytes of a journal, and of one of its lines.
MAX_JOURNAL = 2**30
MAX_LINE = 2**20

#: What every line holds; what else it has depends on the step, and optuna demands it.
_STEP = {"op_code": range(11), "worker_id": str}

_LOG = logging.getLogger(__name__)


def mend(path):
    """Drop the last line of a journal if it was not written to its end, and check all others.

    To be called while nobody writes.

    Parameters
    ----------
    path : Path
        It may be missing.

    Raises
    ------
    InputError
        If another line is damaged; one sentence that names it.
    OSError
        If the file cannot be read or written.
    """
    path = Path(path)
    if not path.exists():
        return
    data = read_regular(path, MAX_JOURNAL)
    whole = data.rfind(b"\n") + 1
    for number, line in enumerate(data[:whole].splitlines(), start=1):
        name = f"{path}: line {number} of the journal"
        try:
            require_form(parse_json(line, name, limit=MAX_LINE), _STEP, name)
        except InputError as error:
            raise InputError(
                f"{error}; remove the line to go on without it, or the file to begin anew"
            ) from error
    if whole < len(data):
        _LOG.warning("%s: the last line was not written to its end, and is dropped", path)
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
