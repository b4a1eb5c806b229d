"""What fits a device, and the sentence for what does not."""

import pytest

from hw.fpga.devices import DEVICES, find_device


def test_devices_grow_from_the_first_to_the_last():
    sizes = [(device.lut, device.bram, device.dsp) for device in DEVICES]
    assert sizes == sorted(sizes)


def test_an_unknown_device_is_refused_with_the_known_ones():
    with pytest.raises(ValueError) as caught:
        find_device("ecp5-12k")
    assert str(caught.value) == (
        "Device must be one of ecp5-25k, ecp5-45k, ecp5-85k, not 'ecp5-12k'"
    )


def test_the_smallest_package_with_enough_pins_is_taken():
    device = find_device("ecp5-85k")
    assert device.package(205) == "CABGA381"
    assert device.package(206) == "CABGA756"
    with pytest.raises(ValueError) as caught:
        device.package(366)
    assert str(caught.value) == "Pins of ecp5-85k must be at most 365, not 366"


def test_a_full_device_fits():
    device = find_device("ecp5-25k")
    device.require(lut=device.lut, ff=device.ff, bram=device.bram, dsp=0)


def test_one_memory_too_many_is_named_with_the_larger_device():
    with pytest.raises(ValueError) as caught:
        find_device("ecp5-25k").require(lut=100, bram=57)
    assert str(caught.value) == (
        "The accelerator does not fit ecp5-25k: it needs 57 block RAMs, 1 more than the 56 "
        "there are; --device ecp5-45k has enough, or lower --columns"
    )


def test_what_no_device_holds_is_named_with_the_options_that_shrink_it():
    with pytest.raises(ValueError) as caught:
        find_device("ecp5-85k").require(lut=90000, bram=300)
    assert str(caught.value) == (
        "The accelerator does not fit ecp5-85k: it needs 90000 LUTs, 6360 more than the "
        "83640 there are and 300 block RAMs, 92 more than the 208 there are; lower --columns "
        "or --lanes-per-column, keep the weights outside with --bus-width, train with fewer weight "
        "bits or channels, or build with --target sim"
    )
