"""Block memories that a core takes on an ECP5, before synthesis."""

from ..isa.blocks import blocks, least


__all__ = ["memory_table", "require_memory"]


def memory_table(capacities):
    """Memories of a core.

    Parameters
    ----------
    capacities : Capacities

    Returns
    -------
    list of dict
        ``name``, ``width``, ``depth``, ``copies`` and, of all copies together, ``blocks`` and
        ``multiplexed``: bits that are chosen from another bank, which takes tables.
    """
    columns, groups, lanes = capacities.columns, capacities.groups, capacities.lanes
    # Each pair of columns, and of groups, reads one copy through its two ports. External neurons
    # are written beside their reads.
    copies = {"weights": -(-columns // 2),
              "neurons": groups if capacities.external else -(-groups // 2)}
    rows = []
    for name, (width, depth) in capacities.memories.items():
        ports = 2 if name in copies and not (capacities.external and name == "neurons") else 1
        sliced = 1 if capacities.external and name != "weights" else capacities.slices[name]
        # Synthesis lays out what has an image, in one file per slice.
        lay_out = blocks if capacities.external else least
        rows.append(_row(name, width, depth, copies.get(name, 1), sliced=sliced, ports=ports,
                         lay_out=lay_out))
    rows += [
        _row("pixels", capacities.pixel_width, capacities.pixel_depth, columns),
        _row("spikes", capacities.spike_width, capacities.spike_depth, columns),
        _row("stream", capacities.stream_width, capacities.stream_depth, groups),
        _row("attention", lanes * capacities.digit_width, capacities.attention_depth, columns),
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


def _row(name, width, depth, copies, *, sliced=1, ports=1, lay_out=blocks):
    """A memory whose words are cut into ``sliced`` equal parts."""
    part = lay_out(width // sliced, depth, ports=ports)
    return {"name": name, "width": width, "depth": depth, "copies": copies,
            "blocks": copies * sliced * part.number,
            "multiplexed": copies * width * ports * (part.banks - 1)}
