"""FINN's matrix-vector unit in our flow: from a checkout, or as such a run once found it."""

import json
import subprocess
import tarfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from golden.data.atomic import replacing
from golden.data.description import read_json
from golden.data.form import Each, require_form
from hw.fpga.routing import SURE_ROUTERS
from hw.fpga.synthesis import TOP, WORK
from hw.tools.process import ToolError
from hw.tools.wheels import run
from tests.benchmark.out_of_context import route


__all__ = ["CYCLES", "KNOWN", "known", "keep", "route_finn"]


#: What a run with a checkout found last.
KNOWN = Path(__file__).with_name("finn.json")
_FORM = Each({"date": str, "commit": str, "figures": Each(float)})

#: Sources of the unit, in FINN's repository.
_MVU = "finn-rtllib/mvu"
_SOURCES = (
    "replay_buffer.sv",
    "mvu_4sx4u.sv",
    "mvu_8sx8u_dsp48.sv",
    "mvu_vvu_8sx9_dsp58.sv",
    "mvu_vvu_axi.sv",
)
#: The layer and the array, which takes a vector of 64 counts in as many cycles.
SIZE, ARRAY, ACCUMULATOR = 64, 8, 20
CYCLES = (SIZE // ARRAY) ** 2
#: How it is routed: at a frequency that it reaches, without ripup, which did not end, and once,
#: since every seed has as many LUTs.
REACHED = {"clock_mhz": 60.0, "seeds": (1,), "routers": SURE_ROUTERS}
#: Bits of counts by those of weights.
COUNT_WIDTH = {4: 3, 8: 4}

#: A top module with the unit's parameters. Its core for DSPs is behavioural here.
_TOP = """
module {top}(
    input logic aclk, aresetn,
    input logic [{weights}-1:0] weights, input logic weights_valid, output logic weights_ready,
    input logic [{inputs}-1:0] inputs, input logic inputs_valid, output logic inputs_ready,
    output logic [{outputs}-1:0] outputs, output logic outputs_valid, input logic outputs_ready
);
    mvu_vvu_axi #(
        .IS_MVU(1), .COMPUTE_CORE("mvu_8sx8u_dsp48"), .FORCE_BEHAVIORAL(1),
        .MW({size}), .MH({size}), .PE({array}), .SIMD({array}),
        .ACTIVATION_WIDTH({count_width}), .WEIGHT_WIDTH({weight_width}), .ACCU_WIDTH({accumulator})
    ) unit (
        .ap_clk(aclk), .ap_clk2x(1'b0), .ap_rst_n(aresetn),
        .s_axis_weights_tdata(weights), .s_axis_weights_tvalid(weights_valid),
        .s_axis_weights_tready(weights_ready),
        .s_axis_input_tdata(inputs), .s_axis_input_tvalid(inputs_valid),
        .s_axis_input_tready(inputs_ready),
        .m_axis_output_tdata(outputs), .m_axis_output_tvalid(outputs_valid),
        .m_axis_output_tready(outputs_ready)
    );
endmodule
"""


def route_finn(name, bits, settings):
    """``mvu_vvu_axi`` of a checkout, without DSPs, in the flow that cores go through.

    Its SystemVerilog is read with slang and written as Verilog, since that is what the flow takes.

    Returns
    -------
    dict
        ``figures``, as ``route`` has them, with the date and FINN's commit.
    """
    folder = settings.folder / name
    for inner in ("rtl", WORK):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    archive = _git(settings.finn, "archive", "HEAD", *(f"{_MVU}/{name}" for name in _SOURCES))
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        for source in _SOURCES:
            text = tar.extractfile(f"{_MVU}/{source}").read()
            (folder / "rtl" / source).write_bytes(text)
    (folder / "rtl" / "top.sv").write_text(
        _TOP.format(
            top=TOP,
            weights=ARRAY**2 * bits,
            inputs=ARRAY * COUNT_WIDTH[bits],
            outputs=ARRAY * ACCUMULATOR,
            size=SIZE,
            array=ARRAY,
            count_width=COUNT_WIDTH[bits],
            weight_width=bits,
            accumulator=ACCUMULATOR,
        )
    )
    sources = " ".join(f"rtl/{source}" for source in (*_SOURCES, "top.sv"))
    read = f"read_slang -j 1 --ignore-assertions --ignore-initial --top {TOP} {sources}"
    script = f"{read}; hierarchy -top {TOP}; proc; flatten; write_verilog -noattr rtl/{TOP}.v"
    run(
        "yosys",
        ["-Q", "-T", "-p", script],
        folder=folder,
        log=f"{WORK}/read.log",
        limit=3600,
    )
    figures = route(folder, **REACHED) | {"weight_width": bits, "cycles": CYCLES}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _git(settings.finn, "rev-parse", "HEAD").decode().strip(),
        "figures": figures,
    }


def _git(checkout, *arguments):
    done = subprocess.run(
        ["git", "-C", str(checkout), *arguments], capture_output=True, check=False
    )
    if done.returncode:
        raise ToolError(f"git found no FINN in {checkout}: {done.stderr.decode().strip()}")
    return done.stdout


def keep(found, path=KNOWN):
    """Writes what ``route_finn`` found, by bits of the weights."""
    with replacing(path) as file:
        file.write((json.dumps(found, indent=1) + "\n").encode())


def known(path=KNOWN):
    """What was found last."""
    values = read_json(path, "what was measured of FINN")
    require_form(values, _FORM, f"{path}: what was measured of FINN")
    return values
