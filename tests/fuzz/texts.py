"""JSON descriptions and TOML configurations."""

import json
import re
import tomllib
from pathlib import Path

from golden.data.description import read_json
from tests.fuzz.mutate import NUMBERS, mutate, mutate_json
from tests.fuzz.reader import Reader
from train.run import config


_VALUES = {
    "format": "addend-accelerator",
    "version": 6,
    "images": {"a.hex": [1, 2.5, None, True]},
    "layers": [{"name": "stem", "at": [[0, 1], [2, 3]], "text": 'a "b" \\ é \u00e9'}],
}

#: What takes the place of numbers and of strings in TOML.
_OTHERS = (
    "inf",
    "nan",
    "-0.0",
    "[]",
    "{}",
    "''",
    "true",
    "1979-05-27",
    "0x7fffffff",
    "[" * 3000,
    "{a=" * 300,
    "1" * 5000,
    *map(str, NUMBERS),
)


def _write_json(folder):
    (folder / "a.json").write_text(json.dumps(_VALUES, indent=1, ensure_ascii=False))
    (folder / "b.json").write_text(json.dumps(_VALUES))
    return [folder / "a.json", folder / "b.json"]


def _check_json(path, value):
    assert value == json.loads(path.read_text(encoding="utf-8-sig"))


def _change_json(data, rng, others):
    if rng.random() < 0.5:
        return mutate(data, rng, others)
    return json.dumps(mutate_json(json.loads(data), rng)).encode()


def _write_toml(folder):
    recipes = Path(config.__file__).parents[1] / "recipes"
    paths = [folder / name for name in ("digits.toml", "cifar10-nano.toml")]
    for path in paths:
        path.write_bytes((recipes / path.name).read_bytes())
    return paths


def _check_toml(path, value):
    tomllib.loads(path.read_text(encoding="utf-8-sig"))
    assert config.from_builtins(config.to_builtins(value)) == value


def _change_toml(data, rng, others):
    if rng.random() < 0.5:
        return mutate(data, rng, others)
    text = data.decode()
    places = list(re.finditer(r"(?<== )[^\n]+|[\d.]+|\w+(?= =)", text))
    place = rng.choice(places)
    return (text[: place.start()] + rng.choice(_OTHERS) + text[place.end() :]).encode()


READERS = (
    Reader(
        "json",
        _write_json,
        lambda path: read_json(path, "the description"),
        _check_json,
        _change_json,
    ),
    Reader("toml", _write_toml, config.load, _check_toml, _change_toml),
)
