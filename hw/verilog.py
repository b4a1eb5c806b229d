"""The emitted Verilog: one file whose top module is ``accelerator``."""

import os
from pathlib import Path

from amaranth import *
from amaranth.back import verilog

from .core import Core


__all__ = ["TOP", "emit"]


TOP = "accelerator"


class _Top(Elaboratable):
    """Names and clocks of the outside world: AXI4-Stream, synchronous active-low reset."""

    def __init__(self, core):
        self.core = core
        self.aclk = Signal(name="aclk")
        self.aresetn = Signal(name="aresetn")
        self.ports = [self.aclk, self.aresetn]
        self._wires = []
        for prefix, name, incoming in (("s_axis_pixels", "pixels", True),
                                       ("m_axis_logits", "logits", False),
                                       ("s_axis_load", "load", True)):
            self._stream(prefix, getattr(core, name), incoming)
        for name in ("busy", "error", "layer", "cycles", "additions"):
            port = Signal.like(getattr(core, name), name=name)
            self.ports.append(port)
            self._wires.append((port, getattr(core, name)))

    def _stream(self, prefix, port, incoming):
        for suffix, value, forward in (("tdata", port.p.data, True), ("tlast", port.p.last, True),
                                       ("tvalid", port.valid, True), ("tready", port.ready, False)):
            outer = Signal(len(value), name=f"{prefix}_{suffix}")
            self.ports.append(outer)
            self._wires.append((value, outer) if incoming == forward else (outer, value))

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain(local=True)
        m.submodules.core = self.core
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        m.d.comb += [target.eq(value) for target, value in self._wires]
        return m


def emit(capacities, *, images=None):
    """Verilog of a core and the names of its ports.

    Parameters
    ----------
    capacities : Capacities
    images : dict of str to sequence of str
        Files per memory, one for each slice, relative to the folder that tools run in; without it,
        memories start empty.

    Returns
    -------
    text : str
    ports : list of (str, str, int)
        Name, direction (``input`` or ``output``) and width of each port.
    """
    # Any other Yosys that the machine has would write other Verilog.
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    top = _Top(Core(capacities, images=images))
    text = verilog.convert(top, name=TOP, ports=top.ports, emit_src=False)
    memory = Path(__file__).with_name("memory.v").read_text()
    targets = {id(target) for target, _ in top._wires}
    ports = [(port.name, "output" if id(port) in targets else "input", len(port))
             for port in top.ports]
    return f"{text}\n{memory}", ports
