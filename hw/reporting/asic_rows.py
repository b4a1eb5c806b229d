"""What a report says of a netlist of standard cells."""

__all__ = ["asic_rows", "module_rows", "power_rows"]


#: Smallest part of the area that a module has a row for.
LEAST = 0.01

#: Groups of paths, as ``hw.asic.sta.timing`` names them, and what they are called.
_PATHS = {
    "registers": "from register to register",
    "from_memories": "behind a memory's output",
    "into_memories": "in front of a memory's input",
}


def asic_rows(asic):
    """Rows of the summary.

    Parameters
    ----------
    asic : dict
        What ``asic.json`` holds.

    Returns
    -------
    list of (str, str)
        Names and values.
    """
    area, checks = asic["area"], asic["checks"]
    bits = sum(size["words"] * size["bits"] * size["count"] for size in asic["memories"])
    unreset = sum(entry["bits"] for entry in checks["unreset"])
    rows = [
        ("Liberty", asic["liberty"]["name"]),
        ("area without memories", f"{area['total']:,.0f} µm²"),
        ("cells", f"{area['cells']:,}"),
        (
            "flip-flops",
            f"{checks['flip_flops']:,}: {checks['reset']:,} are reset, {unreset:,} listed",
        ),
        (
            "memories",
            f"{sum(size['count'] for size in asic['memories'])}, together {bits / 8192:,.1f} KiB",
        ),
        ("latches and inferred memories", f"{checks['latches'] + checks['inferred_memories']}"),
    ]
    if timed := asic["timing"]:
        met = "reached" if timed["slack_ns"] >= 0 else "missed"
        rows += [
            ("Fmax before placement, memories that answer at once", f"{timed['fmax_mhz']:.1f} MHz"),
            ("clock that was asked for", f"{timed['clock_mhz']:g} MHz, {met}"),
        ]
        rows += [
            (f"longest path {said}", f"{timed['paths_ns'][name]:.2f} ns")
            for name, said in _PATHS.items()
            if timed["paths_ns"][name] is not None
        ]
    rows += [
        (
            f"power and energy of picture {index}",
            f"{entry['milliwatts']:.2f} mW, {entry['microjoules']:.3f} µJ",
        )
        for index, entry in enumerate(asic["power"] or ())
    ]
    return rows


def module_rows(asic):
    """Rows of the table of modules: those with a part of the area that counts.

    Returns
    -------
    list of (str, list of str)
        Path of a module; area with all modules in it, its part of the whole, own area, own cells.
    """
    total = asic["area"]["total"]
    return [
        (
            path,
            [
                f"{own['total_area']:,.0f}",
                f"{own['total_area'] / total if total else 0:.1%}",
                f"{own['area']:,.0f}",
                f"{own['cells']:,}",
            ],
        )
        for path, own in asic["modules"].items()
        if own["total_area"] >= LEAST * total
    ]


def power_rows(asic):
    """Rows of the table of pictures: power, energy, and what the core did.

    Returns
    -------
    list of (str, list of str)
    """
    return [
        (
            str(index),
            [
                f"{entry['additions']:,}",
                f"{entry['cycles']:,}",
                f"{entry['milliwatts']:.3f}",
                f"{entry['sequential_milliwatts']:.3f}",
                f"{entry['combinational_milliwatts']:.3f}",
                f"{entry['microjoules']:.4f}",
            ],
        )
        for index, entry in enumerate(asic["power"] or ())
    ]
