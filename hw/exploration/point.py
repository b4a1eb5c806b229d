"""A point of the search: a core, its estimated cycles and predicted LUTs, and the front of them."""

from dataclasses import dataclass, fields

from golden import SpikeCode
from golden.analysis.front import front

from ..compiler import compile_model
from ..estimate.area_model import predicted_lut
from ..estimate.block_rams import memory_table
from ..estimate.mean_cycles import estimate


__all__ = ["POINT_FORM", "Point", "evaluate", "pareto"]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A core, and what it costs.

    Parameters
    ----------
    columns, lanes : int
    spike_code : str
    bus_width : int
        0 for weights on chip.
    cycles, additions : float
        Per image, estimated from mean counts.
    lut : float
        Predicted LUTs.
    blocks : int
        Block RAMs.
    fits : bool
        Whether the device has both.
    """

    columns: int
    lanes: int
    spike_code: str
    bus_width: int
    cycles: float
    additions: float
    lut: float
    blocks: int
    fits: bool

    @property
    def utilisation(self):
        """Share of the adders' cycles in which they add."""
        return self.additions / (self.cycles * self.columns * self.lanes)

    @property
    def options(self):
        """Options of ``hw.build`` that build the core."""
        return [
            "--columns",
            str(self.columns),
            "--lanes-per-column",
            str(self.lanes),
            "--spike-code",
            self.spike_code,
            "--bus-width",
            str(self.bus_width),
        ]


#: What a storage must hold of a point.
POINT_FORM = {field.name: field.type for field in fields(Point)}


def evaluate(model, device, additions, *, columns, lanes, spike_code, bus_width):
    """A point of the search.

    Parameters
    ----------
    model : IntegerModel
    device : Device
    additions : dict of str to dict of str to float
        By spike code, those of each layer of the model and image; empty where they follow from mean
        counts, as those of copies do.
    columns, lanes, spike_code, bus_width
        As in ``Point``.

    Raises
    ------
    ValueError
        If there is no such core for the model.
    """
    plan = compile_model(
        model,
        columns=columns,
        lanes=lanes,
        spike_code=SpikeCode(spike_code),
        bus_width=bus_width,
    )
    quick = estimate(plan, additions and additions[spike_code])
    lut = predicted_lut(plan.required)
    blocks = sum(row["blocks"] for row in memory_table(plan.required))
    return Point(
        columns=columns,
        lanes=lanes,
        spike_code=spike_code,
        bus_width=bus_width,
        cycles=quick.total,
        additions=sum(added for _, added in quick.layers.values()),
        lut=lut,
        blocks=blocks,
        fits=lut <= device.lut and blocks <= device.bram,
    )


def pareto(points):
    """Points that no other one beats in cycles and LUTs at once, the fastest first."""
    return front(points, lambda point: (point.cycles, point.lut))
