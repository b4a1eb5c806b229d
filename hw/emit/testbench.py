"""The testbench of a build directory: plain Verilog, and a header with what this core has."""

from pathlib import Path

from .licence import VERILOG_HEAD


__all__ = ["TESTBENCH", "testbench_header"]


#: Plain Verilog-2005, the same for every core.
TESTBENCH = Path(__file__).with_name("tb.v")

_HEAD = f"{VERILOG_HEAD}// What tb.v must know of this core.\n"

#: Least bits of a memory image's sum.
_SUM_WIDTH = 32

_LOAD_PORTS = (
    ".s_axis_load_tdata(load_data), .s_axis_load_tlast(load_last), "
    ".s_axis_load_tvalid(load_valid), .s_axis_load_tready(load_ready),"
)
_LOAD = (
    "wire [31:0] load_data; wire load_last, load_valid, load_ready; "
    "tb_load #(.BEATS({beats})) source (.clk(aclk), .go(aresetn), .data(load_data), "
    ".last(load_last), .valid(load_valid), .ready(load_ready), .loaded(loaded));"
)
_BUS_PORTS = (
    ".weights_base(32'd0), .m_axi_weights_araddr(araddr), .m_axi_weights_arvalid(arvalid), "
    ".m_axi_weights_arready(arready), .m_axi_weights_rdata(rdata), .m_axi_weights_rresp(2'd0), "
    ".m_axi_weights_rlast(rlast), .m_axi_weights_rvalid(rvalid), .m_axi_weights_rready(rready),"
)
_BUS = (
    "wire [31:0] araddr; wire arvalid, arready, rlast, rvalid, rready; wire [{width}-1:0] rdata; "
    "assign loaded = aresetn; "
    "tb_memory #(.FILE({file}), .WIDTH({width}), .DEPTH({depth})) source (.clk(aclk), "
    ".go(aresetn), .araddr(araddr), .arvalid(arvalid), .arready(arready), .rdata(rdata), "
    ".rlast(rlast), .rvalid(rvalid), .rready(rready));"
)


def testbench_header(plan, images, *, pictures, cycles, load_beats):
    """Text of ``tb/tb.vh``: sizes, and one line for each memory image.

    Parameters
    ----------
    plan : Plan
    images : dict of str to (list of int, int)
        Words of each file that the testbench checks, memory images first, and their width, by its
        path in the build directory.
    pictures : int
        Number of pictures in ``vectors/``.
    cycles : float
        Of one picture, as predicted.
    load_beats : int
        Beats that fill the memories before the first picture; 0 where they start filled, or where
        weights lie in an external memory.

    Returns
    -------
    str
    """
    config, model = plan.required, plan.model
    height, width, _ = model.image_shape
    files = [_file(path) for path in images]
    if config.external:
        words, bus_width = images[next(iter(images))]
        ports = _BUS_PORTS
        source = _BUS.format(file=files[0], width=bus_width, depth=len(words))
    else:
        ports, source = _LOAD_PORTS, _LOAD.format(beats=load_beats)
    macros = {
        "PICTURES": pictures,
        "PIXELS": height * width,
        "PIXEL_WIDTH": config.pixel_width,
        "CLASSES": model.classes,
        # Predictions for large networks are estimates.
        "LIMIT": f"64'd{int(4 * cycles * (pictures + 1)) + 3 * load_beats + 100_000}",
        "PORTS": ports,
        "SOURCE": source,
        "OPEN": _lines(f"open({file});" for file in files),
        "IMAGES": _lines(
            _image(number, file, *image)
            for number, (file, image) in enumerate(zip(files, images.values(), strict=True))
        ),
        "CHECK": _lines(
            f"image_{number}.read(same); compare({file});" for number, file in enumerate(files)
        ),
    }
    return _HEAD + "".join(f"`define TB_{name} {text}\n" for name, text in macros.items())


def _file(path):
    """Verilog of the name of a file, seen from the folder of the memory images."""
    seen = path.removeprefix("rom/") if path.startswith("rom/") else f"../{path}"
    return f'{{`ADDEND_ROM_DIR, "{seen}"}}'


def _image(number, file, words, width):
    # A digit more than a word has, since $readmemh says nothing of what it leaves out.
    read = 4 * (-(-width // 4) + 1)
    bits = max(read, _SUM_WIDTH)
    return (
        f"tb_image #(.FILE({file}), .WIDTH({read}), .DEPTH({len(words)}), .SUM_WIDTH({bits}), "
        f".SUM({bits}'h{_sum(words, bits):x})) image_{number} ();"
    )


def _sum(words, bits):
    """Sum of words, which is turned by one bit before each is added."""
    total, ones = 0, (1 << bits) - 1
    for word in words:
        total = ((total << 1 | total >> bits - 1) + word) & ones
    return total


def _lines(parts):
    return " \\\n    ".join(["", *parts])
