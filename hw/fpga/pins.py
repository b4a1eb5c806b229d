"""Pin constraints of a user: every port that they name exists, and no pin is taken twice."""

import re


__all__ = ["require_pins"]


_COMMENT = re.compile(r"(#|//).*")
_LOCATE = re.compile(r'LOCATE\s+COMP\s+"([^"]+)"\s+SITE\s+"([^"]+)"', re.IGNORECASE)


def require_pins(text, ports, *, whole):
    """Raise ValueError unless pin constraints belong to a top module.

    Parameters
    ----------
    text : str
        In Lattice's preference format (``.lpf``).
    ports : iterable of str
        Bits of the top module's ports: ``rx``, ``status[0]``.
    whole : bool
        Whether every one of them must have a pin: on a board, one that the router chooses may be
        driven by something else.

    Raises
    ------
    ValueError
        One sentence that names the port or the pin.
    """
    located = _LOCATE.findall(_COMMENT.sub("", text))
    taken, known = {}, list(ports)
    for port, site in located:
        if port not in known:
            raise ValueError(
                f"--pins must name ports of the design, {', '.join(known[:8])}"
                f"{' and so on' if len(known) > 8 else ''}, not {port!r}"
            )
        if taken.setdefault(site, port) != port:
            raise ValueError(
                f"--pins must give pin {site} to one port, not to {taken[site]} and {port}"
            )
    missing = set(known) - {port for port, _ in located} if whole else ()
    if missing:
        raise ValueError(
            f"--pins must have a LOCATE line for each port, and has none for {min(missing)}"
        )
