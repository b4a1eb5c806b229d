"""The jobs of a layer, as the sequencer deals them out: a model of it in Python."""

from hw.isa.descriptors import Destination

from .stream import pack


__all__ = ["jobs", "layer_word"]


def jobs(planned, config, *, first_tile=0):
    """Jobs of a layer, in order.

    Parameters
    ----------
    planned : LayerPlan
        Of a layer that is no token sum.
    config : CoreConfig
    first_tile : int
        Number of tiles in all layers before, for the double buffer of external weights.

    Yields
    ------
    allowed : range or tuple of int
        Columns that may take the job.
    job : int
        Word of ``config.job``.
    """
    descriptor, n_groups = planned.descriptor, config.groups
    group = 0
    for number, tile in enumerate(planned.tiles, start=first_tile):
        half = {"half": number % 2} if config.external else {}
        group = 0 if descriptor["restart"] else group
        out, stream, mask = tile["out"], tile["stream"], tile["first_mask"]
        # Words, and their rows, that were gathered from to their last bit.
        words = 0
        windows = [(line, position) for line in planned.lines for position in planned.positions]
        for line, position in windows:
            result = pack(
                config.result,
                out=out,
                neuron=tile["neuron"],
                stream=stream,
                last_lane=tile["lanes"] - 1,
                **half,
            )
            allowed = range(config.columns)
            if descriptor["drain"] is Destination.LOGITS:
                allowed = (0,)
            elif descriptor["restart"]:
                allowed = range(group, config.columns, n_groups)
            span = position.span + tile["words"]
            yield (
                allowed,
                pack(
                    config.job,
                    spike=tile["spike"] + line.offset + position.offset + words,
                    row=tile["row"] + line.row + position.row + words * config.lanes,
                    row_jump=position.jump,
                    line_jump=descriptor["line_stride"] - span,
                    lines=line.steps,
                    words=position.steps + tile["words"],
                    first_mask=mask,
                    last_mask=tile["last_mask"],
                    lanes=tile["lanes"],
                    result=result,
                ),
            )
            if descriptor["gather"]:
                words += mask >> config.lanes - 1
                mask = 1 << mask.bit_length() % config.lanes
            out += descriptor["out_step"]
            stream += descriptor["stream_step"] if group == n_groups - 1 else 0
            group = (group + 1) % n_groups


def layer_word(planned, config):
    """Word of ``config.layer``, without what only the sequencer reads."""
    known = {name for name, _ in config.layer}
    values = {
        name: getattr(value, "value", value)
        for name, value in planned.descriptor.items()
        if name in known
    }
    return pack(config.layer, **values)
