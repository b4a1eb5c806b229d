"""The memories of a core, and whether block RAMs are scarce beside them."""

from dataclasses import dataclass
from functools import cache

from .blocks import DEVICE_BLOCKS, blocks, least
from .pairs import PAIR
from .spike_word import QUEUE_DEPTH, word_layout


__all__ = [
    "ATTENTION_PARTS",
    "MemoryPart",
    "block_rams_scarce",
    "image_slices",
    "memory_parts",
    "smallest_device",
]


#: Memories of the rows that attention adds: those of its first pass, and those of its second.
ATTENTION_PARTS = ("values", "key_values")


@dataclass(frozen=True, kw_only=True)
class MemoryPart:
    """One memory of a core.

    Parameters
    ----------
    name : str
    width, depth : int
        Bits of a word and number of words.
    copies : int
        How often the core has it.
    slices : int
        Equal parts of a word, each laid out on its own.
    ports : {1, 2}
        Ports that read.
    image : bool
        Whether synthesis lays it out, as it does with what has a memory image.
    """

    name: str
    width: int
    depth: int
    copies: int = 1
    slices: int = 1
    ports: int = 1
    image: bool = False

    def layout(self, *, scarce):
        """Layout of one slice, a `Blocks`."""
        width = self.width // self.slices
        if self.image:
            return least(width, self.depth, ports=self.ports)
        return blocks(width, self.depth, ports=self.ports, scarce=scarce)


def memory_parts(config, *, scarce):
    """All memories of a core.

    Parameters
    ----------
    config : CoreConfig
    scarce : bool
        Whether block RAMs are scarce, see ``block_rams_scarce``.

    Returns
    -------
    list of MemoryPart
    """
    columns, external = config.columns, config.external
    banks = columns * config.banks
    kinds = {
        "weights": {"slices": config.weight_slices},
        "neurons": {"slices": image_slices(config, "neurons", scarce=scarce)},
        "program": {"slices": image_slices(config, "program", scarce=scarce)},
        "windows": {"ports": 2},
    }
    buffers = config.buffer_depths
    filled = [
        MemoryPart(name=name, width=width, depth=depth, image=not external, **kinds[name])
        for name, (width, depth) in config.memories.items()
        if not (external and name in buffers)
    ]
    # Each pair of columns reads pixels through two ports, each pair of banks a buffer of weights.
    pixels = MemoryPart(
        name="pixels",
        width=config.pixel_width,
        depth=config.pixel_depth,
        copies=-(-columns // 2),
        ports=2,
    )
    tiles = [
        MemoryPart(
            name=name,
            width=config.weight_word,
            depth=depth,
            copies=-(-banks // 2),
            ports=2,
        )
        for name, depth in zip(
            ("weight tiles", "second weight tiles"), config.tile_depths, strict=True
        )
    ]
    # So it does rows of attention.
    attention = [
        MemoryPart(
            name=part,
            width=config.digit_word,
            depth=config.attention_depth,
            copies=-(-banks // 2),
            ports=2,
        )
        for part in ATTENTION_PARTS
        if config.attention
    ]
    others = (
        ("neuron tiles", config.neurons.size, buffers["neurons"], columns),
        ("spikes", config.spike_width, config.spike_depth, columns),
        ("residual", PAIR * config.residual_width, config.residual_depth, columns),
        ("queues", word_layout(config).size, QUEUE_DEPTH, banks),
        ("sums", PAIR * config.sum_width, config.sum_depth, 1),
    )
    return [*filled, pixels, *tiles, *attention] + [
        MemoryPart(name=name, width=width, depth=depth, copies=copies)
        for name, width, depth, copies in others
    ]


def image_slices(config, name, *, scarce):
    """Equal parts of a word of a memory with an image: as many as take the fewest block RAMs.

    Where these are not scarce, parts are so narrow that none needs a multiplexer. Of parts that are
    alike in that, the narrowest are taken, since synthesis finds such shapes for few bits only: of
    20 bits in 2,080 words it spares a block, and takes 65 LUTs for it.
    """
    if config.external:
        return 1
    width, depth = config.memories[name]

    def cost(number):
        part = least(width // number, depth, ports=1)
        multiplexed = 0 if scarce else (part.banks - 1) * width
        return multiplexed, part.number * number, -number

    return min((n for n in range(1, width + 1) if width % n == 0), key=cost)


@cache
def block_rams_scarce(config):
    """Whether layouts of the fewest LUTs would put a core on a larger device.

    Only then a block RAM has a price. Where no device holds the core either way, none has.
    """
    return smallest_device(config, scarce=False) > smallest_device(config, scarce=True)


def smallest_device(config, *, scarce):
    """Number of the smallest of ``DEVICE_BLOCKS`` that holds a core; one more if none does."""
    number = sum(
        part.copies * part.slices * part.layout(scarce=scarce).number
        for part in memory_parts(config, scarce=scarce)
    )
    return sum(number > held for held in DEVICE_BLOCKS)
