"""Descriptors of layers and tiles: what stays the same for all jobs of a layer or a tile."""

from golden import PIXELS

from ..isa.passes import count_passes, pixel_passes


__all__ = ["batch_fields", "layer_descriptor", "tile_descriptor"]


def layer_descriptor(model, code, source, *, word_stride, column_stride, row_step, **others):
    """Fields that follow from what a layer reads; those of where it stores are neutral.

    Parameters
    ----------
    model : IntegerModel
    code : SpikeCode
    source : SpikeMap
        The map that the layer walks.
    word_stride, column_stride : int
        Distance of two words of a row of taps, and of what two columns read, in the source's
        memory.
    row_step : int
        Rows from one word to the next.
    **others : int
        Further fields that are not neutral.

    Returns
    -------
    dict of str to int
    """
    pixels = source.tensor == PIXELS
    taken = pixel_passes if pixels else count_passes
    return {
        "token_sum": 0,
        "stream": 0,
        "first": 0,
        "shift": 0,
        "depthwise": 0,
        "attention_rows": 0,
        "gather": 0,
        "pixels": int(pixels),
        "releases": 0,
        "passes": len(taken(code, model.max_count)) - 1,
        "column_stride": column_stride,
        "word_stride": word_stride,
        "row_step": row_step,
        "digits": 0,
        "digit_stride": 0,
        "out_digits": 0,
        "out_stride": 0,
        "out_step": 1,
        "stream_step": 0,
    } | others


def batch_fields(out_step, size, columns):
    """Fields that follow from how a layer's lines are batched.

    Parameters
    ----------
    out_step : int
        Distance of two results of a line.
    size : (int, int)
        Output lines, and positions of each.
    columns : int
        Of the array.
    """
    lines, positions = size
    batches = -(-lines // columns)
    return {
        "out_jump": ((columns - 1) * positions + 1) * out_step,
        "out_column": positions * out_step,
        "batches": batches - 1,
        "positions": positions - 1,
        "last_columns": (1 << lines - (batches - 1) * columns) - 1,
    }


def tile_descriptor(channels, *, first_mask=None, last_mask=None, **fields):
    """Fields of a tile; masks of all lanes if they are not given.

    Parameters
    ----------
    channels : int array, shape (lanes,)
        Output channel of each lane, -1 where there is none.
    first_mask, last_mask : int, optional
    **fields : int
        All others.
    """
    ones = (1 << len(channels)) - 1
    return fields | {
        "first_mask": ones if first_mask is None else first_mask,
        "last_mask": ones if last_mask is None else last_mask,
        "lanes": int((channels >= 0).sum()),
    }
