"""Settings of the PLL of an ECP5: which clocks it makes of an oscillator's."""

from dataclasses import dataclass
from fractions import Fraction

from .board import BAUD


__all__ = ["PllSetting", "cycles_per_bit", "highest_setting"]


#: Most of each divider, and ranges of frequencies in MHz: phase detector and oscillator.
INPUT_DIVIDERS, FEEDBACK_DIVIDERS, OUTPUT_DIVIDERS = range(1, 129), range(1, 81), range(1, 129)
DETECTOR_MHZ = (Fraction(25, 8), Fraction(400))
OSCILLATOR_MHZ = (Fraction(400), Fraction(800))
#: Most relative error of the serial line's bit, of the five per cent that both ends have.
BAUD_ERROR = Fraction(1, 100)


@dataclass(frozen=True, kw_only=True)
class PllSetting:
    """Dividers of the PLL, whose output goes back to its input.

    Parameters
    ----------
    input_mhz : int
        Clock of the board's oscillator.
    input_divider, feedback_divider, output_divider : int
        ``CLKI_DIV``, ``CLKFB_DIV`` and ``CLKOP_DIV``.

    References
    ----------
    Lattice Semiconductor, ECP5 and ECP5-5G sysCLOCK PLL/DLL Design and Usage Guide, FPGA-TN-02200;
    Data Sheet, FPGA-DS-02012, table 3.21.

    Examples
    --------
    >>> setting = highest_setting(25, 63)
    >>> setting.feedback_divider, setting.input_divider, setting.output_divider
    (5, 2, 10)
    """

    input_mhz: int
    input_divider: int
    feedback_divider: int
    output_divider: int

    @property
    def mhz(self):
        """Frequency of the output, exactly."""
        return Fraction(self.input_mhz * self.feedback_divider, self.input_divider)

    @property
    def oscillator_mhz(self):
        """Frequency of the PLL's own oscillator."""
        return self.mhz * self.output_divider

    def parameters(self):
        """Parameters of the primitive ``EHXPLLL``."""
        return {
            "CLKI_DIV": self.input_divider,
            "CLKFB_DIV": self.feedback_divider,
            "CLKOP_DIV": self.output_divider,
            # Half a period, which the phases of the primitive count from.
            "CLKOP_CPHASE": max(0, self.output_divider // 2 - 1),
            "CLKOP_FPHASE": 0,
            "CLKOP_ENABLE": "ENABLED",
            "FEEDBK_PATH": "CLKOP",
            "PLLRST_ENA": "DISABLED",
            "INTFB_WAKE": "DISABLED",
            "STDBY_ENABLE": "DISABLED",
            "DPHASE_SOURCE": "DISABLED",
            "OUTDIVIDER_MUXA": "DIVA",
            "OUTDIVIDER_MUXB": "DIVB",
            "OUTDIVIDER_MUXC": "DIVC",
            "OUTDIVIDER_MUXD": "DIVD",
        }


def cycles_per_bit(mhz):
    """Clock cycles of a bit of the serial link, to the nearest.

    Examples
    --------
    >>> cycles_per_bit(Fraction(125, 2))
    62
    """
    return round(Fraction(mhz) * 1_000_000 / BAUD)


def highest_setting(input_mhz, limit_mhz):
    """Setting with the highest clock that is at most a limit, and of which bits can be made.

    Of several, the one with the fastest phase detector, and its oscillator nearest to 600 MHz.

    Parameters
    ----------
    input_mhz : int
    limit_mhz : float or Fraction

    Returns
    -------
    PllSetting

    Raises
    ------
    ValueError
        If there is none.
    """
    limit = Fraction(limit_mhz)
    clocks = {
        Fraction(input_mhz * feedback, divider): (divider, feedback)
        # The smallest divider comes last, and stays.
        for divider in reversed(INPUT_DIVIDERS)
        if DETECTOR_MHZ[0] <= Fraction(input_mhz, divider) <= DETECTOR_MHZ[1]
        for feedback in FEEDBACK_DIVIDERS
    }
    for mhz in sorted((mhz for mhz in clocks if _serves(mhz, limit)), reverse=True):
        outputs = [
            output
            for output in OUTPUT_DIVIDERS
            if OSCILLATOR_MHZ[0] <= mhz * output <= OSCILLATOR_MHZ[1]
        ]
        if outputs:
            input_divider, feedback_divider = clocks[mhz]
            return PllSetting(
                input_mhz=input_mhz,
                input_divider=input_divider,
                feedback_divider=feedback_divider,
                output_divider=_nearest(outputs, 600 / mhz),
            )
    raise ValueError(
        f"The clock must be one that the PLL makes of {input_mhz} MHz, and of which bits of "
        f"{BAUD} baud can be made; none is at most {float(limit):.1f} MHz"
    )


def _serves(mhz, limit):
    """Whether a clock is within the limit, and its bits are near enough to the serial line's."""
    exact = mhz * 1_000_000 / BAUD
    return mhz <= limit and exact >= 4 and abs(cycles_per_bit(mhz) / exact - 1) <= BAUD_ERROR


def _nearest(numbers, wanted):
    """The number that is nearest to another one."""
    return min(numbers, key=lambda number: abs(number - wanted))
