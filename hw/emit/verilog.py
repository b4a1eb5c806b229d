"""The emitted Verilog: one file whose top module is ``accelerator``."""

import os
import re

from amaranth import *
from amaranth.back import rtlil, verilog
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from ..isa.weight_image import BURST
from ..rtl.core import Core
from ..rtl.library import SRAM, library
from ..rtl.load_port import PATIENCE
from ..tools.caches import ensure_caches
from .licence import VERILOG_HEAD
from .sram import choosing, sram_sizes


__all__ = ["TOP", "convert", "emit", "netlist"]


TOP = "accelerator"
#: First line of what may be used under this licence.

#: The register of a module that Yosys makes for the start of a simulation, up to the module's end.
_START = re.compile(
    r"(?<=\n  reg )(\\\$auto\$verilog_backend\S+)  = 0;(.*?\n)endmodule\n", re.DOTALL
)


class _Top(Elaboratable):
    """Names and clocks of the outside world: AXI4, AXI4-Stream, synchronous active-low reset.

    Reset takes effect one cycle after ``aresetn``, and nothing is accepted before it has ended.
    """

    def __init__(self, core):
        self.core = core
        self.aclk = Signal(name="aclk")
        self.aresetn = Signal(name="aresetn")
        self.ports = [self.aclk, self.aresetn]
        # A register of its own: reset reaches everything, and everything would wait for the pin, in
        # hardware and in the simulator.
        self._reset = Signal(name="reset", init=1, reset_less=True)
        self._wires = []
        external = core.config.external
        self._stream("s_axis_pixels", core.pixels, True)
        self._stream("m_axis_logits", core.logits, False)
        if external:
            self._read_bus("m_axi_weights", core.weights)
            self._add("weights_base", core.weights_base, incoming=True)
        else:
            self._stream("s_axis_load", core.load, True)
        for name in (
            "busy",
            "error",
            "status",
            "layer",
            "cycles",
            "additions",
            *(["stalls"] if external else []),
        ):
            self._add(name, Value.cast(getattr(core, name)), incoming=False)

    def _stream(self, prefix, port, incoming):
        # Registers that are held in reset take nothing, whatever they say.
        ready = port.ready & ~self._reset if incoming else port.ready
        for suffix, value, forward in (
            ("tdata", port.p.data, True),
            ("tlast", port.p.last, True),
            ("tvalid", port.valid, True),
            ("tready", ready, False),
        ):
            self._add(f"{prefix}_{suffix}", value, incoming=incoming == forward)

    def _read_bus(self, prefix, bus):
        """Read channels of AXI4, the signals that never change included."""
        for name, member in bus.signature.members.items():
            self._add(f"{prefix}_{name}", getattr(bus, name), incoming=member.flow is In)
        for name, value in (
            ("arlen", C(BURST - 1, 8)),
            ("arsize", C(exact_log2(len(bus.rdata) // 8), 3)),
            ("arburst", C(1, 2)),
            ("arcache", C(3, 4)),
            ("arprot", C(0, 3)),
        ):
            self._add(f"{prefix}_{name}", value, incoming=False)

    def _add(self, name, value, *, incoming):
        port = Signal(len(value), name=name)
        self.ports.append(port)
        self._wires.append((value, port) if incoming else (port, value))

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain(local=True)
        m.submodules.core = self.core
        m.d.sync += self._reset.eq(~self.aresetn)
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(self._reset)]
        m.d.comb += [target.eq(value) for target, value in self._wires]
        return m


def convert(component, **options):
    """Verilog of an Amaranth component, the same on every machine and wherever the user stands.

    Parameters
    ----------
    component : Elaboratable
    **options
        As for ``amaranth.back.verilog.convert``.

    Returns
    -------
    str
    """
    # Any other Yosys that the machine has would write other Verilog; and this one is a module,
    # which must not take a file of the user's for one of Python's.
    os.environ.update(AMARANTH_USE_YOSYS="builtin", PYTHONSAFEPATH="1")
    ensure_caches()
    return _starting(verilog.convert(component, emit_src=False, **options))


def _starting(text):
    """Verilog whose ``always @*`` blocks run once at the start of a simulation.

    Yosys has each of them read a register that changes for this purpose. It sets it in the
    declaration, before some simulators (Icarus) look for changes.
    """
    return _START.sub(r"\1 ;\2  initial \1 = 0;\nendmodule\n", text)


def emit(config, *, images=None, load_patience=PATIENCE, asic=False):
    """Verilog of a core and the names of its ports.

    Parameters
    ----------
    config : CoreConfig
    images : dict of str to sequence of str
        Files per memory, one for each slice, in the folder that the macro ``ADDEND_ROM_DIR`` names;
        without it, memories start empty.
    load_patience : int
        Cycles after which the load port ends a packet of which no beat comes.
    asic : bool
        Whether memories are modules of their own sizes, which ``hw.emit.sram`` describes, and hold
        whole words; they have no images then.

    Returns
    -------
    text : str
    ports : list of (str, str, int)
        Name, direction (``input`` or ``output``) and width of each port.
    """
    top = _Top(Core(config, images=images, load_patience=load_patience, sliced=not asic))
    text = convert(top, name=TOP, ports=top.ports)
    targets = {id(target) for target, _ in top._wires}
    ports = [
        (port.name, "output" if id(port) in targets else "input", len(port)) for port in top.ports
    ]
    if asic:
        return "\n".join([
            f"{VERILOG_HEAD}{text}",
            choosing(sram_sizes(text)),
            library(SRAM),
        ]), ports
    return f"{VERILOG_HEAD}{text}\n{library()}", ports


def netlist(config, *, images=None):
    """The core as Amaranth hands it to Yosys, which writes the Verilog: RTLIL, in text.

    Parameters are those of ``emit``.
    """
    top = _Top(Core(config, images=images))
    return rtlil.convert(top, name=TOP, ports=top.ports, emit_src=False)
