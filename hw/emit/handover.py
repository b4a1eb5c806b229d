"""What lies in a build directory for people and tools that know nothing of Addend."""

from ..rtl.loader import BEAT_WIDTH
from .core_file import CORE_FILE, core_file
from .load_packets import load_lines, packets
from .readme import readme
from .testbench import TESTBENCH, testbench_header
from .vectors import hex_lines, vector_files


__all__ = ["handover"]


def handover(plan, description, images, vectors, *, sources, sizes=None, sections=()):
    """README, test vectors, testbench and FuseSoC description.

    Parameters
    ----------
    plan : Plan
    description : dict
        What ``accelerator.json`` holds.
    images : dict of str to (list of int, int)
        Words of each memory image and their width, by its path in the build directory.
    vectors : Vectors
    sources : list of str
        The core's Verilog, by path in the build directory.
    sizes, sections
        As ``readme`` has them.

    Returns
    -------
    dict of str to str
        Text of the files, by path in the build directory.
    """
    files = vector_files(plan.model, vectors)
    widths = {"vectors/beats.hex": plan.required.pixel_width, "vectors/logits.hex": 32}
    if not (description["readmemh"] or plan.required.external):
        lines = load_lines(packets(plan, plan.required)).split()
        files["vectors/load.hex"] = hex_lines(lines)
        widths["vectors/load.hex"] = BEAT_WIDTH + 1
    words = {
        # Behind the licence.
        path: ([int(line, 16) for line in files[path].splitlines()[1:]], width)
        for path, width in widths.items()
    }
    files["README.md"] = readme(
        plan, description, vectors, sources=sources, sizes=sizes, sections=sections
    )
    files["tb/tb.v"] = TESTBENCH.read_text(encoding="utf-8")
    files["tb/tb.vh"] = testbench_header(
        plan,
        images | words,
        pictures=len(vectors.pictures),
        cycles=description["cycles"]["total"],
        load_beats=len(words["vectors/load.hex"][0]) if "vectors/load.hex" in words else 0,
    )
    files[CORE_FILE] = core_file(plan.model.name, sources, [*images, *files])
    return files
