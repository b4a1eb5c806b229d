"""States as readable words: signals for waves alone, put into the Verilog of a built core.

A word is a register of characters, which every viewer shows as text without a translation table.
"""

import re

from amaranth.hdl import Fragment
from amaranth.hdl._dsl import FSM

from hw.emit.verilog import TOP
from hw.isa.core_config import CoreConfig
from hw.isa.status import Status
from hw.rtl.core import Core


__all__ = ["SUFFIX", "state_machines", "with_words"]


#: What the name of a word ends in, behind that of the signal that it reads.
SUFFIX = "_word"


def with_words(text, description):
    """Verilog of a core, with a word for its status, its layer and the state of each state machine.

    Parameters
    ----------
    text : str
        As ``hw.emit`` writes it.
    description : dict
        Of the build directory.

    Returns
    -------
    str
    """
    layers = {number: layer["name"] for number, layer in enumerate(description["layers"])}
    status = {member.value: member.name for member in Status}
    text = _insert(text, TOP, _word("status", 4, status) + _word("layer", 12, layers, "none"))
    for scope, name, width, states in state_machines(description):
        text = _insert(text, f"\\{TOP}.{scope}", _word(name, width, states))
    return text


def state_machines(description):
    """State machines of a core.

    Parameters
    ----------
    description : dict
        Of the build directory.

    Returns
    -------
    list of (str, str, int, dict of int to str)
        Path of instances below the top module, name and width of the state's register, states.
    """
    config = CoreConfig.from_dict(description["config"])
    found = []

    def visit(fragment, path):
        for generated in getattr(fragment, "generated", {}).values():
            if isinstance(generated, FSM):
                states = {number: name for name, number in generated.encoding.items()}
                found.append((
                    ".".join(path),
                    generated.state.name,
                    len(generated.state),
                    states,
                ))
        for part, name, _ in fragment.subfragments:
            visit(part, (*path, name))

    visit(Fragment.get(Core(config), None), ("core",))
    return found


def _word(name, width, values, otherwise="?"):
    """Declaration of a word, and what it is for each value of a signal."""
    texts = {number: _printable(text) for number, text in values.items()}
    characters = max(map(len, [*texts.values(), otherwise]))
    word = f"{name}{SUFFIX}"
    cases = "".join(
        f'      {width}\'d{number}: {word} = "{text}";\n' for number, text in texts.items()
    )
    return (
        f"  reg [{8 * characters - 1}:0] {word};\n  always @*\n    case ({name})\n{cases}"
        f'      default: {word} = "{otherwise}";\n    endcase\n'
    )


def _printable(text):
    """What a Verilog string holds as it is."""
    return re.sub(r"[^ !#-\[\]-~]", "_", text)


def _insert(text, module, lines):
    """Text with lines at the end of a module."""
    start = text.index(f"\nmodule {module}{'' if module == TOP else ' '}(")
    end = text.index("\nendmodule\n", start) + 1
    return text[:end] + lines + text[end:]
