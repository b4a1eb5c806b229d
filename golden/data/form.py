"""Forms of JSON values: what a description must hold, and where it does not."""

import re
from dataclasses import dataclass
from typing import Any

from golden.data.reading import InputError, printable


__all__ = ["Each", "require_form"]


#: Of a whole number where a float is asked for.
LARGEST = 1e308


@dataclass(frozen=True)
class Each:
    """Form of an object whose keys are free.

    Parameters
    ----------
    value : form
        Of every value.
    key : re.Pattern, optional
        That every key matches.
    """

    value: "Form"
    key: re.Pattern[str] | None = None


#: What a value must be, see `require_form`.
Form = dict[str, Any] | list[Any] | Each | range | re.Pattern[str] | type | tuple[type, ...]


def require_form(value: Any, form: Form, where: str) -> None:
    """Demand that a JSON value has a form.

    Parameters
    ----------
    value : JSON value
    form : dict, list of one form, `Each`, range, re.Pattern, type or tuple of types
        An object that has at least these fields; a list of values of one form; an object of free
        keys; a whole number in a range; a text that matches wholly; a value of one of the types,
        where ``float`` takes whole numbers, too, as far as it reaches.
    where : str
        What the value is, for errors.

    Raises
    ------
    InputError
        One sentence that names the field that is missing or wrong.
    """
    match form:
        case dict():
            _require_type(value, dict, where)
            for key, inner in form.items():
                if key not in value:
                    raise InputError(f"{where} lacks {key}")
                require_form(value[key], inner, f"{where}, {key}")
        case [inner] if isinstance(form, list):
            _require_type(value, list, where)
            for number, item in enumerate(value):
                require_form(item, inner, f"{where}, number {number}")
        case Each():
            _require_type(value, dict, where)
            for key, item in value.items():
                if form.key is not None and not form.key.fullmatch(key):
                    raise InputError(f"{where} must not have a field {printable(repr(key))}")
                require_form(item, form.value, f"{where}, {printable(key)}")
        case _:
            _require_single(value, form, where)


def _require_single(value, form, where):
    """Demands the form of a value that holds no others."""
    match form:
        case range():
            _require_type(value, int, where)
            if value not in form:
                raise InputError(
                    f"{where} must be {form.start} to {form.stop - 1}, not {printable(value)}"
                )
        case re.Pattern():
            _require_type(value, str, where)
            if not form.fullmatch(value):
                raise InputError(f"{where} must not be {printable(repr(value))}")
        case _:
            _require_type(value, form, where)


#: Types of JSON by what people call them.
_NAMES = {
    dict: "an object",
    list: "a list",
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    type(None): "null",
}


def _require_type(value, types, where):
    types = types if isinstance(types, tuple) else (types,)
    # In Python, true is a whole number.
    fits = type(value) in types or (float in types and type(value) is int)
    if not fits:
        wanted = " or ".join(_NAMES[kind] for kind in types)
        raise InputError(f"{where} must be {wanted}, not {_NAMES[type(value)]}")
    if type(value) is int and int not in types and not -LARGEST <= value <= LARGEST:
        raise InputError(f"{where} must be a number of -{LARGEST:g} to {LARGEST:g}")
