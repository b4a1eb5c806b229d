"""The core configuration: plain values and back, and the fingerprint that images carry."""

import pickle

from golden import SpikeCode
from hw.isa.core_config import SPIKE_CODES, CoreConfig
from hw.isa.descriptors import Destination
from tests.engines import sizes


def test_plain_values_give_the_configuration_back():
    config = sizes(code=SpikeCode.TWO_BIT_SERIAL)
    assert CoreConfig.from_dict(config.as_dict()) == config
    assert config.as_dict()["spike_code"] == "2-bit-serial"


def test_the_fingerprint_is_that_of_the_first_cores():
    """Weight images and loads of older builds stay valid, whatever names fields have today."""
    assert {code: hex(sizes(code=code).fingerprint) for code in SPIKE_CODES} == {
        SpikeCode.THERMOMETER: "0xa594b651",
        SpikeCode.BIT_SERIAL: "0x84261085",
        SpikeCode.TWO_BIT_SERIAL: "0x5c537f19",
    }


def test_destinations_go_to_other_processes():
    assert pickle.loads(pickle.dumps(Destination.SUMS)) is Destination.SUMS  # noqa: S301
