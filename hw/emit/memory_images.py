"""Memory images: a plan as the words that fill a core's memories, and back."""

import hashlib
import re

import numpy as np

from ..isa.fields import DISTANCES, pack
from ..isa.pairs import PAIR
from ..isa.plan import TapRow
from ..isa.weight_image import read_image, write_image
from .licence import VERILOG_HEAD
from .program_words import program_words


__all__ = [
    "IMAGE_FILE",
    "beats",
    "digest",
    "hex_words",
    "image_words",
    "memory_words",
    "read_hex",
    "read_weights",
    "slice_names",
    "slice_paths",
    "sliced",
    "write_hex",
]


#: What the first line of a memory image begins with; the digest follows.
DIGEST_COMMENT = "// sha256 "

#: Paths that builds give to memory images, in any format.
IMAGE_FILE = re.compile(
    r"rom/(?P<memory>weights|neurons|program|windows|external)(\.(?P<slice>\d+))?"
    r"\.(?P<format>hex|coe|mif|mi)"
)


def image_words(plan, config):
    """Words of every memory image, as ``CoreConfig.image_files`` lists them.

    Parameters and result are those of ``memory_words``, which it is where weights lie on chip.
    """
    words = memory_words(plan, config)
    if config.external:
        return {"external": write_image(words, plan, config)}
    return words


def memory_words(plan, config):
    """Words of every memory, as if all weights and neurons lay on chip.

    Parameters
    ----------
    plan : Plan
    config : CoreConfig
        Of the core that the memory images are for; they may be larger than the plan needs.

    Returns
    -------
    dict of str to list of int
        Unsigned words, in the order of the load port's memory numbers.
    """
    return {
        "weights": _pack_rows(plan.rows, config.weight_width, config.rows_at_once),
        "neurons": [
            _pack_neurons(config, pair) for pair in zip(*[iter(plan.neurons)] * PAIR, strict=True)
        ],
        "program": program_words(plan, config),
        "windows": [
            pack(
                config.tap_row if isinstance(window, TapRow) else config.tap_position,
                vars(window),
                wraps=DISTANCES,
            )
            for window in plan.windows
        ],
    }


def read_weights(images, config):
    """Rows of weights, tile by tile, from the words of the memory images that hold them.

    Parameters
    ----------
    images : list of list of int
        Unsigned words of the memory images of ``weights``, row by row of a word and lane by lane,
        or of ``external`` alone.
    config : CoreConfig

    Returns
    -------
    int16 array, shape (rows, lanes)
    """
    slices = images
    if config.external:
        words = [
            word
            for group in read_image(images[0], config)
            for section in group
            if section.memory == "weights"
            for word in section.words
        ]
        slices = sliced(words, config.memories["weights"][0], config.slices["weights"])
    sign = 1 << (config.weight_width - 1)
    words = ((np.array(slices, np.int64) ^ sign) - sign).T
    return words.reshape(-1, config.lanes).astype(np.int16)


def slice_names(config):
    """Names of the image files of each memory, one per slice."""
    return {
        name: tuple(
            f"{name}.hex" if slices == 1 else f"{name}.{index}.hex" for index in range(slices)
        )
        for name, (_, slices) in config.image_files.items()
    }


def slice_paths(config):
    """Image files of each memory, one per slice, relative to the build directory."""
    return {
        memory: tuple(f"rom/{name}" for name in names)
        for memory, names in slice_names(config).items()
    }


def sliced(words, width, slices):
    """Words of each slice of a memory, lowest bits first.

    Parameters
    ----------
    words : list of int
    width : int
        Bits of a word.
    slices : int
        A divisor of ``width``.

    Returns
    -------
    list of list of int
    """
    part = width // slices
    mask = (1 << part) - 1
    return [[(word >> part * index) & mask for word in words] for index in range(slices)]


def digest(words, width):
    """SHA-256 over the words as text, one fixed number of hexadecimal digits per line."""
    return hashlib.sha256(_lines(words, width).encode()).hexdigest()


def write_hex(words, width):
    """Text of a memory image for ``$readmemh``, headed by its digest and its licence."""
    return f"{DIGEST_COMMENT}{digest(words, width)}\n{VERILOG_HEAD}{_lines(words, width)}"


def read_hex(text, width, *, name):
    """Words of a memory image, checked against the digest in its first line.

    Raises
    ------
    ValueError
        If the image has no digest, holds something that is no word of ``width`` bits, or was
        changed.
    """
    head, _, body = text.partition("\n")
    # Those of older builds have no licence.
    body = body.removeprefix(VERILOG_HEAD)
    if not head.startswith(DIGEST_COMMENT):
        raise ValueError(
            f"Memory image {name} must begin with its digest: remove it and build again"
        )
    try:
        words = [int(line, 16) for line in body.split()]
    except ValueError:
        raise ValueError(
            f"Memory image {name} must hold hexadecimal words only: remove it and build again"
        ) from None
    # The text itself, too: what Python reads as a number may be none for Verilog.
    if (
        head != f"{DIGEST_COMMENT}{digest(words, width)}"
        or body != _lines(words, width)
        or max(words, default=0) >> width
    ):
        raise ValueError(
            f"Memory image {name} must match its digest, but was changed: remove it and build again"
        )
    return words


def beats(memory, words, width, *, address=0):
    """One packet for the load port: header, then words of 32-bit beats, least significant first.

    Parameters
    ----------
    memory : int
        Number of the memory, as ordered in ``CoreConfig.memories``.
    words : list of int
    width : int
        Bits of a word.
    address : int
        Where the first word goes.
    """
    packet = [memory << 28 | address]
    for word in words:
        packet.extend((word >> shift) & 0xFFFFFFFF for shift in range(0, width, 32))
    return packet


def hex_words(words, width):
    """Words in hexadecimal digits, as many as a word of ``width`` bits takes."""
    digits = -(-width // 4)
    return [f"{word:0{digits}x}" for word in words]


def _lines(words, width):
    return "".join(f"{word}\n" for word in hex_words(words, width))


def _pack_rows(rows, width, at_once):
    """Words of so many rows, the first one lowest, and of each lane 0 lowest."""
    mask = (1 << width) - 1
    return [
        sum((weight & mask) << width * place for place, weight in enumerate(word))
        for word in rows.reshape(-1, at_once * rows.shape[1]).tolist()
    ]


def _pack_neurons(config, neurons):
    """A word of neurons."""
    return sum(
        _pack_neuron(config, *neuron) << index * config.neuron.size
        for index, neuron in enumerate(neurons)
    )


def _pack_neuron(config, bias, thresholds):
    """A neuron's bits. A threshold beyond every result becomes the least one that is."""
    width = config.threshold_width
    never = 1 << (config.result_width - 1)
    thresholds = [min(max(threshold, -never), never) for threshold in thresholds]
    word = 0
    for place, number in enumerate((bias, *thresholds)):
        if not -never << 1 <= number < never << 1:
            raise ValueError(
                f"A bias must fit the {width} bits of the neuron memory, not be {number}"
            )
        word |= (number & (1 << width) - 1) << place * width
    return word
