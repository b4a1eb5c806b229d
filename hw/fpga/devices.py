"""The FPGAs that Addend builds for, and what fits on them."""

from dataclasses import dataclass


__all__ = ["DEVICES", "Device", "find_device"]


@dataclass(frozen=True, kw_only=True)
class Device:
    """One FPGA.

    Parameters
    ----------
    name : str
        As ``--device`` takes it.
    option : str
        As nextpnr takes it.
    lut, ff : int
        Four-input LUTs and flip-flops.
    bram : int
        Block RAMs of 18 kbit.
    dsp : int
        Multipliers of 18 × 18 bits, none of which is ever used.
    packages : tuple of (str, int)
        Packages and the user pins of each, smallest first.

    References
    ----------
    Lattice Semiconductor, ECP5 and ECP5-5G Family Data Sheet, FPGA-DS-02012, table 1.1.
    """

    name: str
    option: str
    lut: int
    ff: int
    bram: int
    dsp: int
    packages: tuple[tuple[str, int], ...]

    @property
    def memory_bits(self):
        """Bits in all block RAMs together."""
        return self.bram * 18 * 1024

    def package(self, pins):
        """Smallest package that has the pins.

        Raises
        ------
        ValueError
            If no package has as many.
        """
        for name, available in self.packages:
            if pins <= available:
                return name
        raise ValueError(f"Pins of {self.name} must be at most {self.packages[-1][1]}, not {pins}")

    def require(self, *, detail="", advice=None, **needed):
        """Check that a design fits.

        Parameters
        ----------
        detail : str
            Added to what is short.
        advice : str, optional
            What helps where no larger device does.
        **needed : int
            Numbers of ``lut``, ``ff``, ``bram`` or ``dsp`` that the design takes.

        Raises
        ------
        ValueError
            If it does not: what is short, by how much, and which options help.
        """
        short = [
            f"{number} {WORDS[kind]}, {number - getattr(self, kind)} more than the "
            f"{getattr(self, kind)} there are"
            for kind, number in needed.items()
            if number > getattr(self, kind)
        ]
        if short:
            raise ValueError(
                f"The accelerator does not fit {self.name}: it needs "
                f"{' and '.join(short)}{detail}; {remedy(needed, advice)}"
            )


WORDS = {"lut": "LUTs", "ff": "flip-flops", "bram": "block RAMs", "dsp": "multipliers"}

DEVICES = (
    Device(
        name="ecp5-25k",
        option="--25k",
        lut=24288,
        ff=24288,
        bram=56,
        dsp=28,
        packages=(("CABGA381", 197),),
    ),
    Device(
        name="ecp5-45k",
        option="--45k",
        lut=43848,
        ff=43848,
        bram=108,
        dsp=72,
        packages=(("CABGA381", 203), ("CABGA554", 245)),
    ),
    Device(
        name="ecp5-85k",
        option="--85k",
        lut=83640,
        ff=83640,
        bram=208,
        dsp=156,
        packages=(("CABGA381", 205), ("CABGA756", 365)),
    ),
)


def find_device(name):
    """Device of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    for device in DEVICES:
        if device.name == name:
            return device
    raise ValueError(f"Device must be one of {', '.join(d.name for d in DEVICES)}, not {name!r}")


def remedy(needed, advice=None):
    """Name the options that make a design fit, cheapest first."""
    for device in DEVICES:
        if all(number <= getattr(device, kind) for kind, number in needed.items()):
            return f"--device {device.name} has enough, or lower --columns"
    return advice or (
        "lower --columns or --lanes-per-column, keep the weights outside with "
        "--bus-width, train with fewer weight bits or channels, or build with "
        "--target sim"
    )
