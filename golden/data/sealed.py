"""JSON files that know whether they were changed: a digest over their own content."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from golden.data.description import read_json
from golden.data.form import require_form
from golden.data.reading import InputError


__all__ = ["read_kept", "read_sealed", "require_sealed", "sealed_text"]


#: Field that holds the digest of all others.
KEY = "sha256"

_LOG = logging.getLogger(__name__)


def sealed_text(values: dict[str, Any]) -> str:
    """Text of a file that holds values and their digest; the same values give the same text."""
    # As a reader will find them: keys are texts, tuples are lists.
    values = json.loads(json.dumps(values))
    return json.dumps(values | {KEY: _digest(values)}, indent=1, sort_keys=True) + "\n"


def read_sealed(path: Path | str, what: str, form: dict[str, Any]) -> dict[str, Any]:
    """Values that `sealed_text` was given.

    Parameters
    ----------
    path : str or Path
    what : str
        What the file is, with its article, such as ``the description``.
    form : dict
        As for `golden.data.form.require_form`.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        As for `golden.data.description.read_json`, and if a field is missing or wrong or the
        digest is another one; one sentence that names the file.
    """
    return require_sealed(read_json(path, what), form, f"{path}: {what}")


def read_kept(path: Path | str, what: str, form: dict[str, Any]) -> dict[str, Any] | None:
    """The same of a file that can be made again.

    Returns
    -------
    dict or None
        None if the file is not there; or if it is damaged, which a warning says.
    """
    try:
        return read_sealed(path, what, form)
    except InputError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            _LOG.warning("%s; it is made anew", error)
        return None


def require_sealed(values: dict[str, Any], form: dict[str, Any], name: str) -> dict[str, Any]:
    """The same for values that were read already; ``name`` is what they are, for errors."""
    require_form(values, form | {KEY: str}, name)
    values = dict(values)
    digest = values.pop(KEY)
    if digest != _digest(values):
        raise InputError(f"{name} must have the digest that stands in it, but was changed")
    return values


def _digest(values):
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
