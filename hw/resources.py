"""Block memories that a core takes on an ECP5, before synthesis."""

__all__ = ["memory_table", "require_memory"]


#: Shapes of a block memory: depth per width, one port of two (DP16KD); pseudo dual port adds 36.
TWO_PORT = {1: 16384, 2: 8192, 4: 4096, 9: 2048, 18: 1024}
ONE_READER = TWO_PORT | {36: 512}

#: Words below which a memory becomes distributed RAM, as the synthesis tool decides.
DISTRIBUTED = 32


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
    columns, groups = capacities.columns, capacities.groups
    # Each pair of columns, and of groups, reads one copy through its two ports.
    copies = {"weights": -(-columns // 2), "neurons": -(-groups // 2)}
    rows = []
    for name, (width, depth) in capacities.memories.items():
        if name == "neurons" and capacities.external:
            rows.append(_row(name, width, depth, groups, ONE_READER))
            continue
        slices = capacities.slices[name]
        row = _row(name, width // slices, depth, slices * copies.get(name, 1),
                   TWO_PORT if name in copies else ONE_READER)
        rows.append(row | {"width": width, "copies": row["copies"] // slices})
    rows += [
        _row("spikes", capacities.lanes, capacities.spike_depth, columns, ONE_READER),
        _row("stream", capacities.stream_width, capacities.stream_depth, groups, ONE_READER),
        _slices("attention", capacities.lanes, capacities.digit_width, capacities.attention_depth,
                columns),
        _row("sums", capacities.sum_width, capacities.sum_depth, 1, ONE_READER),
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


def _slices(name, width, slices, depth, copies):
    """A memory of one reader that is built of equal slices."""
    row = _row(name, width, depth, slices * copies, ONE_READER)
    return row | {"width": slices * width, "copies": copies}


def _row(name, width, depth, copies, shapes):
    blocks = 0
    if depth > DISTRIBUTED:
        blocks = copies * min(-(-width // w) * -(-depth // d) for w, d in shapes.items())
    return {"name": name, "width": width, "depth": depth, "copies": copies, "blocks": blocks}
