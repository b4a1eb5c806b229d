"""Block memories that a core takes on an ECP5, before synthesis."""

from .blocks import blocks, least


__all__ = ["memory_table", "require_memory"]


def memory_table(capacities):
    """Memories of a core.

    Parameters
    ----------
    capacities : Capacities

    Returns
    -------
    list of dict
        ``name``, ``width``, ``depth``, ``copies`` and ``blocks`` (of all copies together).
    """
    columns, groups, lanes = capacities.columns, capacities.groups, capacities.lanes
    # Each pair of columns, and of groups, reads one copy through its two ports. External neurons
    # are written beside their reads.
    copies = {"weights": -(-columns // 2),
              "neurons": groups if capacities.external else -(-groups // 2)}
    rows = []
    for name, (width, depth) in capacities.memories.items():
        slices, ports = capacities.slices[name], 2 if name in copies else 1
        if capacities.external and name == "weights":
            part = blocks(width // slices, depth, ports=2).number
        elif capacities.external:
            slices, part = 1, blocks(width, depth, ports=1).number
        else:
            # Synthesis lays out what has an image, in one file per slice.
            part = least(width // slices, depth, ports=ports)
        rows.append(_entry(name, width, depth, copies.get(name, 1), slices * part))
    bit = blocks(lanes, capacities.attention_depth, ports=1).number
    rows += [
        _row("spikes", lanes, capacities.spike_depth, columns),
        _row("stream", capacities.stream_width, capacities.stream_depth, groups),
        _entry("attention", lanes * capacities.digit_width, capacities.attention_depth, columns,
               bit * capacities.digit_width),
        _row("sums", capacities.sum_width, capacities.sum_depth, 1),
    ]
    return rows


def require_memory(device, capacities):
    """Raises ValueError if a core's memories do not fit a device: how many, which, what helps."""
    rows = memory_table(capacities)
    largest = sorted(rows, key=lambda row: -row["blocks"])[:2]
    named = " and ".join(f"{row['name']} {row['blocks']}" for row in largest)
    advice = ("lower --columns, of which each has a copy of all spikes, run smaller images, or "
              "build with --target sim") if capacities.external else None
    device.require(bram=sum(row["blocks"] for row in rows), detail=f" ({named})", advice=advice)


def _row(name, width, depth, copies):
    """A memory of one reader without an image."""
    return _entry(name, width, depth, copies, blocks(width, depth, ports=1).number)


def _entry(name, width, depth, copies, each):
    return {"name": name, "width": width, "depth": depth, "copies": copies,
            "blocks": copies * each}
