"""The program of a plan: headers and descriptors as words of the program memory."""

from ..isa.fields import DISTANCES, pack
from ..isa.plan import Fill
from ..isa.program_word import PROGRAM_WIDTH, words_of


__all__ = ["program_words"]


def program_words(plan, config):
    """Words of the program: header, descriptors of layers and tiles, thresholds of token sums.

    The header is filled with the first tile, and each tile with the next one.
    """
    height, width, _ = plan.model.image_shape
    # Behind the last tile comes none.
    fills = iter([*plan.fills, Fill(0, 0, 0, 0, False)])
    header = {
        "last_pixel": height * width - 1,
        "layers": len(plan.layers),
        "classes": plan.model.classes,
    }
    words = _filled(config, config.header, header, next(fills))
    for layer in plan.layers:
        descriptor = dict(layer.descriptor)
        wraps = DISTANCES
        if descriptor["token_sum"]:
            # The address of the first word that is fired, and not a distance.
            wraps = DISTANCES - {"out_step"}
        else:
            descriptor["tiles"] = len(layer.tiles)
        try:
            words += _split(config.layer, pack(config.layer, descriptor, wraps=wraps))
            for tile in layer.tiles:
                words += _filled(config, config.tile, tile, next(fills))
        except ValueError as error:
            raise ValueError(f"Layer {layer.name}: {error}") from error
        words += [threshold & ((1 << PROGRAM_WIDTH) - 1) for threshold in layer.thresholds]
    return words


def _filled(config, layout, values, fill):
    """A descriptor with what the next tile is filled with, as program words."""
    filled = config.filled(layout)
    word = pack(layout, values, wraps=DISTANCES)
    if not config.external:
        word |= pack(config.fill, vars(fill.in_words(config.rows_at_once))) << filled["fill"].offset
    return _split(filled, word)


def _split(layout, word):
    """A word of a layout as program words, least significant first."""
    return [
        (word >> PROGRAM_WIDTH * index) & ((1 << PROGRAM_WIDTH) - 1)
        for index in range(words_of(layout))
    ]
