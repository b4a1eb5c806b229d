"""The weight image: what an external memory holds for a core whose weights are not on chip.

``hw.rtl.image_reader`` describes the format. All tiles of a model lie in it, in the order in which
they are computed; on chip they pass through the buffers of columns.
"""

from dataclasses import dataclass

from amaranth.lib import data

from .checksum import checksum
from .fields import pack


__all__ = [
    "BURST",
    "BURST_COUNT_WIDTH",
    "Section",
    "head_layout",
    "image_bytes",
    "image_length",
    "read_image",
    "section_layout",
    "write_image",
]


#: Beats of a burst. A burst is aligned to its own size, so that it never crosses 4 KiB.
BURST = 16
#: Bits of a number of bursts.
BURST_COUNT_WIDTH = 24


def head_layout():
    """Layout of an image's first beat, in its lowest bits.

    ``fingerprint`` names the core that the image was made for, ``bursts`` is its length.
    """
    return data.StructLayout({"fingerprint": 32, "bursts": BURST_COUNT_WIDTH})


def section_layout():
    """Layout of a section's header, in the lowest bits of its beat.

    ``address`` and ``memory`` stand where the load port expects them. ``closes`` marks the last
    section of the table or of a tile, behind which its checksum follows; ``final`` that of the
    image. A section that is written ``again`` takes the place of what the tile before reads.
    ``beats`` is the number of beats that follow the header.
    """
    return data.StructLayout({
        "address": 24,
        "closes": 1,
        "final": 1,
        "again": 1,
        "reserved": 1,
        "memory": 4,
        "beats": 32,
    })


@dataclass(frozen=True)
class Section:
    """One packet for the load port.

    Parameters
    ----------
    memory : str
    address : int
        Of the first word.
    words : list of int
    again : bool
        Whether it takes the place of what the tile before reads.
    """

    memory: str
    address: int
    words: list
    again: bool = False


def write_image(words, plan, config):
    """Beats of the weight image.

    Parameters
    ----------
    words : dict of str to list of int
        Of every memory: ``weights`` and ``neurons`` as if they lay on chip, ``program`` and
        ``windows`` as the core reads them.
    plan : Plan
    config : CoreConfig
        Of the core.

    Returns
    -------
    list of int
        Of ``bus_width`` bits, whole bursts.
    """
    groups = [[Section("program", 0, words["program"]), Section("windows", 0, words["windows"])]]
    for planned in plan.layers:
        for tile, fill in zip(planned.tiles, planned.fills, strict=True):
            neurons = words["neurons"][fill.neuron : fill.neuron + config.pairs]
            sections = [Section("neurons", tile["neuron"], neurons)]
            if fill.rows:
                there = fill.in_words(config.rows_at_once)
                rows = words["weights"][there.row : there.row + there.rows]
                target = tile["row"] // config.rows_at_once
                sections.append(Section("weights", target, rows, fill.again))
            groups.append(sections)

    beats = [0]
    for index, sections in enumerate(groups):
        final = index == len(groups) - 1
        group = [
            beat
            for section in sections
            for beat in _section_beats(section, config, final=final, closes=section is sections[-1])
        ]
        beats += [*group, checksum(group, config.bus_width)]
        if index == 0:
            table = len(beats) - 1
    beats += [0] * (-len(beats) % BURST)
    beats[0] = pack(
        head_layout(), {"fingerprint": config.fingerprint, "bursts": len(beats) // BURST}
    )
    # The head, whose length is that of the whole image, belongs to the table.
    beats[table] = checksum(beats[:table], config.bus_width)
    return beats


def image_length(plan):
    """Beats of the weight image of a plan, without writing it."""
    required = plan.required
    beats = {
        name: -(-width // required.bus_width) for name, (width, _) in required.memories.items()
    }
    # The head, two headers and a checksum; then headers and a checksum per tile.
    length = (
        4 + required.program_depth * beats["program"] + required.window_depth * beats["windows"]
    )
    for fill in plan.fills:
        length += 2 + required.pairs * beats["neurons"]
        if fill.rows:
            length += 1 + fill.in_words(required.rows_at_once).rows * beats["weights"]
    return -(-length // BURST) * BURST


def read_image(beats, config):
    """Sections of the table and of each tile; the inverse of ``write_image``.

    Returns
    -------
    list of list of Section

    Raises
    ------
    ValueError
        If the image is of another core, or a checksum is wrong.
    """
    numbers = list(config.memories)
    head = _fields(head_layout(), beats[0])
    if head["fingerprint"] != config.fingerprint:
        raise ValueError("The weight image must be made for this core: write it again")
    groups, group, begin, at = [], [], 0, 1
    while True:
        header = _fields(section_layout(), beats[at])
        name = numbers[header["memory"]]
        width, _ = config.memories[name]
        per_word = -(-width // config.bus_width)
        payload = beats[at + 1 : at + 1 + header["beats"]]
        words = [
            sum(beat << config.bus_width * index for index, beat in enumerate(parts))
            for parts in zip(*[iter(payload)] * per_word, strict=True)
        ]
        group.append(Section(name, header["address"], words, bool(header["again"])))
        at += 1 + len(payload)
        if header["closes"]:
            if beats[at] != checksum(beats[begin:at], config.bus_width):
                raise ValueError(
                    f"Tile {len(groups)} of the weight image must have the "
                    "checksum behind it: write it again"
                )
            groups.append(group)
            group, begin, at = [], at + 1, at + 1
        if header["final"]:
            return groups


def image_bytes(beats, width):
    """Content of the external memory, from the image's base address on."""
    return b"".join(beat.to_bytes(width // 8, "little") for beat in beats)


def _section_beats(section, config, *, closes, final):
    """Header and payload."""
    width, _ = config.memories[section.memory]
    mask = (1 << config.bus_width) - 1
    payload = [
        (word >> shift) & mask
        for word in section.words
        for shift in range(0, width, config.bus_width)
    ]
    header = pack(
        section_layout(),
        {
            "address": section.address,
            "closes": closes,
            "final": closes and final,
            "again": section.again,
            "reserved": 0,
            "memory": list(config.memories).index(section.memory),
            "beats": len(payload),
        },
    )
    return [header, *payload]


def _fields(layout, beat):
    return {name: beat >> field.offset & (1 << field.width) - 1 for name, field in layout}
