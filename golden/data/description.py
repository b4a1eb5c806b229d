"""JSON from outside: descriptions, reports and headers, read within limits."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from golden.data.limits import MAX_JSON, MAX_JSON_DEPTH
from golden.data.reading import InputError, decoding, printable, read_regular


__all__ = ["parse_json", "read_json"]


#: A string of JSON, or the start of one without an end: every byte is looked at only once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)

#: Every byte but the four that open and close.
_PLAIN = bytes(set(range(256)) - set(b"[]{}"))

_KINDS = {dict: "object", list: "list"}


def read_json(path: Path | str, what: str, *, kind: type = dict, limit: int = MAX_JSON) -> Any:
    """The JSON object of a file, or a list.

    Parameters
    ----------
    path : str or Path
    what : str
        What the file is, with its article, such as ``the description``.
    kind : type
        ``dict`` or ``list``, which the file has to hold.
    limit : int
        Most bytes that the file may have.

    Returns
    -------
    dict or list

    Raises
    ------
    InputError
        If the file cannot be read or does not hold what `parse_json` reads; one
        sentence that names the file. A file that is not there is the ``FileNotFoundError`` behind
        it (``error.__cause__``).
    """
    with decoding(f"{path}: {what} cannot be read", "it is no JSON"):
        return parse_json(read_regular(path, limit), f"{path}: {what}", kind=kind, limit=limit)


def parse_json(text: str | bytes, name: str, *, kind: type = dict, limit: int = MAX_JSON) -> Any:
    """A JSON object that a text holds, or a list.

    Numbers are finite, a key is given once in an object, and nothing is nested deeper than
    `golden.data.limits.MAX_JSON_DEPTH`.

    Parameters
    ----------
    text : str or bytes
        Bytes are UTF-8.
    name : str
        What the text is, for errors.
    kind, limit
        As for `read_json`.

    Returns
    -------
    dict or list

    Raises
    ------
    InputError
        One sentence that starts with the name.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > limit:
        raise InputError(f"{name} must have at most {limit} bytes, not {len(data)}")
    if _depth(data) > MAX_JSON_DEPTH:
        raise InputError(f"{name} must not be nested deeper than {MAX_JSON_DEPTH} levels")
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_float=_finite,
        )
        if b"\\u" in data:
            # Half of a surrogate pair is no character, and nothing could print or store it.
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name} must be JSON, and line {error.lineno}, column {error.colno} is not"
        ) from error
    except UnicodeError as error:
        raise InputError(f"{name} must be text of whole characters in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} must be JSON that can be used ({error})") from error
    if not isinstance(value, kind):
        raise InputError(f"{name} must be a JSON {_KINDS[kind]}, not {type(value).__name__}")
    return value


def _depth(data):
    """How deep brackets and braces are nested, outside of strings."""
    marks = np.frombuffer(_STRING.sub(b"", data).translate(None, _PLAIN), np.uint8)
    opening = (marks == ord("[")) | (marks == ord("{"))
    steps = np.where(opening, np.int8(1), np.int8(-1))
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _object(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {printable(twice)} is given twice in one object")
    return value


def _refuse(constant):
    raise ValueError(f"{constant} is no number of JSON")


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {printable(text)} is too large")
    return value
