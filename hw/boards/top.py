"""The top module of a board: PLL, reset, lights, and the serial link in front of the core."""

from amaranth import *
from amaranth.lib.cdc import FFSynchronizer

from ..emit.licence import VERILOG_HEAD
from ..emit.verilog import TOP, convert
from ..isa.frames import GAP_CYCLES
from ..isa.identity import identity
from ..link.link import Link
from ..rtl.memory import LAYER_WIDTH
from ..rtl.signals import signals
from .pll import cycles_per_bit


__all__ = ["BoardTop", "board_verilog", "require_on_chip"]


#: Cycles for which reset lasts after the clock is stable and the button is up.
RESET_CYCLES = 16


def require_on_chip(config):
    """Raises ValueError if a core reads its weights from outside, which no board here can do."""
    if config.external:
        raise ValueError(
            f"A board needs a memory controller for weights outside, on a bus of "
            f"{config.bus_width} bits, and Addend has none: build without --bus-width, or with a "
            "smaller model"
        )


class BoardTop(Elaboratable):
    """Module ``accelerator`` on a board.

    Parameters
    ----------
    board : Board
    config : CoreConfig
        Of the core, whose weights lie on chip.
    setting : PllSetting
    bit_cycles : int, optional
        Clock cycles of a bit of the serial line; what the clock needs if not given.
    gap : int
        Cycles without a byte after which a frame is dropped.
    """

    def __init__(self, board, config, setting, *, bit_cycles=None, gap=GAP_CYCLES):
        require_on_chip(config)
        self.board = board
        self.setting = setting
        self.link = Link(
            pixel_bytes=config.pixel_channels,
            pixels=config.pixel_depth,
            identity=identity(config),
            cycles_per_bit=bit_cycles or cycles_per_bit(setting.mhz),
            gap=gap,
        )
        self.pins = {pin.port: Signal(len(pin.sites), name=pin.port) for pin in board.pins}
        self.ports = list(self.pins.values())

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = sync = ClockDomain(local=True)
        m.submodules.link = link = self.link
        button = self.pins["button"]
        locked, stable, pressed = signals("locked stable pressed")
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            **{f"p_{name}": value for name, value in self.setting.parameters().items()},
            i_CLKI=self.pins["clk"],
            o_CLKOP=sync.clk,
            i_CLKFB=sync.clk,
            o_LOCK=locked,
            **dict.fromkeys(
                (
                    "i_RST",
                    "i_STDBY",
                    "i_PHASESEL0",
                    "i_PHASESEL1",
                    "i_PHASEDIR",
                    "i_PHASESTEP",
                    "i_PHASELOADREG",
                    "i_PLLWAKESYNC",
                    "i_ENCLKOP",
                ),
                C(0),
            ),
        )
        m.submodules.stable = FFSynchronizer(locked, stable, reset_less=True)
        inverted = self.board.pin("button").inverted
        m.submodules.pressed = FFSynchronizer(
            ~button if inverted else button, pressed, reset_less=True
        )
        waited = Signal(range(RESET_CYCLES + 1), reset_less=True)
        reset = Signal(init=1, reset_less=True)
        m.d.comb += ResetSignal().eq(reset)
        m.d.sync += reset.eq(waited != RESET_CYCLES)
        with m.If(waited != RESET_CYCLES):
            m.d.sync += waited.eq(waited + 1)
        with m.If(~stable | pressed):
            m.d.sync += waited.eq(0)

        error = Signal()
        m.submodules.core = Instance(
            TOP,
            i_aclk=sync.clk,
            i_aresetn=~(reset | link.reset),
            **_stream("o", "m_axis_logits", link.logits),
            **_stream("i", "s_axis_pixels", link.pixels),
            **_stream("i", "s_axis_load", link.load),
            o_busy=link.busy,
            o_error=error,
            o_layer=Signal(LAYER_WIDTH, name="layer"),
            o_status=link.status,
            o_cycles=link.cycles,
            o_additions=link.additions,
        )
        m.d.comb += [link.rx.eq(self.pins["rx"]), self.pins["tx"].eq(link.tx)]
        lights = {"busy": link.busy, "error": error, "status": Value.cast(link.status)}
        for name, value in lights.items():
            if pin := self.board.pin(name):
                m.d.comb += self.pins[name].eq(~value if pin.inverted else value)
        return m


def board_verilog(board, config, setting, **options):
    """Verilog of a board's top module, which belongs to that of the core.

    Parameters
    ----------
    board : Board
    config : CoreConfig
    setting : PllSetting
    **options
        As ``BoardTop`` has them.

    Returns
    -------
    str
    """
    top = BoardTop(board, config, setting, **options)
    return f"{VERILOG_HEAD}{convert(top, name=board.top, ports=top.ports)}"


def _stream(direction, prefix, stream):
    """Connections of a stream of the core: ``i`` for one that the core receives, else ``o``."""
    back = {"i": "o", "o": "i"}[direction]
    return {
        f"{direction}_{prefix}_tdata": stream.p.data,
        f"{direction}_{prefix}_tlast": stream.p.last,
        f"{direction}_{prefix}_tvalid": stream.valid,
        f"{back}_{prefix}_tready": stream.ready,
    }
