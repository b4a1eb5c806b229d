"""Memories in blocks, as bitstreams have them, are the plain ones that their contracts describe."""

import re
from dataclasses import dataclass
from itertools import product

import pytest
from amaranth.back import verilog as amaranth_verilog

import golden
from golden import SpikeCode
from hw.compiler import compile_model
from hw.emit.memory_images import slice_names
from hw.emit.verilog import emit
from hw.rtl.library import library
from hw.rtl.memory import Memory, SharedMemory
from hw.tools.process import ToolError
from tests.proofs import prove_script, step_proof


pytestmark = pytest.mark.synthesis


LAID_OUT = "-D ADDEND_ECP5"

#: What a memory is. Addresses lie inside of it; a word that is read in the cycle that writes it is
#: the one from before, which nothing relies on.
PLAIN = """
module plain #(
    parameter WIDTH = 8, DEPTH = 16, ADDRESS_WIDTH = 4, SHARED = 0, BANK = 0, SLICE = 0,
    parameter REST_SLICE = 0
) (
    input wire clk, write, a_read, b_read, tag, input wire [WIDTH-1:0] data, other,
    input wire [ADDRESS_WIDTH-1:0] a_address, b_address, output reg [WIDTH-1:0] a_data, b_data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    always @(posedge clk) begin
        if (write) words[a_address] <= data;
        else if (a_read) a_data <= words[a_address];
        if (write && SHARED == 2) words[b_address] <= other;
        else if (b_read) b_data <= words[b_address];
    end
    // Both ports write words of a pair.
    always @* assume (SHARED != 2 || !write || a_address == (b_address ^ 1));
    always @* assume (a_address < DEPTH);
    always @* assume (b_address < DEPTH);
endmodule
"""

#: The same of the components, of 6 words of 40 bits.
PLAIN_SHARED = """
module plain (
    input wire clk, rst, a__read, b__read, input wire [43:0] write, input wire [31:0] tag,
    input wire [2:0] a__address, b__address, output reg [39:0] a__data, b__data
);
    wire [2:0] address = write[3:1]; reg [39:0] words [0:5];
    always @(posedge clk) begin
        if (write[0]) words[address] <= write[43:4];
        else if (a__read) a__data <= words[a__address];
        if (b__read) b__data <= words[b__address];
    end
    always @* assume (address < 6 && a__address < 6 && b__address < 6);
endmodule
"""
PLAIN_PAIRS = """
module plain (
    input wire clk, rst, a__read, b__read, input wire [82:0] write, input wire [31:0] tag,
    input wire [2:0] a__address, b__address, output reg [39:0] a__data, b__data
);
    wire [1:0] address = write[2:1]; reg [39:0] words [0:5];
    always @(posedge clk) begin
        if (write[0]) words[{address, 1'b0}] <= write[42:3];
        else if (a__read) a__data <= words[a__address];
        if (write[0]) words[{address, 1'b1}] <= write[82:43];
        else if (b__read) b__data <= words[b__address];
    end
    always @* assume (address < 3 && a__address < 6 && b__address < 6);
endmodule
"""
PLAIN_READ = """
module plain (
    input wire clk, rst, reader__read, input wire [43:0] write, input wire [31:0] tag,
    input wire [2:0] reader__address, output reg [39:0] reader__data
);
    wire [2:0] address = write[3:1]; reg [39:0] words [0:5];
    always @(posedge clk) begin
        if (write[0]) words[address] <= write[43:4];
        if (reader__read) reader__data <= words[reader__address];
    end
    always @* assume (address < 6 && reader__address < 6);
endmodule
"""


@dataclass(frozen=True)
class Shape:
    """Parameters of ``addend_memory``."""

    shared: int
    width: int
    depth: int
    bank: int = 0
    slice: int = 1
    rest_slice: int = 1

    @property
    def kind(self):
        """All that may make one shape right and another one wrong."""
        if not self.bank:
            return self.shared, "whole"
        slices = (self.slice, self.rest_slice)[: 1 + (self.depth > self.bank)]
        return self.shared, *(
            "one" if bits >= self.width else "uneven" if self.width % bits else "even"
            for bits in slices
        )

    @property
    def words(self):
        """Every word of the memory ``gate``, as a Yosys signal of its slices, highest first."""
        for number in range(self.depth):
            rest = bool(self.bank) and number >= self.bank
            bits = (self.rest_slice if rest else self.slice) if self.bank else self.width
            yield _slices(
                f"gate.bank[{int(rest)}]", number - rest * self.bank, range(0, self.width, bits)
            )


