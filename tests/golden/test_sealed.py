"""JSON that knows whether it was changed, and forms that name what is wrong."""

import json
import re

import pytest

from golden.data.form import Each, require_form
from golden.data.reading import InputError
from golden.data.sealed import read_kept, read_sealed, sealed_text


FORM = {
    "number": float,
    "texts": [str],
    "free": Each(int, key=re.compile("[a-z]")),
    "small": range(1, 5),
    "code": re.compile("on|off"),
    "only": range(7, 8),
}
VALUES = {
    "number": 0.1,
    "texts": ["a", "b"],
    "free": {"x": 1},
    "small": 4,
    "code": "on",
    "only": 7,
    "more": {2: None, 10: [1e300, -0.0]},
}


def test_values_come_back(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(sealed_text(VALUES))
    assert read_sealed(path, "it", FORM) == json.loads(json.dumps(VALUES))
    assert sealed_text(read_sealed(path, "it", FORM)) == path.read_text()


def test_every_other_character_is_noticed(tmp_path):
    path = tmp_path / "a.json"
    text = sealed_text(VALUES)
    for place, character in enumerate(text):
        for other in "1", "x":
            if other != character and not character.isspace():
                path.write_text(text[:place] + other + text[place + 1 :])
                with pytest.raises(InputError, match=r"a\.json"):
                    read_sealed(path, "it", FORM)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"number": "1"}, "it, number must be a number, not a text"),
        ({"number": True}, "it, number must be a number, not true or false"),
        ({"texts": {}}, "it, texts must be a list, not an object"),
        ({"texts": ["a", 1]}, "it, texts, number 1 must be a text, not a whole number"),
        ({"free": {"x": None}}, "it, free, x must be a whole number, not null"),
        ({"free": {"../x": 1}}, "it, free must not have a field '../x'"),
        ({"small": 5}, "it, small must be 1 to 4, not 5"),
        ({"number": -(10**400)}, "it, number must be a number of -1e+308 to 1e+308"),
        ({"code": "onn"}, "it, code must not be 'onn'"),
    ],
)
def test_what_is_wrong_is_named(change, sentence):
    with pytest.raises(InputError) as caught:
        require_form(VALUES | change, FORM, "it")
    assert str(caught.value) == sentence


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="^it lacks code$"):
        require_form({key: value for key, value in VALUES.items() if key != "code"}, FORM, "it")


def test_what_can_be_made_again_is_no_error(tmp_path, caplog):
    path = tmp_path / "a.json"
    assert read_kept(path, "it", FORM) is None
    assert caplog.messages == []
    path.write_text(sealed_text(VALUES).replace("0.1", "0.2"))
    assert read_kept(path, "it", FORM) is None
    assert caplog.messages == [
        f"{path}: it must have the digest that stands in it, but was changed; it is made anew"
    ]
