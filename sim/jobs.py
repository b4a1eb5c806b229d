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
    column : int
    job : int
        Word of ``capacities.job``.
    """
    record = planned.record
    column = 0
    for number, tile in enumerate(planned.tiles, start=first_tile):
        half = {"half": number % 2} if capacities.external else {}
        column = 0 if record["restart"] else column
        out, stream, turn = tile["out"], tile["stream"], 0
        windows = [(line, position) for line in planned.lines for position in planned.positions]
        for index, (line, position) in enumerate(windows):
            turn_ends = turn == record["turn"] - 1 or index == len(windows) - 1
            result = pack(capacities.result, out=out, neuron=tile["neuron"], stream=stream,
                          last_lane=tile["lanes"] - 1, slot=turn, block_last=turn_ends, **half)
            span = position.span + tile["words"]
            plane_jump = record["plane_stride"] - line.span - span
            yield column, pack(
                capacities.job, spike=tile["spike"] + line.offset + position.offset,
                row=tile["row"] + line.row + position.row, row_jump=position.jump,
                line_jump=record["line_stride"] - span, plane_jump=plane_jump,
                digit_jump=plane_jump + record["rewind"], lines=line.steps,
                words=position.steps + tile["words"], first_mask=tile["first_mask"],
                last_mask=tile["last_mask"], lanes=tile["lanes"], result=result)
            if turn_ends or record["drain"] is not Drain.KEYS:
                out += record["out_step"]
            turn = 0 if turn_ends else turn + 1
            if turn_ends:
                column = (column + 1) % capacities.columns
                stream += record["stream_step"] if column == 0 else 0


def layer_word(planned, capacities):
    """Word of ``capacities.layer``, without what only the sequencer reads."""
    known = {name for name, _ in capacities.layer}
    values = {name: getattr(value, "value", value) for name, value in planned.record.items()
              if name in known}
    return pack(capacities.layer, **values)
