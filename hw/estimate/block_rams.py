"""Block RAMs that a core takes on an ECP5, before synthesis."""

from ..isa.memory_parts import block_rams_scarce, memory_parts


__all__ = ["memory_table", "require_memory"]


def memory_table(config):
    """Memories of a core.

    Parameters
    ----------
    config : CoreConfig

    Returns
    -------
    list of dict
        ``name``, ``width``, ``depth``, ``copies`` and, of all copies together, ``blocks`` and
        ``multiplexed``: bits that are chosen from another bank, which takes LUTs.
    """
    scarce = block_rams_scarce(config)
    return [_row(part, part.layout(scarce=scarce)) for part in memory_parts(config, scarce=scarce)]


def require_memory(device, config, *, advice=None):
    """Raises ValueError if a core's memories do not fit a device: how many, which, what helps.

    Parameters
    ----------
    device : Device
    config : CoreConfig
    advice : str, optional
        What helps, where it is not what helps in general.
    """
    rows = memory_table(config)
    largest = sorted(rows, key=lambda row: -row["blocks"])[:2]
    named = " and ".join(f"{row['name']} {row['blocks']}" for row in largest)
    advice = advice or (
        (
            "lower --columns, of which each has a copy of all spikes, run smaller images, or "
            "build with --target sim"
        )
        if config.external
        else None
    )
    device.require(bram=sum(row["blocks"] for row in rows), detail=f" ({named})", advice=advice)


def _row(part, layout):
    """A memory, its slices laid out alike."""
    return {
        "name": part.name,
        "width": part.width,
        "depth": part.depth,
        "copies": part.copies,
        "blocks": part.copies * part.slices * layout.number,
        "multiplexed": part.copies * part.width * part.ports * (layout.banks - 1),
    }
