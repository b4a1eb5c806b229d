"""What a row of the benchmark consists of: figures, each of which reached its target or not."""

from dataclasses import dataclass


__all__ = ["Found", "NotMeasuredError", "Part", "at_least", "at_most", "attempt", "joined"]


class NotMeasuredError(Exception):
    """A run that a figure needs was not made."""


class Found(dict):
    """What runs measured, by run."""

    def __missing__(self, name):
        raise NotMeasuredError(name)


@dataclass(frozen=True)
class Part:
    """A figure for people, and whether it reached its target.

    Parameters
    ----------
    text : str
    met : bool or None
        None where it was not measured.
    """

    text: str
    met: bool | None


def at_least(label, value, target, *, form=".2f", note=""):
    """A figure of which more is better."""
    return Part(f"{label} {value:{form}}{note}", value >= target)


def at_most(label, value, target, *, form=",.0f", note=""):
    """A figure of which less is better."""
    return Part(f"{label} {value:{form}}{note}", value <= target)


def attempt(label, part, *, exists=True):
    """A part, unless its subject is not built or its runs were not made.

    Parameters
    ----------
    label : str
    part : function
        Returns the part.
    exists : bool
        Whether the subject is built.
    """
    if not exists:
        return Part(f"{label} not built", met=False)
    try:
        return part()
    except NotMeasuredError:
        return Part(f"{label} not measured", met=None)


def joined(*parts):
    """All parts as one, which is met if each is."""
    mets = [part.met for part in parts]
    met = False if False in mets else None if None in mets else True
    return Part("; ".join(part.text for part in parts), met)
