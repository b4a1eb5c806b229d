"""The steps of a layer, as the address generator takes them: a model of it in Python."""

from dataclasses import dataclass, field

from hw.rtl.steps import step_layout

from .stream import pack


__all__ = ["Tile", "layer_word", "tiles"]


@dataclass
class Tile:
    """What the address generator says of a tile.

    Parameters
    ----------
    word : int
        The tile's descriptor.
    result : int
        Word of ``config.result`` for the first job.
    begins : int
        Columns that have jobs.
    steps : list of int
        Words of ``step_layout``.
    jobs : int
        Of all columns.
    """

    word: int
    result: int
    begins: int
    steps: list = field(default_factory=list)
    jobs: int = 0


def tiles(planned, plan):
    """Tiles of a layer, in order, with all their steps.

    Parameters
    ----------
    planned : LayerPlan
        Of a layer that is no token sum.
    plan : Plan
        Its ``required`` is the configuration of the core.

    Yields
    ------
    Tile
    """
    config = plan.required
    lines = planned.size[0]
    for fields in planned.tiles:
        result = pack(
            config.result,
            out=fields["out"],
            neuron=fields["neuron"],
            stream=fields["stream"],
            last_lane=fields["lanes"] - 1,
        )
        tile = Tile(pack(config.tile, **fields), result, _ones(min(lines, config.columns)))
        for batch, rows in enumerate(plan.tap_rows(planned, fields)):
            for position, window in enumerate(plan.tap_positions(planned)):
                _add_job(tile, planned, config, fields, batch, rows, position, window)
        yield tile


def layer_word(planned, config):
    """Word of ``config.layer``, without what only the sequencer reads."""
    known = {name for name, _ in config.layer}
    values = {
        name: getattr(value, "value", value)
        for name, value in planned.descriptor.items()
        if name in known
    }
    return pack(config.layer, **values)


def _ones(number):
    """A number with so many bits set."""
    return (1 << number) - 1


def _add_job(tile, planned, config, fields, batch, rows, position, window):
    """Adds the steps of one position of a batch of lines."""
    descriptor, lanes = planned.descriptor, config.lanes
    lines, positions = planned.size
    left = lines - batch * config.columns
    jobs = _ones(min(left, config.columns))
    tile.jobs += jobs.bit_count()
    line_ends = position == positions - 1
    # The columns whose last line this is.
    closing = jobs & ~_ones(max(0, min(left - config.columns, config.columns)))
    n_words = window.steps + fields["words"] + 1
    first_mask = fields["first_mask"]
    if descriptor["gather"]:
        bit = first_mask.bit_length() - 1 + batch * config.columns
        first_mask = 1 << bit % lanes
    for digit in range(descriptor["digits"] + 1):
        last_digit = digit == descriptor["digits"]
        for number in range(descriptor["passes"] + 1):
            last_pass = last_digit and number == descriptor["passes"]
            common = {
                "valid": 1,
                "jobs": jobs,
                "closing": closing,
                "lanes": fields["lanes"] * last_digit,
                "pixels": descriptor["pixels"],
                "chosen": 1 << number if number < len(config.passes) else 0,
                "pixel_pass": number % (1 << step_layout(config)["pixel_pass"].width),
            }
            for index, row in enumerate(rows):
                for word in range(n_words):
                    ends = word == n_words - 1 and index == len(rows) - 1
                    mask = _ones(lanes)
                    if word == 0 or descriptor["gather"]:
                        mask &= first_mask
                    if word == n_words - 1:
                        mask &= fields["last_mask"]
                    step = common | {
                        "offset": fields["spike"]
                        + window.offset
                        + row.offset
                        + word * descriptor["word_stride"],
                        "row": fields["row"]
                        + window.row
                        + row.row
                        + word * descriptor["row_step"]
                        + digit * descriptor["digit_stride"],
                        "mask": mask,
                        "columns": row.columns,
                        "ends": int(ends),
                        "last": int(ends and last_pass),
                        "line_ends": int(line_ends and last_pass and index == len(rows) - 1),
                    }
                    tile.steps.append(_packed(config, step))


def _packed(config, step):
    """Word of a step, whose addresses wrap."""
    layout = step_layout(config)
    wraps = {name: step[name] % (1 << layout[name].width) for name in ("offset", "row")}
    return pack(layout, **step | wraps)
