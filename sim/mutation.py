"""Single faults of a core's netlist, each behind one value of an input."""

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from hw.emit.verilog import TOP
from hw.rtl.library import MEMORY, PRIMITIVES, library
from hw.tools.wheels import run


__all__ = ["CONTROL", "Mutation", "Netlist"]


#: Input that chooses a fault; 0 is none.
CONTROL = "mutant"
#: Bits of it.
CONTROL_WIDTH = 16

#: Warnings that faults and Yosys' way of writing multiplexers cause.
WAIVED = ("CASEOVERLAP", "UNOPTFLAT")

#: Faults of each kind that are drawn beyond those that are needed: some lead nowhere.
SPARE = 6

#: Seconds for which one run of Yosys may take.
LIMIT = 600


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Parameters
    ----------
    number : int
        Value of the input that chooses it.
    module : str
        Module of the netlist.
    options : tuple of (str, str)
        Of Yosys' ``mutate``: mode, cell, port and bit, and the wire it is connected to.
    """

    number: int
    module: str
    options: tuple

    @property
    def kind(self):
        """Kind of component that the module is."""
        return kind(self.module)

    @property
    def mode(self):
        """What is done to the bit: inverted, held at 0 or 1, or xored with another."""
        return dict(self.options)["mode"]

    @property
    def place(self):
        """The bit: of which port of a cell, behind the bit of its wire if that has a name.

        In front of the port's other bit that it is xored with, if it is.
        """
        options = dict(self.options)
        at = f"{options['cell']}.{options['port']}[{options['portbit']}]"
        if "ctrlbit" in options:
            at += f" by [{options['ctrlbit']}]"
        if "wire" in options:
            return f"{options['wire'].lstrip(chr(92))}[{options['wirebit']}] at {at}"
        return at

    def command(self, *, chosen=True):
        """Command that makes the fault, with or without the input that chooses it."""
        applied = ("mode", "cell", "port", "portbit", "ctrlbit")
        words = [
            word for name, value in self.options if name in applied for word in (f"-{name}", value)
        ]
        control = ["-ctrl", CONTROL, str(CONTROL_WIDTH), str(self.number)] if chosen else []
        return " ".join(["mutate", *control, "-module", self.module, *words])


def kind(module):
    """Component of a module: the last part of its name, without numbers.

    >>> kind("accelerator.core.array.column_1.lanes.lane_3"), kind("a.b.stream$121")
    ('lane', 'stream')
    """
    return re.sub(r"(_\d+)*(\$\d+)?$", "", module.rpartition(".")[2])


class Netlist:
    """Netlist of a core as Yosys has it; the memories of ``memory.v`` are black boxes.

    Parameters
    ----------
    verilog : str
        What ``hw.build`` emits.
    folder : Path
        For files; the netlist stays there.
    """

    def __init__(self, verilog, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        core = verilog.removesuffix(library())
        if core == verilog:
            raise ValueError("The Verilog must end with this version's library: build again")
        #: Verilog of each module, by name.
        self.modules = dict(
            re.findall(r"^module \\?(\S+)(.*?)^endmodule", core, re.MULTILINE | re.DOTALL)
        )
        memories, primitives = _library_parts(core)
        (self.folder / "core.v").write_text(core)
        (self.folder / "primitives.v").write_text(primitives)
        (self.folder / "memories.v").write_text(memories)
        self.yosys(
            "netlist",
            [
                "read_verilog memories.v core.v primitives.v",
                f"hierarchy -check -top {TOP}",
                "proc",
                "opt_expr",
                "opt_clean",
                "memory_collect",
                "write_rtlil netlist.il",
            ],
        )

    def yosys(self, name, commands, *, limit=LIMIT):
        """Runs a script; its log and itself are files of that name."""
        (self.folder / f"{name}.ys").write_text("\n".join(commands) + "\n")
        run("yosys", ["-s", f"{name}.ys"], folder=self.folder, log=f"{name}.log", limit=limit)

    def draw(self, count, seed):
        """Faults, evenly over the kinds of modules.

        Parameters
        ----------
        count : int
        seed : int

        Returns
        -------
        list of Mutation
            ``count`` of them, if the netlist has so many.
        """
        rng = random.Random(seed)
        by_kind = defaultdict(list)
        for module in self.modules:
            by_kind[kind(module)].append(module)
        per_kind = -(-count // len(by_kind)) + SPARE
        # Of a component that is there several times, each fault is in another one.
        wanted = defaultdict(int)
        for name in sorted(by_kind):
            for _ in range(per_kind):
                wanted[rng.choice(by_kind[name])] += 1
        drawn = defaultdict(list)
        for module, options in self.listed([
            f"{number} -seed {rng.randrange(1, 2**31)} -module {module}"
            for module, number in wanted.items()
        ]):
            drawn[kind(module)].append((module, options))
        # One of each kind, then a second one of each, until there are enough.
        turns = [(turn, name) for turn in range(per_kind) for name in sorted(drawn)]
        chosen = [drawn[name][turn] for turn, name in turns if turn < len(drawn[name])][:count]
        return [Mutation(number, *fault) for number, fault in enumerate(chosen, start=1)]

    def listed(self, requests):
        """Faults that Yosys lists.

        Parameters
        ----------
        requests : list of str
            Arguments of ``mutate -list``: number, seed and filters.

        Returns
        -------
        list of (str, tuple)
            Module and options of each, as ``Mutation`` has them. Tags, which only captures of a
            simulation read, and what leads nowhere are no hardware.
        """
        paths = [self.folder / f"listed-{index}.txt" for index in range(len(requests))]
        self.yosys(
            "listed",
            [
                "read_rtlil netlist.il",
                *(
                    f"mutate -list {request} -o {path.name}"
                    for request, path in zip(requests, paths, strict=True)
                ),
            ],
        )
        faults = [
            _fault(line)
            for path in paths
            for line in path.read_text().splitlines()
            if " -port tag " not in line
        ]
        return [fault for fault in faults if not self._leads_nowhere(*fault)]

    def _leads_nowhere(self, module, options):
        """Whether the wire of a fault is declared and driven, and that is all."""
        wire = dict(options).get("wire", "").lstrip("\\")
        return (
            bool(wire)
            and len(re.findall(rf"(?<![\w$]){re.escape(wire)}(?![\w$])", self.modules[module])) <= 2
        )

    def mutated(self, mutations):
        """Verilog of the core with all faults, none of which is chosen while the input is 0."""
        self.yosys(
            "mutated",
            [
                "read_rtlil netlist.il",
                *(m.command() for m in mutations),
                "write_verilog -noattr mutated.v",
            ],
        )
        waivers = "".join(f"/* verilator lint_off {name} */\n" for name in WAIVED)
        return f"{waivers}{(self.folder / 'mutated.v').read_text()}\n{MEMORY.read_text()}"


def _library_parts(core):
    """Verilog of the memories, as black boxes, and of the other modules of the library.

    Ports of a black box are as wide as those of the core's widest memory whatever its parameters,
    lest a proof leave bits out.
    """
    widest = max(map(int, re.findall(r"WIDTH\D*?(?:\d+'\w)?(\d+)\D", core)))
    text = re.sub(r"parameter (WIDTH|ADDRESS_WIDTH) = \d+", rf"parameter \1 = {widest}", library())
    memories = re.findall(r"^module addend_memory\b.*?^\);\n", text, re.MULTILINE | re.DOTALL)
    boxes = "\n".join(f"(* blackbox *)\n{head}endmodule\n" for head in memories)
    return boxes, PRIMITIVES.read_text()


def _fault(line):
    """Module and options of a line that ``mutate -list`` wrote; its sources are left out."""
    words = line.split()[1:]
    pairs = [
        (name.removeprefix("-"), value) for name, value in zip(words[::2], words[1::2], strict=True)
    ]
    options = tuple(pair for pair in pairs if pair[0] not in ("module", "src"))
    return dict(pairs)["module"], options
