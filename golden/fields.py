"""Fields of JSON objects, with a look at their types."""

from collections.abc import Mapping
from typing import Any

from golden.errors import ModelError
from golden.hints import JsonType


__all__ = ["take", "take_all"]


def take(entry: Any, where: str, fields: Mapping[str, JsonType]) -> dict[str, Any]:
    """Fields of a JSON object.

    Parameters
    ----------
    entry : JSON value
    where : str
        What it is, for errors.
    fields : dict of str to type or tuple of types
        Booleans are no integers here.

    Returns
    -------
    dict

    Raises
    ------
    ModelError
        If a field is missing or of another type.
    """
    for name, types in fields.items():
        value = entry.get(name) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or name not in entry or not _fits(value, types):
            raise ModelError(
                f"{where}: the field {name} must be given with the right type, not as {value!r}"
            )
    return {name: entry[name] for name in fields}


def take_all(values: list[Any], where: str, what: str, types: JsonType) -> list[Any]:
    """Elements of a JSON list, each of a type; raises ModelError if one is not."""
    for value in values:
        if not _fits(value, types):
            raise ModelError(f"{where}: each {what} must have the right type, not {value!r}")
    return values


def _fits(value, types):
    return isinstance(value, types) and (types is bool or not isinstance(value, bool))
