"""The boards of Addend against the board files of amaranth-boards: pins, oscillator, package."""

import importlib


__all__ = ["assert_same_pins"]


#: Classes of amaranth-boards, and the connector that the serial line is on where it has none.
PLATFORMS = {
    "ulx3s_85f": ("amaranth_boards.ulx3s", "ULX3S_85F_Platform"),
    "orangecrab_r0_2_85f": ("amaranth_boards.orangecrab_r0_2", "OrangeCrabR0_2_85FPlatform"),
}
#: Where a port is among the resources of each: name, number, and the part of it.
RESOURCES = {
    "ulx3s_85f": {
        "clk": ("clk25", 0, None),
        "button": ("button_fire", 0, None),
        "rx": ("uart", 0, "rx"),
        "tx": ("uart", 0, "tx"),
        "busy": ("led", 0, None),
        "error": ("led", 1, None),
        "status": ("led", (4, 5, 6, 7), None),
    },
    "orangecrab_r0_2_85f": {
        "clk": ("clk", 0, None),
        "button": ("button", 0, None),
        "rx": ("io", "0", None),
        "tx": ("io", "1", None),
        "busy": ("rgb_led", 0, "b"),
        "error": ("rgb_led", 0, "r"),
    },
}
#: As nextpnr calls the packages.
PACKAGES = {"BG381": "CABGA381", "MG285": "CSFBGA285"}


def resource_pins(platform, name, number, part):
    """Sites, attributes and inversion of a resource; of a connector's pin, its site alone."""
    for resource in platform.resources:
        if (resource.name, resource.number) == (name, number):
            attributes = dict(resource.attrs)
            found = resource.ios[0]
            if part is not None:
                found = next(io for io in resource.ios if io.name == part)
                attributes |= found.attrs
                found = found.ios[0]
            return found.names, attributes, found.invert
    connector = next(one for one in platform.connectors if one.name == name)
    return [connector.mapping[number]], {"IO_TYPE": "LVCMOS33"}, False


def assert_same_pins(board):
    """Every pin has the site, the attributes and the inversion that the board file gives it.

    Parameters
    ----------
    board : Board

    Raises
    ------
    AssertionError
        If a pin, the oscillator, the package or the device is another one there.

    References
    ----------
    amaranth-boards 0.0.21, ``ulx3s.py`` and ``orangecrab_r0_2.py``.
    """
    module, name = PLATFORMS[board.name]
    platform = getattr(importlib.import_module(module), name)
    resources = RESOURCES[board.name]
    assert {pin.port for pin in board.pins} == set(resources)
    for pin in board.pins:
        resource, numbers, part = resources[pin.port]
        numbers = numbers if isinstance(numbers, tuple) else (numbers,)
        found = [resource_pins(platform, resource, number, part) for number in numbers]
        assert [site for sites, _, _ in found for site in sites] == list(pin.sites), pin.port
        for _, attributes, inverted in found:
            assert attributes.items() <= pin.attributes.items(), pin.port
            assert inverted == pin.inverted, pin.port
    clock = next(
        resource for resource in platform.resources if resource.name == resources["clk"][0]
    )
    assert clock.clock.frequency == board.clock_mhz * 10**6
    assert PACKAGES[platform.package] == board.package
    assert platform.speed == board.speed
    assert platform.device == "LFE5U-85F"
    assert board.device_name == "ecp5-85k"
