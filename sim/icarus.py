"""A built accelerator in Icarus Verilog, with a testbench of plain Verilog."""

import shutil
import subprocess
from pathlib import Path

import numpy as np

from hw.emit.build_directory import read_description
from hw.emit.verilog import TOP
from hw.fpga.tools import ToolError, ToolTimeoutError

from .runner import SimulationError


__all__ = ["run_icarus"]


TESTBENCH = Path(__file__).with_name("testbench.v")


def run_icarus(folder, images, work, *, cycles=1_000_000, limit=1800):
    """Logits that an accelerator with weights on chip has for images, one behind the other.

    Icarus runs about a thousand cycles of a core of 32 lanes in a second.

    Parameters
    ----------
    folder : Path
        Build directory of ``hw.build``.
    images : uint8 array, shape (images, height, width, channels)
    work : Path
        Folder to run in.
    cycles : int
        Of all images, at most.
    limit : float
        Wall-clock seconds.

    Returns
    -------
    int64 array, shape (images, classes)

    Raises
    ------
    ToolError
        If Icarus Verilog is missing, refuses the Verilog or takes longer than the limit.
    SimulationError
        If other logits come than one of each class.
    """
    folder, work = Path(folder), Path(work)
    if not shutil.which("iverilog"):
        raise ToolError("iverilog was not found: install it with `apt-get install iverilog`")
    description = read_description(folder)
    work.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "rom", work / "rom", dirs_exist_ok=True)
    pixels = images.reshape(-1, images.shape[-1])
    (work / "pixels.hex").write_text(
        "".join(f"{bytes(pixel[::-1]).hex()}\n" for pixel in pixels.tolist())
    )
    parameters = {
        "PIXELS": len(pixels) // len(images),
        "PIXEL_WIDTH": 8 * images.shape[-1],
        "IMAGES": len(images),
        "LIMIT": cycles,
    }
    _run(
        [
            "iverilog",
            "-g2005-sv",
            "-o",
            "testbench.vvp",
            "-s",
            "testbench",
            *(f"-Ptestbench.{name}={value}" for name, value in parameters.items()),
            str(TESTBENCH),
            str((folder / "rtl" / f"{TOP}.v").resolve()),
        ],
        work,
        limit,
    )
    printed = _run(["vvp", "-n", "testbench.vvp"], work, limit)
    logits = [int(line.split()[1]) for line in printed.splitlines() if line.startswith("logit ")]
    if len(logits) != len(images) * description["classes"]:
        raise SimulationError(
            f"{len(images)} images must have {description['classes']} logits "
            f"each within {cycles} cycles, and had {len(logits)} together"
        )
    return np.array(logits, np.int64).reshape(len(images), -1)


def _run(command, folder, limit):
    """What a program printed that ended well."""
    try:
        finished = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        raise ToolTimeoutError(
            f"{command[0]} must finish within {limit:g} s, and did not"
        ) from None
    if finished.returncode:
        raise ToolError(
            f"{command[0]} failed with status {finished.returncode}: "
            f"{(finished.stderr or finished.stdout).strip()}"
        )
    return finished.stdout