def _slices(bank, number, lows):
    return ",".join(f"\\{bank}.blocks.slice[{low}].words[{number}]" for low in reversed(lows))


ONE_BANK = [Shape(shared, 6, 5, 8, bits) for shared, bits in product((0, 1, 2), (8, 3, 4))]
TWO_BANKS = [
    Shape(shared, 6, 6, 4, bits, rest)
    for shared, bits, rest in product((0, 1, 2), (6, 2, 4), (8, 3, 5))
]
WHOLE = [Shape(shared, 5, 6) for shared in (0, 1, 2)]


def shape_proof(shape, define):
    parameters = " ".join(
        f"-chparam {name} {value}"
        for name, value in (
            ("WIDTH", shape.width),
            ("DEPTH", shape.depth),
            ("SHARED", shape.shared),
            ("ADDRESS_WIDTH", (shape.depth - 1).bit_length()),
            ("BANK", shape.bank),
            ("SLICE", shape.slice),
            ("REST_SLICE", shape.rest_slice),
        )
    )
    equal = [(f"\\gold.words[{number}]", word) for number, word in enumerate(shape.words)]
    equal += [(f"\\gold_{port}_data", f"\\gate_{port}_data") for port in "ab"[not shape.shared :]]
    return step_proof("addend_memory", parameters, equal, define)


def prove(folder, shapes, *, text, define=LAID_OUT):
    """Raises ToolError unless memories of these shapes are the plain one."""
    prove_script(folder, text + PLAIN, "".join(shape_proof(shape, define) for shape in shapes))


def prove_component(folder, component, plain, equal, *, define=LAID_OUT, further=""):
    text = amaranth_verilog.convert(component, name="component", emit_src=False)
    prove_script(
        folder,
        f"{text}\n{library()}\n{plain}",
        step_proof("component", "", equal, define) + further,
    )


@pytest.mark.parametrize(
    ("shapes", "define"),
    [
        (WHOLE, ""),
        (WHOLE, LAID_OUT),
        (ONE_BANK, LAID_OUT),
        (TWO_BANKS[:9], LAID_OUT),
        (TWO_BANKS[9:18], LAID_OUT),
        (TWO_BANKS[18:], LAID_OUT),
    ],
    ids=[
        "simulated",
        "whole",
        "one bank",
        "two banks",
        "two banks, two readers",
        "two banks, two writers",
    ],
)
def test_memories_of_every_kind_are_the_plain_one(tmp_path, shapes, define):
    prove(tmp_path, shapes, text=library(), define=define)


@pytest.mark.parametrize(
    ("intact", "faulty"),
    [
        # A bank is chosen wrongly: written, read, and while a word is held.
        ("write & (number == 0 ? ~a_rest : a_rest)", "write"),
        ("BANKS == 2 && b_address[ADDRESS_WIDTH-1]", "BANKS == 2 && b_address[0]"),
        ("if (b_reads) b_chosen", "b_chosen"),
        ("if (a_read & ~write) a_chosen", "if (a_read) a_chosen"),
        ("b_read & (SHARED != 2 | ~write)", "b_read"),
        ("b_chosen ? bank[BANKS-1].b_word : bank[0].b_word", "bank[0].b_word"),
        # A register is missing.
        ("always @(posedge clk) if (b_reads) b_chosen <= b_rest", "always @* b_chosen = b_rest"),
        ("assign b_data[low+:BITS] = b_word", "assign b_data[low+:BITS] = words[b_address]"),
        # An enable is missing, a slice has another one's bits, a word is not written.
        ("if (b_read) b_word", "b_word"),
        ("words[a_address] <= data[low+:BITS]", "words[a_address] <= data[0+:BITS]"),
        ("words[b_address] <= other[low+:BITS]", "words[b_address] <= data[low+:BITS]"),
        ("if (write) words[a_address]", "if (write && |a_address) words[a_address]"),
    ],
)
def test_a_fault_is_noticed(tmp_path, intact, faulty):
    assert library().count(intact) == 1
    with pytest.raises(ToolError, match="proof did fail"):
        prove(tmp_path, TWO_BANKS[-2:], text=library().replace(intact, faulty))


