"""Fields of JSON objects, with a look at their types."""

from golden.errors import ModelError


__all__ = ["take"]


def take(entry, where, fields):
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
        fits = isinstance(value, types) and not isinstance(value, bool)
        if not fits or name not in entry:
            raise ModelError(f"{where}: the field {name} must be given with the right type, "
                             f"not as {value!r}")
    return {name: entry[name] for name in fields}
