"""The jobs of a layer, as the sequencer deals them out: a model of it in Python."""

from hw.records import Drain

from .stream import pack


__all__ = ["jobs", "layer_word"]


def jobs(planned, capacities, *, first_tile=0):
    """Jobs of a layer, in order.

    Parameters
    ----------
    planned : LayerPlan
        Of a layer that is no token sum.
    capacities : Capacities
    first_tile : int
        Number of tiles in all layers before, for the double buffer of external weights.

    Yields
    ------
    allowed : range or tuple of int
        Columns that may take the job.
    job : int
        Word of ``capacities.job``.
    """
    record, n_groups, shared = planned.record, capacities.groups, capacities.shared
    keys = record["drain"] is Drain.KEYS
    group = column = 0
    for number, tile in enumerate(planned.tiles, start=first_tile):
        half = {"half": number % 2} if capacities.external else {}
        if record["restart"]:
            group = column = 0
        out, stream, slot = tile["out"], tile["stream"], 0
        windows = [(line, position) for line in planned.lines for position in planned.positions]
        for index, (line, position) in enumerate(windows):
            block_ends = slot == capacities.lanes - 1 or index == len(windows) - 1
            result = pack(capacities.result, out=out, neuron=tile["neuron"], stream=stream,
                          last_lane=tile["lanes"] - 1, slot=slot, block_last=block_ends, **half)
            allowed = range(capacities.columns)
            if keys or record["drain"] is Drain.LOGITS:
                allowed = (column * n_groups + group,)
            elif record["restart"]:
                allowed = range(group, capacities.columns, n_groups)
            span = position.span + tile["words"]
            plane_jump = record["plane_stride"] - line.span - span
            yield allowed, pack(
                capacities.job, spike=tile["spike"] + line.offset + position.offset,
                row=tile["row"] + line.row + position.row, row_jump=position.jump,
                line_jump=record["line_stride"] - span, plane_jump=plane_jump,
                digit_jump=plane_jump + record["rewind"], lines=line.steps,
                words=position.steps + tile["words"], first_mask=tile["first_mask"],
                last_mask=tile["last_mask"], lanes=tile["lanes"], result=result)
            slot = 0 if block_ends else slot + 1
            if keys and not block_ends:
                column = (column + 1) % shared
                continue
            out += record["out_step"]
            stream += record["stream_step"] if group == n_groups - 1 else 0
            column, group = 0, (group + 1) % n_groups


def layer_word(planned, capacities):
    """Word of ``capacities.layer``, without what only the sequencer reads."""
    known = {name for name, _ in capacities.layer}
    values = {name: getattr(value, "value", value) for name, value in planned.record.items()
              if name in known}
    return pack(capacities.layer, **values)
