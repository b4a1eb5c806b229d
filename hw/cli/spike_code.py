"""The option that says which spike code a core has."""

from argparse import ArgumentTypeError

from golden.spike import SPIKE_CODE_ALIASES, SpikeCode

from ..isa.core_config import SPIKE_CODES, check_spike_code


__all__ = ["DEFAULT_SPIKE_CODE", "SPIKE_CODE", "SPIKE_CODE_NOTE"]


def _spike_code(given):
    """Type of a spike code's value; an alias becomes the value, and any other text stays."""
    try:
        code = SpikeCode(given)
    except ValueError:
        return given
    try:
        check_spike_code(code)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return code.value


#: How an option takes the spike code of a core; to be followed by its own help.
SPIKE_CODE = {"type": _spike_code, "choices": [code.value for code in SPIKE_CODES]}
DEFAULT_SPIKE_CODE = SpikeCode.SPLIT.value
SPIKE_CODE_NOTE = "; ".join(
    f"{alias}: alias of {name}"
    for name, alias in SPIKE_CODE_ALIASES.items()
    if SpikeCode(name) in SPIKE_CODES
)
