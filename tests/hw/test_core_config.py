"""The core configuration: plain values and back, and the fingerprint that images carry."""

import pickle
from dataclasses import replace

import pytest

from golden import SpikeCode
from hw.isa.core_config import CoreConfig
from hw.isa.descriptors import Destination
from tests.engines import sizes


def test_plain_values_give_the_configuration_back():
    config = sizes(code=SpikeCode.SPLIT)
    assert CoreConfig.from_dict(config.as_dict()) == config
    assert config.as_dict()["spike_code"] == "split"


def test_fingerprints_differ_where_any_field_does():
    config = sizes()
    changed = {
        name: value + 2 if isinstance(value, int) else SpikeCode.SPLIT
        for name, value in vars(config).items()
        if name != "bus_width"
    } | {"bus_width": 64}
    others = [replace(config, **{name: value}).fingerprint for name, value in changed.items()]
    assert len({config.fingerprint, *others}) == len(changed) + 1


def test_attention_does_not_run_on_a_core_without_it():
    with_attention = sizes()
    without = replace(with_attention, attention_depth=0)
    with_attention.require(without)
    with pytest.raises(ValueError, match="^The core's attention depth is 0, and the model needs "):
        without.require(with_attention)


@pytest.mark.parametrize("name", ["tile_rows", "second_tile_rows", "weight_depth"])
def test_an_odd_number_of_weight_vectors_is_refused(name):
    with pytest.raises(ValueError, match="^Rows of weights must come in pairs, not be 101$"):
        sizes(**{name: 101})


def test_destinations_go_to_other_processes():
    assert pickle.loads(pickle.dumps(Destination.SUMS)) is Destination.SUMS  # noqa: S301
