"""Verdicts on single faults of a core, and the table of them."""

from collections import Counter
from dataclasses import dataclass

from .mutation import Mutation


__all__ = ["Verdict", "report"]


#: Share of the faults that may be equivalent or on the list.
EQUIVALENT_AT_MOST = 0.1


@dataclass(frozen=True)
class Verdict:
    """What became of a fault.

    Parameters
    ----------
    mutation : Mutation
    check : str or None
        Check that noticed it; None if it survived.
    reason : str or None
        Why a survivor is equivalent; None if nobody knows.
    """

    mutation: Mutation
    check: str | None
    reason: str | None = None


def report(verdicts):
    """Table of all faults, what survived, and the exit status.

    Parameters
    ----------
    verdicts : list of Verdict

    Returns
    -------
    lines : list of str
    status : int
        0, or 1 if a survivor has no reason, or too many have one.
    """
    rows = [
        (v.mutation.kind, v.mutation.mode, v.mutation.place, v.check or v.reason or "SURVIVED")
        for v in verdicts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in sorted(rows)
    ]
    checks = Counter(v.check for v in verdicts if v.check)
    excused = [v for v in verdicts if v.check is None and v.reason]
    survivors = [v for v in verdicts if v.check is None and not v.reason]
    lines.append(
        f"{len(verdicts)} faults in {len({v.mutation.kind for v in verdicts})} kinds of "
        f"modules: {sum(checks.values())} noticed, {len(excused)} equivalent, "
        f"{len(survivors)} survived"
    )
    lines.append(
        "noticed by " + ", ".join(f"{check}: {number}" for check, number in checks.most_common())
    )
    too_many = len(excused) > EQUIVALENT_AT_MOST * len(verdicts)
    if too_many:
        lines.append(f"equivalent faults must be at most {EQUIVALENT_AT_MOST:.0%}")
    return lines, int(bool(survivors) or too_many)
