"""JSON from outside: what is read, and what is refused in one sentence."""

import json
import os

import pytest

from golden.data.description import parse_json, read_json
from golden.data.limits import MAX_JSON, MAX_JSON_DEPTH
from golden.data.reading import InputError


def nested(depth):
    return '{"a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2.5, null, true, "[[["]}',
        '\ufeff{"a": 1}',
        "{}",
        '{"a": {"b": 1}, "b": {"b": 2}}',
        nested(MAX_JSON_DEPTH),
        '{"\\"[": "\\\\", "é": "\\u00e9"}',
    ],
)
def test_what_json_says_is_read(text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text)
    assert read_json(path, "the report") == json.loads(text.removeprefix("\ufeff"))
    assert parse_json(text, "it") == read_json(path, "the report")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the report must be JSON, and line 1, column 1 is not"),
        (b'{"a": 1,\n', "must be JSON, and line 2, column 1 is not"),
        (b"[1]", "must be a JSON object, not list"),
        (b'{"a": NaN}', "(NaN is no number of JSON)"),
        (b'{"a": -Infinity}', "(-Infinity is no number of JSON)"),
        (b'{"a": 1e999}', "(the number 1e999 is too large)"),
        (b'{"a": 1, "b": 2, "a": 1}', "(the key a is given twice in one object)"),
        (b'{"a": "\xff"}', "must be text of whole characters in UTF-8"),
        (b'{"a": ["\\ud800"]}', "must be text of whole characters in UTF-8"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "must be JSON that can be used"),
        (b'{"' + b"a" * 100_000, "must be JSON, and line 1"),
        (nested(MAX_JSON_DEPTH + 1).encode(), "must not be nested deeper than 32 levels"),
        (b'{"' + b'\\"' * 1_000_000, "must be JSON, and line 1"),
        (b'{"a":' * 1_000_000, "must not be nested deeper than 32 levels"),
        (b" " * (MAX_JSON + 1), "cannot be read (it is too large, of more than 8388608 bytes)"),
    ],
)
def test_what_is_no_description_is_refused(data, sentence, tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_json(path, "the report")
    assert str(caught.value).startswith(f"{path}: the report ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_is_read_where_it_is_asked_for(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1]")
    assert read_json(path, "the report", kind=list) == [1]
    path.write_text("{}")
    with pytest.raises(InputError, match="the report must be a JSON list, not dict"):
        read_json(path, "the report", kind=list)


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, reason in (
        ("pipe", "it is a pipe"),
        ("zero", "it is a device"),
        ("", "it is a folder"),
        ("loop", "Too many levels"),
        ("none", "No such file"),
    ):
        with pytest.raises(InputError, match=f"the report cannot be read \\({reason}"):
            read_json(tmp_path / name, "the report")


def test_a_missing_file_can_be_told_from_a_damaged_one(tmp_path):
    with pytest.raises(InputError) as caught:
        read_json(tmp_path / "none.json", "the report")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
