"""The emitted Verilog adds and never multiplies: as text, as Yosys reads it, and synthesised."""

import re
from itertools import product
from shutil import copytree

import pytest
from amaranth import *
from amaranth.back import rtlil, verilog

import golden
from hw.boards.board import BOARDS
from hw.boards.pll import highest_setting
from hw.boards.top import BoardTop, board_verilog
from hw.build import build
from hw.compiler import compile_model
from hw.emit.build_directory import read_description
from hw.emit.verilog import netlist
from hw.fpga.synthesis import multipliers
from hw.isa.core_config import SPIKE_CODES, CoreConfig
from tests.cores import CORES, image_paths, verilog_of
from tests.engines import sizes


pytestmark = pytest.mark.synthesis


#: What is no expression: strings, comments, sensitivity to everything, attributes.
NO_EXPRESSION = re.compile(
    r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|@\s*\*|@\s*\(\s*\*\s*\)|\(\*.*?\*\)', re.DOTALL
)
#: Cells of Amaranth's netlist, which the Verilog has as operators.
PRODUCT = re.compile(r"cell \$(?:mul|div|mod|divfloor|modfloor|pow) ")


def operators(text):
    """Lines of Verilog that multiply or divide, by constants too."""
    return [
        line.strip()
        for line in NO_EXPRESSION.sub(" ", text).split("\n")
        if re.search(r"[*/%]", line)
    ]


class Indexing(Elaboratable):
    """What looks like an index in Amaranth and is a product in Verilog."""

    def elaborate(self, platform):
        m = Module()
        self.word, self.digit = Signal(9), Signal(2)
        self.chosen = Signal(3)
        m.d.comb += self.chosen.eq(self.word.word_select(self.digit, 3))
        return m


@pytest.fixture(scope="module", params=[code.value for code in SPIKE_CODES])
def accelerator(request, tmp_path_factory, project_root):
    """Build folder of the trained digits model on an array of one narrow column."""
    folder = tmp_path_factory.mktemp(request.param)
    model = golden.load(project_root / "tests" / "data" / "digits.safetensors")
    plan = compile_model(model, columns=1, lanes=4, spike_code=golden.SpikeCode(request.param))
    build(plan, folder)
    return folder


@pytest.mark.parametrize("target", ["ecp5", "xilinx", "generic"])
def test_there_is_no_multiplier_and_no_dsp(accelerator, target):
    assert multipliers(accelerator, target) == {}


@pytest.mark.full
@pytest.mark.parametrize("target", ["ecp5", "xilinx"])
def test_there_is_none_in_the_final_netlist(accelerator, target):
    assert multipliers(accelerator, target, whole=True) == {}


def test_no_verilog_of_a_core_multiplies(accelerator):
    for path in (accelerator / "rtl").glob("*.v"):
        assert operators(path.read_text()) == [], path


@pytest.mark.parametrize("name", CORES)
def test_the_text_has_no_operator_that_multiplies_or_divides(name):
    assert operators(verilog_of(name)) == []


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_no_board_multiplies(accelerator, board):
    """Its top module by itself: as text, and as Amaranth hands it to Yosys."""
    config = CoreConfig.from_dict(read_description(accelerator)["config"])
    top = BoardTop(board, config, highest_setting(board.clock_mhz, 70))
    assert operators(board_verilog(board, config, top.setting)) == []
    assert PRODUCT.findall(rtlil.convert(top, name=board.top, ports=top.ports)) == []


def test_cores_of_every_code_and_count_multiply_nowhere(soak):
    cases = product(SPIKE_CODES, range(1, 16), (0, 64))
    for number, (code, max_count, bus_width) in enumerate(cases):
        # Both places of the weights in turn; each with all counts.
        if soak or number // 2 % 2 == number % 2:
            config = sizes(
                columns=1, lanes=3 + number % 5, code=code, max_count=max_count, bus_width=bus_width
            )
            text = netlist(config, images=image_paths(config))
            assert PRODUCT.findall(text) == [], (code, max_count, bus_width)


@pytest.mark.parametrize("operation", ["*", "/", "%", "**"])
def test_a_planted_operator_is_noticed(accelerator, tmp_path, operation):
    text = (accelerator / "rtl" / "accelerator.v").read_text()
    planted, number = re.subn(
        r"(assign \S+ += \S+) \+ (\S+;)", rf"\1 {operation} \2", text, count=1
    )
    assert number == 1
    assert len(operators(planted)) == 1
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "accelerator.v").write_text(planted)
    # The tools of the web assembly see no link that leads out of their folder.
    copytree(accelerator / "rom", tmp_path / "rom")
    assert sum(multipliers(tmp_path, "generic").values()) >= 1


def test_a_product_that_synthesis_takes_for_an_index_is_noticed(tmp_path):
    indexing = Indexing()
    fragment = Fragment.get(indexing, None)
    text = verilog.convert(
        fragment,
        name="accelerator",
        emit_src=False,
        ports=[indexing.word, indexing.digit, indexing.chosen],
    )
    assert len(operators(text)) == 1
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "accelerator.v").write_text(text)
    assert multipliers(tmp_path, "ecp5") == {}
    assert multipliers(tmp_path, "generic") == {"$mul": 1}


@pytest.mark.parametrize(
    "text",
    ["a = b * c;", "a = b*3;", "a = b / 2;", "a = b % c;", "a = b ** 2;", "(* x *) a = b *c;"],
)
def test_an_operator_is_found(text):
    assert len(operators(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        'x = "a * b";',
        "// a * b",
        "/* a *\n b */",
        "always @* a = b;",
        "always @(*) a = b;",
        '(* src = "a/b" *) wire a;',
        '.INIT_FILE("rom/weights.0.hex"),',
    ],
)
def test_what_is_no_expression_is_passed_over(text):
    assert operators(text) == []
