"""One column and its readout, as the array connects them: what testbenches run networks on."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.rtl.column import Column
from hw.rtl.readout import Readout


__all__ = ["OneColumn"]

#: Ports between the two.
INNER = {"readout", "column", "layer"}


class OneColumn(wiring.Component):
    """Column 0, whose readout has the bus in cycles with ``slot``.

    Members are all of ``Column`` and ``Readout`` but those that connect them.
    """

    def __init__(self, config):
        self.config = config
        self._parts = [Column(config, number=0), Readout(config, number=0)]
        outer = {}
        for part in self._parts:
            outer |= {
                name: port for name, port in part.signature.members.items() if name not in INNER
            }
        super().__init__({"layer": In(config.layer), **outer})

    def elaborate(self, platform):
        m = Module()
        column, readout = self._parts
        m.submodules.column, m.submodules.readout = column, readout
        wiring.connect(m, column.readout, readout.column)
        for part in self._parts:
            m.d.comb += part.layer.eq(self.layer)
            for (name, *indices), port, inner in part.signature.flatten(part):
                if name in INNER:
                    continue
                outer = getattr(self, name)
                for index in indices:
                    outer = getattr(outer, index) if isinstance(index, str) else outer[index]
                if port.flow is In:
                    m.d.comb += inner.eq(outer)
                else:
                    m.d.comb += outer.eq(inner)
        return m
