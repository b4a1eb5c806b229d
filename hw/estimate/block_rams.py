"""Block RAMs that a core takes on an ECP5, before synthesis."""

from ..isa.blocks import blocks, least
from ..rtl.word_queue import QUEUE_DEPTH
from ..rtl.word_reader import word_layout


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
    columns, lanes = config.columns, config.lanes
    # Each pair of columns reads one copy through its two ports. External neurons
    # are written beside their reads.
    copies = {
        "weights": -(-columns // 2),
        "neurons": columns if config.external else -(-columns // 2),
    }
    rows = []
    for name, (width, depth) in config.memories.items():
        shared = name == "windows" or name in copies
        ports = 2 if shared and not (config.external and name == "neurons") else 1
        sliced = 1 if config.external and name != "weights" else config.slices[name]
        # Synthesis lays out what has an image, in one file per slice.
        lay_out = blocks if config.external else least
        rows.append(
            _row(
                name, width, depth, copies.get(name, 1), sliced=sliced, ports=ports, lay_out=lay_out
            )
        )
    rows += [
        _row("pixels", config.pixel_width, config.pixel_depth, columns),
        _row("spikes", config.spike_width, config.spike_depth, columns),
        _row("residual", config.residual_width, config.residual_depth, columns),
        _row("attention", lanes * config.digit_width, config.attention_depth, columns),
        _row("queues", word_layout(config).size, QUEUE_DEPTH, columns),
        _row("sums", config.sum_width, config.sum_depth, 1),
    ]
    return rows


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


def _row(name, width, depth, copies, *, sliced=1, ports=1, lay_out=blocks):
    """A memory whose words are cut into ``sliced`` equal parts."""
    part = lay_out(width // sliced, depth, ports=ports)
    return {
        "name": name,
        "width": width,
        "depth": depth,
        "copies": copies,
        "blocks": copies * sliced * part.number,
        "multiplexed": copies * width * ports * (part.banks - 1),
    }
