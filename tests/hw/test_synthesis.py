"""Synthesis of tiny accelerators: what is counted, what is refused, what is left behind."""

import pytest

from golden import SpikeCode
from hw.compiler import compile_model
from hw.fpga import routing
from hw.fpga.devices import find_device
from hw.fpga.routing import implement, pack, place_and_route
from hw.fpga.synthesis import estimate, multipliers, synthesise
from hw.tools.process import ToolError, ToolTimeoutError
from hw.tools.wheels import prepare
from tests.benchmark.out_of_context import write_core
from tests.models import pooled


pytestmark = pytest.mark.synthesis

#: An adder behind a block RAM that is read from an image.
ADDING = """
module accelerator(
    input aclk, input aresetn, input [8:0] row, input signed [17:0] addend,
    output reg signed [17:0] potential
);
    reg signed [17:0] weights [0:511];
    reg signed [17:0] weight;
    initial $readmemh("rom/weights.hex", weights);
    always @(posedge aclk) begin
        weight <= weights[row];
        potential <= aresetn ? potential + weight + (addend <<< 2) : 0;
    end
endmodule
"""

#: The same interface, and one product of two signals.
MULTIPLYING = ADDING.replace("(addend <<< 2)", "weight * addend")


def build_folder(folder, verilog):
    (folder / "rtl").mkdir()
    (folder / "rom").mkdir()
    (folder / "rtl" / "accelerator.v").write_text(verilog)
    (folder / "rom" / "weights.hex").write_text(
        "".join(f"{(977 * address) % (1 << 18):05x}\n" for address in range(512))
    )
    return folder


TARGETS = ["ecp5", "xilinx", "generic"]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("target", "cell"), [("ecp5", "MULT18X18D"), ("xilinx", "DSP48E1"), ("generic", "$mul")]
)
def test_a_multiplier_is_counted(tmp_path, target, cell, whole):
    found = multipliers(build_folder(tmp_path, MULTIPLYING), target, whole=whole)
    assert found[cell] >= 1
    assert set(found) == {cell}


@pytest.mark.parametrize("target", TARGETS)
def test_a_multiplier_too_small_for_a_dsp_is_counted_as_a_product(tmp_path, target):
    """Synthesis for a device may keep it out of the DSPs, or leave it to LUTs."""
    verilog = MULTIPLYING.replace("weight * addend", "row[1:0] * addend[1:0]")
    found = multipliers(build_folder(tmp_path, verilog), target)
    assert sum(found.values()) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_additions_and_shifts_are_no_multipliers(tmp_path, target):
    assert multipliers(build_folder(tmp_path, ADDING), target) == {}


@pytest.mark.parametrize("factor", [3, 4])
def test_a_product_with_a_constant_is_counted_before_it_becomes_anything_else(tmp_path, factor):
    verilog = ADDING.replace("addend <<< 2", f"addend * {factor}")
    assert multipliers(build_folder(tmp_path, verilog), "generic") == {"$mul": 1}


def test_a_network_without_attention_and_streams_is_synthesised(tmp_path):
    """Its core has no attention memories, and a residual memory of one word, which nobody uses."""
    plan = compile_model(pooled(1), columns=2, lanes=4, spike_code=SpikeCode.SPLIT)
    required = plan.required
    assert (required.attention_depth, required.residual_depth) == (0, 1)
    write_core(plan, tmp_path)
    assert estimate(synthesise(tmp_path))["bram"] > 0


def test_an_unknown_target_is_refused(tmp_path):
    with pytest.raises(ValueError) as caught:
        multipliers(tmp_path, "gowin")
    assert str(caught.value) == "Target must be one of ecp5, xilinx, generic, not 'gowin'"