@pytest.mark.parametrize("define", ["", LAID_OUT])
@pytest.mark.parametrize(("at_once", "plain"), [(1, PLAIN_SHARED), (2, PLAIN_PAIRS)])
def test_the_shared_memory_is_the_plain_one(tmp_path, define, at_once, plain):
    memory = SharedMemory(width=40, depth=6, at_once=at_once)
    lows = range(0, 40, 18) if define else range(1)
    equal = [
        (f"\\gold.words[{number}]", _slices("gate.memory.bank[0]", number, lows))
        for number in range(6)
    ]
    equal += [(f"\\gold_{port}__data", f"\\gate_{port}__data") for port in "ab"]
    prove_component(tmp_path, memory, plain, equal, define=define)


@pytest.mark.parametrize("slices", [1, 2])
def test_a_memory_of_one_reader_is_the_plain_one_slice_by_slice(tmp_path, slices):
    memory = Memory(width=40, depth=6, slices=slices)
    # In blocks of 36 bits.
    lows = range(0, 40 // slices, 36)
    names = ["memory"] if slices == 1 else ["slice_1", "slice_0"]
    equal = [
        (
            f"\\gold.words[{number}]",
            ",".join(_slices(f"gate.{name}.bank[0]", number, lows) for name in names),
        )
        for number in range(6)
    ]
    equal += [("\\gold_reader__data", "\\gate_reader__data")]
    prove_component(tmp_path, memory, PLAIN_READ, equal)


@pytest.mark.parametrize("wrong", [False, True])
def test_a_memory_with_an_image_begins_with_it_and_is_the_plain_one(tmp_path, wrong):
    words = [0x123456789A + number for number in range(6)]
    (tmp_path / "rom").mkdir()
    (tmp_path / "rom" / "image.hex").write_text("\n".join(f"{word:x}" for word in words))
    memory = Memory(width=40, depth=6, images=("image.hex",))
    names = [_slices("gate.memory.bank[0]", number, range(1)) for number in range(6)]
    equal = [(f"\\gold.words[{number}]", name) for number, name in enumerate(names)]
    equal += [("\\gold_reader__data", "\\gate_reader__data")]
    first = " ".join(
        f"-prove {name.replace('gate.', '')} 40'd{word + wrong}"
        for name, word in zip(names, words, strict=True)
    )
    begins = f"design -load laid_out\nsat -verify -seq 1 {first} laid_out\n"
    if not wrong:
        prove_component(tmp_path, memory, PLAIN_READ, equal, further=begins)
        return
    with pytest.raises(ToolError, match="proof did fail"):
        prove_component(tmp_path, memory, PLAIN_READ, equal, further=begins)


@pytest.mark.parametrize(
    ("file", "columns", "lanes", "code", "bus_width"),
    [
        ("digits", 2, 16, SpikeCode.SPLIT, 0),
        ("digits", 1, 5, SpikeCode.SPLIT, 64),
        ("cifar10-nano", 4, 16, SpikeCode.BIT_SERIAL, 0),
        ("cifar10-nano", 2, 33, SpikeCode.SPLIT, 256),
    ],
)
def test_every_memory_of_a_core_is_of_a_kind_that_is_proved(
    project_root, file, columns, lanes, code, bus_width
):
    model = golden.load(project_root / "tests" / "data" / f"{file}.safetensors")
    config = compile_model(
        model, columns=columns, lanes=lanes, spike_code=code, bus_width=bus_width
    ).required
    text, _ = emit(config, images=None if bus_width else slice_names(config))
    found = set()
    for instance in re.findall(r"\n  addend_memory #\(\n(.*?)\n  \) ", text, re.DOTALL):
        values = dict(re.findall(r'\.(\w+)\((?:32\'s?d)?(\d+|".*")\)', instance))
        numbers = [
            int(values[name])
            for name in ("SHARED", "WIDTH", "DEPTH", "BANK", "SLICE", "REST_SLICE")
        ]
        image = "INIT_FILE" in values
        found.add((numbers[0], "whole") if image else Shape(*numbers).kind)
    assert len(found) >= 3
    assert found <= {shape.kind for shape in [*WHOLE, *ONE_BANK, *TWO_BANKS]}
