"""GTKWave's save file of a core: which signals a wave shows, in groups, and how."""

import re
from dataclasses import dataclass
from pathlib import Path

from golden.data.atomic import replacing
from hw.emit.verilog import TOP

from .words import SUFFIX


__all__ = ["groups", "scopes", "write_gtkw"]


#: Title, scope, and signals of each group, as regular expressions of whole names; a scope that
#: several instances match has a group for each, whose title names them.
GROUPS = (
    ("Clock and reset", "", "aclk aresetn"),
    ("Pixels", "", "s_axis_pixels_t(valid|ready|last|data)"),
    ("Logits", "", "m_axis_logits_t(valid|ready|last|data)"),
    ("Load port", "", "s_axis_load_t(valid|ready|last|data)"),
    (
        "Weights",
        "",
        r"m_axi_weights_ar(valid|ready|addr) m_axi_weights_r(valid|ready|last|data|resp)",
    ),
    ("Status and counters", "", "busy error status_word layer_word cycles additions stalls"),
    ("Sequencer", r"core\.sequencer", "fsm_state_word layers tiles quiet known"),
    (
        "Address generator",
        r"core\.generator",
        "tile__valid tile__ready hold stall busy word row left begins idle",
    ),
    ("Tiles", r"core\.buffers", "room loaded settled ready taken held"),
    ("Weight image", r"core\.reader", "fsm_state_word start wanted room tile table failed left"),
    ("Load packets", r"core\.loader", "active intact refused expired"),
    ("Token sum", r"core\.token_sum", "fsm_state_word start words spikes idle"),
    ("word reader", r"core\.array\.column_\d+\.reader", "address valid"),
    (
        "word queue",
        r"core\.array\.column_\d+\.bank_\d+\.queue",
        "write level full words__valid words__ready",
    ),
    (
        "event encoder",
        r"core\.array\.column_\d+\.bank_\d+\.encoder",
        "words__valid words__ready events__valid events__ready",
    ),
    ("lanes", r"core\.array\.column_\d+\.lanes", "valid last double taken"),
    ("", r"core\.array\.column_\d+\.lanes\.lane_\d+", "accumulator held"),
    (
        "firing unit",
        r"core\.array\.readout_\d+\.firing",
        (
            "release pair whole taken neurons__address fired__valid fired__pair fired__whole "
            "fired__counts fired__values idle"
        ),
    ),
    (
        "packer",
        r"core\.array\.readout_\d+\.packer",
        (
            "fired__valid stored__spikes stored__attention stored__address stored__data "
            "request slot done idle"
        ),
    ),
)

#: GTKWave's flags of a trace: its number format, justified to the right.
_BINARY, _HEX, _DECIMAL, _TEXT = 0x28, 0x22, 0x24, 0x820
#: And of the lines around a group that is open.
_BEGIN, _END = 0x800200, 0x1000200
#: Signals that are read as numbers.
_NUMBERS = re.compile(
    "cycles|additions|stalls|layers|tiles|level|pair|fired__pair|fired__counts|left|words"
)

_MODULE = re.compile(r"\nmodule (\\\S+ |\w+)\(.*?\nendmodule\n", re.DOTALL)
_SIGNAL = re.compile(
    r"^  (?:wire|reg) (?:signed )?(?:\[(\d+):0\] )?([a-zA-Z_]\w*)(?: = .*)?;$", re.M
)
_INSTANCE = re.compile(r"^  \\(\S+)  ([a-zA-Z_]\w*) \($", re.MULTILINE)


@dataclass(frozen=True)
class Trace:
    """A signal that a wave shows.

    Parameters
    ----------
    scope, name : str
        Instances from the top module on, separated by dots; name of the signal.
    width : int
    """

    scope: str
    name: str
    width: int

    @property
    def line(self):
        """Its line in a save file."""
        bits = "" if self.width == 1 else f"[{self.width - 1}:0]"
        return f"{self.scope}.{self.name}{bits}"

    @property
    def flags(self):
        """How it is shown."""
        if self.width == 1:
            return _BINARY
        if self.name.endswith(SUFFIX):
            return _TEXT
        return _DECIMAL if _NUMBERS.fullmatch(self.name) else _HEX


def scopes(text):
    """Signals of every instance of emitted Verilog, those that a save file can name.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to dict of str to int
        Width by name, by path of instances from the top module on.
    """
    modules = {}
    for found in _MODULE.finditer(text):
        body = found.group()
        signals = {name: int(high or 0) + 1 for high, name in _SIGNAL.findall(body)}
        modules[found.group(1).strip()] = signals, _INSTANCE.findall(body)
    result = {}

    def visit(module, path):
        signals, instances = modules[module]
        result[path] = signals
        for inner, name in instances:
            visit(f"\\{inner}", f"{path}.{name}")

    visit(TOP, TOP)
    return result


def groups(text):
    """Groups of signals of a core.

    Parameters
    ----------
    text : str
        Its Verilog.

    Returns
    -------
    dict of str to list of Trace
        By title; groups that a core has no signal of are left out.
    """
    there, result = scopes(text), {}
    for title, scope, names in GROUPS:
        pattern = re.compile(f"{TOP}.{scope}" if scope else TOP)
        for path, signals in there.items():
            if not pattern.fullmatch(path):
                continue
            traces = [
                Trace(path, name, signals[name])
                for wanted in names.split()
                for name in signals
                if re.fullmatch(wanted, name)
            ]
            if traces:
                result[_title(title, path)] = traces
    return result


def write_gtkw(path, wave, text):
    """Write a save file.

    Parameters
    ----------
    path : Path
    wave : Path
        The FST file, which GTKWave opens with it.
    text : str
        Verilog of the simulated core.
    """
    path, wave = Path(path).resolve(), Path(wave).resolve()
    # With both, GTKWave finds the wave beside the save file where the two are moved to.
    lines = [f'[dumpfile] "{wave}"', f'[savefile] "{path}"', "[timestart] 0", "*-8.0 -1"]
    for title, traces in groups(text).items():
        lines += [f"@{_BEGIN:x}", f"-{title}"]
        for trace in traces:
            lines += [f"@{trace.flags:x}", trace.line]
        lines += [f"@{_END:x}", f"-{title}"]
    with replacing(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def _title(title, path):
    """Title of a group, with the numbers of what repeats."""
    numbered = [part.replace("_", " ") for part in path.split(".") if re.search(r"_\d+$", part)]
    return ", ".join([*numbered, *filter(None, [title])]).capitalize() if numbered else title
