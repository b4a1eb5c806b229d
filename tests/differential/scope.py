"""What is drawn: the whole format for golden, or what the models of one core have in common."""

from dataclasses import dataclass


__all__ = ["FEATURES", "Scope"]


#: Parts of the format of which a model has some; without any it is one of format 1.
FEATURES = (
    "steps",
    "membranes",
    "levels",
    "wide weights",
    "groups",
    "axes",
    "sources",
    "outputs",
    "epilogues",
    "operators",
    "sets",
    "analog head",
)


@dataclass(frozen=True)
class Scope:
    """What models must have in common to run on one core; golden takes any.

    Parameters
    ----------
    max_count, pixel_channels, pixel_constant : int or None
        Drawn, if None.
    logit_bits : int
        Most bits of a logit.
    channels : int
        Most channels of a map, those of attention aside.
    features : frozenset of str, or None
        Of `FEATURES`; drawn, if None.
    """

    max_count: int | None = None
    pixel_channels: int | None = None
    pixel_constant: int | None = None
    logit_bits: int = 47
    channels: int = 23
    features: frozenset | None = None
