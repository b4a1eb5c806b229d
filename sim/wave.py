"""One picture on a core with waves: an FST file, and GTKWave's save file beside it."""

import shutil
import subprocess
import sys
from pathlib import Path

from golden.data.reading import InputError
from hw.emit.build_directory import VERILOG, is_asic, read_verilog
from hw.emit.memory_images import slice_names
from hw.emit.verilog import TOP, emit
from hw.isa.core_config import CoreConfig
from hw.tools.process import ToolError
from hw.tools.verilator import require_compilers

from .core import PATIENCE, START, described
from .driver import Outcome, Request, drive, driver
from .gtkw import write_gtkw
from .runner import Design, SimulationError
from .trial import Trial
from .words import with_words


__all__ = ["record_wave", "require_headers", "run_wave"]


#: Headers that Verilator's writer of FST files includes, and the Debian packages that have them.
HEADERS = ("lz4.h", "zlib.h")
PACKAGES = "liblz4-dev zlib1g-dev"

#: Cycles after which the external memory answers.
LATENCY = 16


def require_headers():
    """Raise ToolError where the compiler does not find what writing FST files needs."""
    require_compilers()
    done = subprocess.run(
        [shutil.which("g++"), "-E", "-x", "c++", "-o", "/dev/null", "-"],
        input="".join(f"#include <{name}>\n" for name in HEADERS),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ToolError(
            f"{' and '.join(HEADERS)} were not both found, which waves are written with: install "
            f"them with `apt-get install {PACKAGES}`"
        )


def record_wave(folder, image, path, *, cache, limit=900):
    """Simulate one picture and write its waves.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    image : uint8 array, shape (height, width, channels)
    path : Path
        FST file to be written; the save file has the same name, and the ending ``.gtkw``.
    cache : Path
        Folder that keeps simulators.
    limit : float
        Seconds that one step of the compilation may take.

    Returns
    -------
    Record
        What came of the picture.

    Raises
    ------
    InputError
        If the folder holds no core, or one that was changed or that another version has built.
    ToolError
        If a tool or a header is missing, or a tool fails.
    SimulationError
        If the picture has no logits; the waves until then are written.
    """
    folder, path = Path(folder), Path(path)
    require_headers()
    description, contents = described(folder)
    _require_same(description, folder)
    text = with_words(read_verilog(folder), description)
    external = bool(contents.memory)
    executable = driver(Design(TOP, text, None), cache, external=external, traced=True, limit=limit)
    request = Request(
        pictures=image[None],
        classes=description["classes"],
        deadline=PATIENCE * int(description["cycles"]["total"]) + START,
        loads=contents.loads,
        memory=contents.memory,
        word_bytes=contents.word_bytes,
        latency=LATENCY,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    (record,) = drive(executable, request, folder, wave=path)
    write_gtkw(path.with_suffix(".gtkw"), path, text)
    if record.outcome is not Outcome.DONE:
        raise SimulationError(
            f"The picture has no logits: it ended {record.outcome.name}, with status "
            f"{record.status}; see {path}"
        )
    return record


def run_wave(folder, model, images, number, path, *, cache, limit=900, prog):
    """Record the waves of one picture, compare it with golden, and say so.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    model : IntegerModel
        That it was built from.
    images : uint8 array, shape (images, height, width, channels)
    number : int
        Which of them is simulated.
    path, cache, limit
        As ``record_wave`` has them.
    prog : str
        How the user called this.

    Returns
    -------
    int
        Exit status: 0 if logits, additions and cycles are what they must be, else 1.

    Raises
    ------
    ValueError
        If there is no such picture, or the name of the file does not say what it is.
    """
    if path.suffix != ".fst":
        raise ValueError(f"--wave must be a file whose name ends in .fst, not {path}")
    if number >= len(images):
        raise ValueError(f"--image must be less than the {len(images)} images, not {number}")
    trial = Trial(folder, model, images[number : number + 1], stalled=False)
    record = record_wave(folder, images[number], path, cache=cache, limit=limit)
    print(f"waves are in {path}, and {path.with_suffix('.gtkw')} shows them in groups")
    wanted = {
        "logits": trial.result.logits[0].tolist(),
        "additions": sum(int(counts[0]) for counts in trial.additions.values()),
    }
    if trial.predicted:
        wanted["cycles"] = trial.predicted[0].total
    for name, value in wanted.items():
        if (found := getattr(record, name)) != value:
            print(f"{prog}: image {number}, {name} are {found}, not {value}.", file=sys.stderr)
            return 1
    print(
        f"image {number}: {record.cycles} cycles, {record.additions} additions, and all "
        f"{len(record.logits)} logits equal golden's"
    )
    return 0


def _require_same(description, folder):
    """Raise InputError if this version would emit other Verilog: its states could be others."""
    config = CoreConfig.from_dict(description["config"])
    images = slice_names(config) if description["readmemh"] else None
    asic = is_asic(folder)
    if emit(config, images=images, asic=asic)[0] != (folder / VERILOG).read_text():
        raise InputError(
            f"{folder} must be built by this version of Addend, which knows the states of its own "
            "cores; build the accelerator again"
        )