def test_a_bitstream_is_built_and_measured(tmp_path):
    folder = build_folder(tmp_path, ADDING)
    steps = []
    utilisation = implement(
        folder, device=find_device("ecp5-25k"), clock_mhz=50, progress=steps.append
    )
    assert (folder / "accelerator.bit").stat().st_size > 10_000
    assert (utilisation.bram, utilisation.dsp) == (1, 0)
    assert utilisation.ff == 18
    assert 20 <= utilisation.lut <= 200
    assert utilisation.fmax_mhz > 20
    assert utilisation.package == "CABGA381"
    assert 'FREQUENCY PORT "aclk" 50 MHZ;' in (folder / "accelerator.lpf").read_text()
    assert len(steps) == 3


def test_the_estimate_counts_what_is_hidden_in_carry_chains():
    cells = {"LUT4": 3, "CCU2C": 2, "TRELLIS_DPR16X4": 1, "TRELLIS_FF": 5, "DP16KD": 4, "pins": 9}
    assert estimate(cells) == {"lut": 13, "ff": 5, "bram": 4, "dsp": 0}


def test_what_does_not_fit_is_refused_before_it_is_placed(tmp_path):
    """57 block RAMs, one more than the device has; an older bitstream does not survive."""
    verilog = ADDING.replace(
        "endmodule",
        """
    genvar copy;
    generate for (copy = 0; copy < 56; copy = copy + 1) begin : copies
        reg [17:0] memory [0:1023];
        (* keep *) reg [17:0] word;
        always @(posedge aclk) begin
            if (aresetn) memory[{row, row[0]}] <= addend + copy;
            word <= memory[{row[0], row}];
        end
    end endgenerate
endmodule
    """,
    )
    folder = build_folder(tmp_path, verilog)
    (folder / "accelerator.bit").write_bytes(b"older")
    with pytest.raises(
        ValueError,
        match=r"^The accelerator does not fit ecp5-25k: it needs 57 "
        r"block RAMs, 1 more than the 56 there are; ",
    ):
        implement(folder, device=find_device("ecp5-25k"), clock_mhz=50, progress=lambda _: None)
    assert not (folder / "accelerator.bit").exists()


def test_broken_verilog_is_one_sentence(tmp_path):
    folder = build_folder(tmp_path, ADDING.replace("endmodule", ""))
    with pytest.raises(ToolError, match=r"^yosys failed with status 1: rtl/accelerator\.v:"):
        synthesise(folder)


def test_packing_before_routing_leaves_no_bitstream(tmp_path):
    folder = build_folder(tmp_path, ADDING)
    (folder / "fpga").mkdir()
    with pytest.raises(ToolError, match=r"^ecppack failed"):
        pack(folder)
    assert not (folder / "accelerator.bit").exists()


@pytest.mark.parametrize("stuck", [0, 1, 2])
def test_a_router_that_does_not_end_gives_way_to_the_next(tmp_path, monkeypatch, capsys, stuck):
    folder = build_folder(tmp_path, ADDING)
    synthesise(folder)
    # The first use of a wheel says so.
    prepare("nextpnr-ecp5")
    capsys.readouterr()
    tried = []

    def sometimes(name, arguments, *, folder, log, limit):
        tried.append((arguments[arguments.index("--router") + 1], limit))
        if len(tried) <= stuck:
            raise ToolTimeoutError("nextpnr-ecp5 must finish within its limit, and did not")
        routing_run(name, arguments, folder=folder, log=log, limit=limit)

    routing_run = routing.run
    monkeypatch.setattr(routing, "run", sometimes)
    options = {"device": find_device("ecp5-25k"), "package": "CABGA256", "clock_mhz": 50, "seed": 7}
    if stuck == 2:
        with pytest.raises(ToolTimeoutError):
            place_and_route(folder, **options)
    else:
        assert place_and_route(folder, **options).seed == 7
    assert [router for router, _ in tried] == ["router1", "router2"][: stuck + 1]
    # The last attempt has all the time there is.
    assert all((limit == 7200) == (router == "router2") for router, limit in tried)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == min(stuck, 1)
    assert all(line.endswith("s, trying the next one") for line in said)
