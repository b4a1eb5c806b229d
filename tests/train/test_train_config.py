"""Training configurations: what is refused, in which sentence."""

import json
import math
import re
from pathlib import Path

import pytest

from golden import SpikeCode
from golden.neuron import Rounding
from tests.training import network_config, run_config
from train.run.config import ConfigError, from_builtins, load, to_builtins, with_epochs
from train.run.fit import fit


RECIPE = Path("train/recipes/digits.toml")


@pytest.fixture
def recipe(project_root):
    return (project_root / RECIPE).read_text()


def test_the_recipe_of_the_digits(project_root):
    config = load(project_root / RECIPE)
    assert config.network.image == (8, 8, 1)
    assert config.network.max_count == 4
    assert config.network.rounding is Rounding.HALF_UP
    assert 1 in config.network.strides[1:]
    assert 2 in config.network.strides[1:]
    # Neither scale 2/sqrt(dk) is a power of two.
    widths = [dims // config.network.heads for dims in config.network.dims[2:]]
    assert not {1, 4, 16, 64} & set(widths)


def test_a_mark_at_the_beginning_is_no_part_of_the_text(recipe, tmp_path):
    (tmp_path / "a.toml").write_text(recipe, encoding="utf-8-sig")
    (tmp_path / "b.toml").write_text(recipe, encoding="utf-8")
    assert load(tmp_path / "a.toml") == load(tmp_path / "b.toml")


def test_builtins_and_back():
    config = run_config(rounding=Rounding.HALF_EVEN)
    assert from_builtins(to_builtins(config)) == config


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "heads = 4",
            "heads = 5",
            "dims[2] must be a multiple of heads (5), not 24 - at `network`",
        ),
        ("dims = [16,", "dims = [15,", "dims[0] must be even, not 15 - at `network`"),
        ("stem_kernel = 3", "stem_kernel = 4", "stem_kernel must be odd, not 4 - at `network`"),
        ("strides = [1, 2,", "strides = [1, 3,", "strides must be 1 or 2, not 3 - at `network`"),
        ("max_count = 4", "max_count = 16", "Expected `int` <= 15 - at `network.max_count`"),
        (
            "weight_bits = ",
            "weight_bit = ",
            "Object contains unknown field `weight_bit` - at `quantise`",
        ),
        ("classes = 10\n", "", "Object missing required field `classes` - at `network`"),
        (
            'rounding = "half-up"',
            'rounding = "up"',
            "Invalid enum value 'up' - at `network.rounding`",
        ),
        (
            "frozen_epochs = ",
            "frozen_epochs = 99",
            "frozen_epochs must be at most quantised_epochs",
        ),
        ("[fit]", "[fit", "Expected ']' at the end of a table declaration"),
        ("image = [8, 8, 1]", "image = [8, 8]", "Expected `array` of length 3, got 2"),
        ("shift = ", "shift = -", "Expected `float` >= 0.0 - at `data.shift`"),
        (
            "[fit]",
            '[fit]\naddition_code = "unary"',
            "Invalid enum value 'unary' - at `fit.addition_code`",
        ),
    ],
)
def test_wrong_files_are_refused_in_one_sentence(recipe, tmp_path, old, new, sentence):
    assert old in recipe
    path = tmp_path / "wrong.toml"
    path.write_text(recipe.replace(old, new, 1))
    with pytest.raises(ConfigError, match=re.escape(f"{path}: {sentence}")) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_the_configuration_of_an_older_checkpoint_has_no_code_of_additions():
    values = to_builtins(run_config())
    for key in ("addition_code", "penalty_warmup"):
        del values["fit"][key]
    assert from_builtins(values) == run_config()
    assert run_config().fit.addition_code is None
    coded = run_config(addition_code=SpikeCode.SPLIT)
    assert from_builtins(to_builtins(coded)) == coded


def numbers(values, path=()):
    """Where the numbers of a configuration are."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        if isinstance(value, (dict, list, tuple)):
            yield from numbers(value, (*path, key))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield (*path, key)


def test_no_number_is_infinite_negative_or_none_at_all():
    found = list(numbers(to_builtins(run_config())))
    assert ("fit", "float_rate") in found
    assert ("network", "dims", 3) in found
    for path in found:
        for wrong in (math.nan, math.inf, -math.inf, -1, -0.5, 2**63):
            values = json.loads(json.dumps(to_builtins(run_config())))
            inner = values
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = wrong
            with pytest.raises(
                ConfigError, match=next(key for key in reversed(path) if isinstance(key, str))
            ):
                from_builtins(values)


def test_a_network_beyond_every_memory_is_refused(tmp_path):
    config = run_config(dims=(65536, 65536, 65536, 65536))
    with pytest.raises(ConfigError, match="must have at most 1,073,741,824 parameters, not "):
        fit(config, tmp_path / "out", seed=0)
    assert not (tmp_path / "out").exists()


def test_files_that_are_missing_or_no_text(tmp_path):
    path = tmp_path / "missing.toml"
    with pytest.raises(ConfigError, match="cannot be read.*no such file or directory"):
        load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        load(path)


def test_other_epochs_keep_the_rules():
    config = with_epochs(run_config(quantised_epochs=5, frozen_epochs=4), 7, 2)
    assert (config.fit.float_epochs, config.fit.quantised_epochs) == (7, 2)
    assert config.fit.frozen_epochs == 2


def test_constructors_check_themselves():
    with pytest.raises(ValueError, match=r"^dims\[3\] must be a multiple of heads \(4\), not 6$"):
        network_config(heads=4, dims=(4, 4, 8, 6))
